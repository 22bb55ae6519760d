// SPDX-License-Identifier: BSD-2-Clause
/*
 * SIGPROF, shared with the program. A program that has a handler of its own gets its own signals, as if there were no
 * other; and one that sets all signals to their defaults, as some do between fork and exec, is not ended by a tick.
 */
#ifndef EXAMPLES_PCMAP_TICK_H
#define EXAMPLES_PCMAP_TICK_H

#include <signal.h>
#include <stdbool.h>

/* Called in a signal handler of the thread whose timer has run out. */
typedef void tick_fn(const siginfo_t *info, const void *context);

/* From now on ticks go to `tick`, and the program's calls of sigaction() and signal() for SIGPROF are kept here. */
bool tick_begin(tick_fn *tick);

/* What a timer's signal must have to be taken for a tick. */
struct sigevent tick_event(int tid);

#endif
