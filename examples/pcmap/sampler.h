// SPDX-License-Identifier: BSD-2-Clause
/*
 * Samples of where threads are: each thread has a timer that counts its CPU time and sends a signal to that thread. The
 * handler looks the program counter up and adds one to what it found.
 *
 * A thread must be attached to the map's domain before its handler may look anything up. It is when its timer starts,
 * and the timer is gone before the thread is detached at its end.
 */
#ifndef EXAMPLES_PCMAP_SAMPLER_H
#define EXAMPLES_PCMAP_SAMPLER_H

#include <stdbool.h>
#include <stdint.h>

#include "examples/pcmap/tick.h"
#include "examples/preload/text.h"

/*
 * Before objects_begin(): a thread's end must be noticed here before the map's own code notices it. Samples every
 * `interval_ns` of CPU time; the kernel rounds that up to its tick. False: out of memory.
 */
bool sampler_prepare(uint64_t interval_ns);

/* After objects_begin(). `request` as in tick_begin(). */
bool sampler_begin(tick_request_fn *request);

/* Has a tick call `report` every so many seconds, in a signal handler of a thread that is running then. 0: never. */
void sampler_report_every(uint64_t seconds, tick_request_fn *report);

/* Begins to sample the calling thread, until it ends or sampler_end(). */
void sampler_begin_thread(void);

/* Attaches the calling thread without sampling it, so that it may use the map. Not in a signal handler. */
bool sampler_attach_thread(void);

/* Deletes all timers. No sample is counted after it, but for those that are being counted. Async-signal-safe. */
void sampler_end(void);

/* Goes on after that, with the calling thread and those to come. */
void sampler_resume(void);

/* In the child of a fork, which inherits no timers. */
void sampler_after_fork(void);

/* What the reader of a profile with so many samples should know. Async-signal-safe. */
void sampler_remark(struct text *out, uint64_t samples);

#endif
