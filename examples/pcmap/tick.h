// SPDX-License-Identifier: BSD-2-Clause
/*
 * The signal of the timers: SIGSETXID, 33, one of two that libc has for itself. Programs cannot block it, handle it
 * or set it to its default by any of libc's functions, so threads that block all signals are sampled like others, and
 * SIGPROF is the program's, as `gcc -pg` has it. libc's own use of it, in setuid() and the like, goes on.
 */
#ifndef EXAMPLES_PCMAP_TICK_H
#define EXAMPLES_PCMAP_TICK_H

#include <signal.h>
#include <stdbool.h>

enum { TICK_SIGNAL = 33 };

/* Called in a signal handler of the thread whose timer has run out. */
typedef void tick_fn(const siginfo_t *info, const void *context);

/* Called in a signal handler of any thread: somebody has sent the signal from outside, as `kill -33 PID` does. */
typedef void tick_request_fn(void);

/* False: the system does not allow it. */
bool tick_begin(tick_fn *tick, tick_request_fn *request);

/* After a thread was made: libc sets its handler up with the first one, and ours goes in front of it again. */
void tick_keep(void);

/* What a timer's signal must have to be taken for a tick. */
struct sigevent tick_event(int tid);

#endif
