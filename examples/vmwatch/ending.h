// SPDX-License-Identifier: BSD-2-Clause
/*
 * Moments at which the map is compared with the kernel's: when vmwatch asks, and before what ends the following. A
 * process ends, becomes another program, or confines itself by a filter under which the library cannot go on.
 */
#ifndef EXAMPLES_VMWATCH_ENDING_H
#define EXAMPLES_VMWATCH_ENDING_H

#include "examples/preload/sys.h"

/* The process ends: compares, once. In a child that shares another process's memory: nothing. */
void ending_exit(void);

/* execve and execveat, prctl and seccomp: compares if it is one of the other two, and makes the call. Its result. */
long ending_exec(long number, const struct sys_args *args);
long ending_confine(long number, const struct sys_args *args);

/* Compares because vmwatch has asked. Between hook_enter() and hook_leave(). */
void ending_asked(void);

#endif
