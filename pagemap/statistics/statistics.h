// SPDX-License-Identifier: BSD-2-Clause
/*
 * Counting without a line that CPUs share. What is read is pagemap_stats(); what it promises rests on this: additions
 * are releases, and an end is counted after its beginning.
 */
#ifndef PAGEMAP_STATISTICS_STATISTICS_H
#define PAGEMAP_STATISTICS_STATISTICS_H

#include "pagemap/base/compiler.h"
#include "pagemap/percpu_ref/percpu.h"
#include "pagemap/statistics.h"

enum { PM_SHARDS = 32 };

/* A CPU's numbers, or those of few. In `.._now` is what ended; it becomes the difference when it is read. */
struct pm_shard {
    struct pagemap_statistics counted;
} __attribute__((aligned(64)));

PM_INTERNAL extern struct pm_shard pm_shards[PM_SHARDS];

/* Where to count. Any shard is right, and this one is probably no other thread's now. */
static inline struct pagemap_statistics *pm_counters(void)
{
    return &pm_shards[pm_cpu() % PM_SHARDS].counted;
}

/* Release: a thread that reads an end with acquire reads its beginning too, and what the count is about. */
static inline void pm_count(uint64_t *counter, uint64_t n)
{
    (void)__atomic_fetch_add(counter, n, __ATOMIC_RELEASE);
}

/* Counts one refusal, and returns `error`. */
static inline int pm_count_refusal(uint64_t *counter, int error)
{
    pm_count(counter, 1);
    return error;
}

/* A wait that sleeps: returns when it began, which pm_count_wait_end() is given. */
PM_INTERNAL uint64_t pm_count_wait(void);
PM_INTERNAL void pm_count_wait_end(uint64_t began_ns);

#endif
