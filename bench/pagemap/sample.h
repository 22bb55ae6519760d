// SPDX-License-Identifier: BSD-2-Clause
/* Times of things that take long enough to be timed one by one. */
#ifndef BENCH_PAGEMAP_SAMPLE_H
#define BENCH_PAGEMAP_SAMPLE_H

/* What one repetition took, in nanoseconds; negative: it failed. */
typedef double sample_fn(void *context);

double now_ns(void);

/* The median of `repetitions`, or of those that fit into a second; negative: one failed. */
double median(sample_fn *sample, void *context, unsigned repetitions);

#endif
