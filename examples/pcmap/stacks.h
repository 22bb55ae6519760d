// SPDX-License-Identifier: BSD-2-Clause
/*
 * Records call stacks: registers and the upper part of the stack, as they are. They are taken apart later, by another
 * program (unwind.c), which has the time and may read files.
 */
#ifndef EXAMPLES_PCMAP_STACKS_H
#define EXAMPLES_PCMAP_STACKS_H

#include <stdbool.h>
#include <stdint.h>

#include "examples/pcmap/object.h"

/* Begins FOLDER/PID.stacks, of so many bytes at the most. `folder` stays the caller's. False: errno says why. */
bool stacks_begin(const char *folder, uint64_t bytes, uint64_t interval_ns);

/* In the child of a fork: the parent's file is left alone, and one of its own begun, if calls may be made for it. */
void stacks_after_fork(bool may_open);

/* Notes where the calling thread's stack is. Not in signal handlers. */
void stacks_note_thread(void);

/* Records a sample, for a signal handler's `context`. Makes no call. */
void stacks_sample(const void *context, uint64_t samples);

/* An object_watch_fn: comes or goes. */
void stacks_object(const struct object *object, bool is_gone);

#endif
