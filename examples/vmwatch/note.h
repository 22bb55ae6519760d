// SPDX-License-Identifier: BSD-2-Clause
/* The slot of this process in the file that it shares with vmwatch. Without such a file, all of this does nothing. */
#ifndef EXAMPLES_VMWATCH_NOTE_H
#define EXAMPLES_VMWATCH_NOTE_H

#include <stdbool.h>

#include "examples/preload/status.h"
#include "examples/vmwatch/slots.h"

/* Maps the file. False: it cannot be opened, or is of another version. */
bool note_open(const char *path);

/*
 * Takes a slot for this process, by memory alone; in the child of a fork the parent's is left alone. `may_ask`: system
 * calls may be made, to find the process's number and program; otherwise it has the parent's reason and program.
 */
void note_take(bool may_ask);

/* fork() is being called; its child will be born. Async-signal-safe, like all here. */
void note_fork(void);
void note_birth(void);

/* Who it is, where note_take() could not ask. */
void note_identity(const struct status *status);

/* The slot, or NULL. */
struct slot *note_slot(void);

/* Says why the process is not compared, or is followed no longer: a constant, which its children inherit. */
void note_reason(const char *reason);

/* Hands the slot over to vmwatch with this state; after SLOT_DONE it is not ours any more. */
void note_state(enum slot_state state);

/* Whether vmwatch has asked for a comparison since the latest true answer. */
bool note_is_asked(void);

#endif
