// SPDX-License-Identifier: BSD-2-Clause
#include "bench/pagemap/sample.h"

#include <stdlib.h>
#include <time.h>

enum { MAX_REPETITIONS = 64 };

double now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
    const double *left = a, *right = b;

    return (*left > *right) - (*left < *right);
}

double median(sample_fn *sample, void *context, unsigned repetitions)
{
    double samples[MAX_REPETITIONS], began = now_ns();
    unsigned taken = 0;

    while (taken < repetitions && taken < MAX_REPETITIONS && (taken == 0 || now_ns() - began < 1e9)) {
        samples[taken] = sample(context);
        if (samples[taken++] < 0) {
            return -1;
        }
    }
    qsort(samples, taken, sizeof samples[0], by_value);
    return samples[taken / 2];
}
