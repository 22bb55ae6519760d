// SPDX-License-Identifier: BSD-2-Clause
/*
 * Samples of where threads are: each thread has a timer that counts its CPU time and sends SIGPROF to that thread. The
 * handler looks the program counter up and adds one to what it found.
 *
 * A thread must be attached to the map's domain before its handler may look anything up. It is when its timer starts,
 * and the timer is gone before the thread is detached at its end.
 */
#ifndef EXAMPLES_PCMAP_SAMPLER_H
#define EXAMPLES_PCMAP_SAMPLER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/*
 * Before objects_begin(): a thread's end must be noticed here before the map's own code notices it. Samples every
 * `interval_ns` of CPU time; the kernel rounds that up to its tick. False: out of memory.
 */
bool sampler_prepare(uint64_t interval_ns);

/* After objects_begin(): handles SIGPROF. */
bool sampler_begin(void);

/* Begins to sample the calling thread, until it ends or sampler_end(). */
void sampler_begin_thread(void);

/* Attaches the calling thread without sampling it, so that it may use the map. Not in a signal handler. */
bool sampler_attach_thread(void);

/* No sample is counted after it, but for those that are being counted. */
void sampler_end(void);

/* In the child of a fork, which inherits no timers. */
void sampler_after_fork(void);

/* What the reader of a profile should know. */
void sampler_remark(FILE *out);

#endif
