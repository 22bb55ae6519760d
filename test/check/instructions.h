// SPDX-License-Identifier: BSD-2-Clause
/*
 * How many instructions a call takes: the processor traps after each. A count does not depend on what else the machine
 * does, as a time would. x86-64 only; under ThreadSanitizer handlers run late, so not there.
 */
#ifndef RANGEMAP_TEST_CHECK_INSTRUCTIONS_H
#define RANGEMAP_TEST_CHECK_INSTRUCTIONS_H

#include <stdbool.h>
#include <stdint.h>

/* Whether this machine and build can count. */
bool instructions_are_counted(void);

/* Those of call(context), in this thread; system calls count as one. One thread at a time. */
uint64_t instructions_of(void (*call)(void *), void *context);

#endif
