// SPDX-License-Identifier: BSD-2-Clause
/*
 * System calls that the map of the address space follows.
 *
 * A call and its entry in the map are two steps. What a call takes away leaves the map before the call, what it
 * brings enters the map after it: an address that another thread gets in between is then never lost. In between, the
 * map answers "nobody" for memory that is coming or going. Calls of several threads on the same pages at once are
 * the program's own race.
 */
#ifndef EXAMPLES_VMWATCH_FOLLOW_H
#define EXAMPLES_VMWATCH_FOLLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "examples/preload/sys.h"

/* How many calls of each kind were followed; see follow_numbers. */
extern uint64_t follow_calls[];

/* The system calls that are followed; ends with -1. */
extern const short follow_numbers[];

/* After space_begin(): enters what is mapped already. */
void follow_seed(void);

/* Makes the call, and the map follow it. `caller` is the code it was made from, or 0. Its result. */
long follow_call(long number, const struct sys_args *args, uint64_t caller);

/* Enters a call that the map's own code made, and that succeeded. */
void follow_own(long number, const struct sys_args *args, long result);

#endif
