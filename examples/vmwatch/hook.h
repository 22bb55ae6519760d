// SPDX-License-Identifier: BSD-2-Clause
/* What surrounds every followed call: signals, threads that end, forks, and the gate that the comparison closes. */
#ifndef EXAMPLES_VMWATCH_HOOK_H
#define EXAMPLES_VMWATCH_HOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "examples/preload/sys.h"

/* The kernel's set of signals. */
struct hook_signals {
    uint64_t bits;
};

/* Before space_begin(): a thread's end is to be noticed here before the map's own code notices it. */
bool hook_prepare(void);

/* For pthread_atfork(): fork() itself says so, before the child can have a second thread. */
void hook_fork_child(void);

/* What a redirected system call becomes. Any thread, any moment. Its result. */
long hook_call(long number, const struct sys_args *args, uint64_t caller);

/*
 * Between these two the thread may use the map: no signal handler of its runs, and the library's own mappings that
 * come of it are entered at the end. False: the thread is between them already.
 */
bool hook_enter(struct hook_signals *signals);
void hook_leave(const struct hook_signals *signals);

/*
 * Whether the caller is a thread of the process that is followed, or of a child of it by fork: not one that shares its
 * memory, where nothing of this library may run. Asks the kernel; touches no thread-local storage.
 */
bool hook_is_ours(void);

/* What is mapped has changed unseen: the next call asks the kernel for all of it. */
void hook_doubt(void);

/* Whether the thread has used the map before, and signal handlers may. */
bool hook_is_attached(void);

/*
 * Inside: keeps all other threads out and waits for those that are in, but not for ever: false. hook_open() ends it
 * either way.
 */
bool hook_close(void);
void hook_open(void);

#endif
