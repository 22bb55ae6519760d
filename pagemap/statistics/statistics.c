// SPDX-License-Identifier: BSD-2-Clause
#include "pagemap/statistics/statistics.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "pagemap/base/atomic.h"

struct pm_shard pm_shards[PM_SHARDS];

static uint64_t longest_wait_ns;

static uint64_t now_ns(void)
{
    struct timespec time;

    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

uint64_t pm_count_wait(void)
{
    pm_count(&pm_counters()->waits, 1);
    return now_ns();
}

void pm_count_wait_end(uint64_t began_ns)
{
    uint64_t took = now_ns() - began_ns, longest = pm_load_relaxed(&longest_wait_ns);

    while (took > longest && !pm_cas_full(&longest_wait_ns, &longest, took)) {
    }
    pm_count(&pm_counters()->waits_now, 1);
}

/* Member by member, over all shards: `.._now` stands before what it is subtracted from, and so is loaded first. */
static void sum(struct pagemap_statistics *statistics)
{
    enum { WORDS = sizeof *statistics / sizeof(uint64_t) };
    uint64_t *sums = (uint64_t *)(void *)statistics;

    for (unsigned word = 0; word < WORDS; word++) {
        for (unsigned shard = 0; shard < PM_SHARDS; shard++) {
            sums[word] += pm_load_acquire((const uint64_t *)(const void *)&pm_shards[shard].counted + word);
        }
    }
}

int pagemap_stats(struct pagemap_statistics *statistics, size_t bytes)
{
    struct pagemap_statistics all = {0};

    if (statistics == NULL || bytes == 0 || bytes % sizeof(uint64_t) != 0) {
        return -EINVAL;
    }
    sum(&all);
    all.devices_now = all.devices - all.devices_now;
    all.pins_now = all.pins - all.pins_now;
    all.exports_now = all.exports - all.exports_now;
    all.waits_now = all.waits - all.waits_now;
    all.longest_wait_ns = pm_load_relaxed(&longest_wait_ns);
    memset(statistics, 0, bytes);
    memcpy(statistics, &all, bytes < sizeof all ? bytes : sizeof all);
    return 0;
}
