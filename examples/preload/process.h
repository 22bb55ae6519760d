// SPDX-License-Identifier: BSD-2-Clause
/*
 * Which process this is. A library's memory is found in three kinds of others: in the child of a fork, a copy; and in
 * children that share it, as vfork and clone(CLONE_VM) make them. These have no thread-local storage of their own, or
 * one that no library knows of, and must not wait for anybody: nothing of a library may run there.
 */
#ifndef EXAMPLES_PRELOAD_PROCESS_H
#define EXAMPLES_PRELOAD_PROCESS_H

#include <stdbool.h>

enum process_kind {
    PROCESS_OURS,
    PROCESS_CHILD,   /* of a fork, by whatever call, that process_adopt() has not been told of */
    PROCESS_STRANGER /* shares our memory */
};

/* At the start. False: out of memory. */
bool process_begin(void);

/* Asks the kernel by getpid(). Touches no thread-local storage; async-signal-safe. */
enum process_kind process_kind(void);

/* Whether it is PROCESS_CHILD, without asking. */
bool process_is_child(void);

/* In the child of fork(), where the kernel may not have told (before Linux 4.14). */
void process_forked(void);

/* The caller's process is ours from now on. */
void process_adopt(void);

#endif
