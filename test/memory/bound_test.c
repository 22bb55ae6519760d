// SPDX-License-Identifier: BSD-2-Clause
/*
 * Memory in proportion to what is in use: by one map that several threads update in every way, by many threads that
 * hardly do anything, and by ranges of which the shapes change.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rangemap/rangemap.h"
#include "test/check/crew.h"
#include "test/shim/ctest.h"
#include "test/shim/prng.h"

#if defined(__SANITIZE_THREAD__)
enum { SLOW = 1 };
#else
enum { SLOW = 0 };
#endif

enum { KIB = 1024, MIB = 1024 * 1024, CHUNK_MAX = 2 * MIB, CACHE_MAX = 64 * KIB };

static struct rangemap_domain_statistics stats_of(struct rangemap_domain *domain)
{
    struct rangemap_domain_statistics statistics;

    REQUIRE_EQ(rangemap_domain_stats(domain, &statistics), 0);
    return statistics;
}

static struct rangemap *new_map(struct rangemap_domain *domain)
{
    const struct rangemap_options options = {.domain = domain};
    struct rangemap *map = NULL;

    REQUIRE_EQ(rangemap_create(&options, &map), 0);
    return map;
}

static void finish(struct rangemap_domain *domain, struct rangemap *map)
{
    CHECK_EQ(rangemap_destroy(map), 0);
    CHECK_EQ(rangemap_domain_destroy(domain), 0);
}

/* ---- growth ---- */

enum { MIXERS = 3, MIXES = SLOW ? 20000 : 150000, KEYS = SLOW ? 1 << 15 : 1 << 18, LOOK = 16 };

/* The most that was ever seen of each. What is in use is looked at often, or a peak would be missed. */
static struct growth {
    struct rangemap_domain *domain;
    struct rangemap *map;
    atomic_ullong in_use, chunks, pinned;
} growth;

static void raise_to(atomic_ullong *peak, uint64_t value)
{
    unsigned long long before = atomic_load(peak);

    while (before < value && !atomic_compare_exchange_weak(peak, &before, value)) {
    }
}

static void note_peaks(void)
{
    struct rangemap_domain_statistics now = stats_of(growth.domain);

    raise_to(&growth.in_use, now.node_bytes);
    raise_to(&growth.chunks, now.chunk_bytes);
    raise_to(&growth.pinned, now.pinned_bytes);
}

/* Single ranges come and go, and now and then many at once. */
static void mix(unsigned self, void *context)
{
    struct prng random = prng_stream(test_seed(), self);

    (void)context;
    for (unsigned i = 0; i < MIXES * test_scale(); i++) {
        uint64_t key = prng_below(&random, KEYS) * 16;
        unsigned what = (unsigned)prng_below(&random, 256);
        int result;

        if (what == 0) {
            result = rangemap_carve(growth.map, key, key + (uint64_t)16 * 2000, NULL, NULL);
        } else if (what < 224) {
            result = rangemap_insert(growth.map, key, key + 7, NULL, NULL);
        } else {
            result = rangemap_erase(growth.map, key, NULL);
        }
        REQUIRE(result == 0 || result == -EEXIST || result == -ENOENT, "%d", result);
        if (i % LOOK == 0) {
            note_peaks();
        }
    }
}

TEST_CASE(memory_bound, updates_in_every_way)
{
    uint64_t bound;

    memset(&growth, 0, sizeof growth);
    REQUIRE_EQ(rangemap_domain_create(NULL, &growth.domain), 0);
    growth.map = new_map(growth.domain);
    crew_run(MIXERS, mix, NULL);
    bound = growth.in_use + growth.in_use / 2 + CHUNK_MAX + (MIXERS + 1) * CACHE_MAX + growth.pinned;
    printf("chunks %llu, in use %llu, pinned %llu KiB at most\n", growth.chunks / KIB, growth.in_use / KIB,
           growth.pinned / KIB);
    CHECK_LE(growth.chunks, bound);
    CHECK_GE(growth.in_use, SLOW ? MIB / 4 : MIB, "too little to say anything");
    finish(growth.domain, growth.map);
}

/* ---- many threads ---- */

static struct crowd {
    struct rangemap *map;
    pthread_barrier_t done, seen;
} crowd;

static void *update_once(void *context)
{
    uint64_t key = (uintptr_t)context * 4;

    CHECK_EQ(rangemap_insert(crowd.map, key, key + 3, NULL, NULL), 0);
    pthread_barrier_wait(&crowd.done);
    pthread_barrier_wait(&crowd.seen);
    return NULL;
}

/* All memory of the domain but for nodes, and a first chunk; a thread's record, a page, is not the domain's. */
static void measure_threads(unsigned threads)
{
    enum { PER_THREAD = 12 * KIB, FIXED = 192 * KIB };
    pthread_t *thread = calloc(threads, sizeof *thread);
    struct rangemap_domain_statistics statistics;
    struct rangemap_domain *domain;
    pthread_attr_t attributes;

    REQUIRE(thread != NULL);
    REQUIRE_EQ(rangemap_domain_create(NULL, &domain), 0);
    crowd.map = new_map(domain);
    pthread_barrier_init(&crowd.done, NULL, threads + 1);
    pthread_barrier_init(&crowd.seen, NULL, threads + 1);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 256 * KIB);
    for (uintptr_t i = 0; i < threads; i++) {
        REQUIRE_EQ(pthread_create(&thread[i], &attributes, update_once, (void *)i), 0);
    }
    pthread_barrier_wait(&crowd.done);
    statistics = stats_of(domain);
    printf("%u threads: %llu KiB of chunks, %llu of nodes, %llu in caches\n", threads,
           (unsigned long long)statistics.chunk_bytes / KIB, (unsigned long long)statistics.node_bytes / KIB,
           (unsigned long long)statistics.cached_bytes / KIB);
    CHECK_EQ(statistics.threads, threads + 1);
    CHECK_LE(statistics.chunk_bytes - statistics.node_bytes,
             FIXED + (uint64_t)threads * PER_THREAD + statistics.chunk_bytes / 4);
    CHECK_LE(statistics.cached_bytes, (uint64_t)(threads + 1) * 4 * KIB, "caches grow with use");
    pthread_barrier_wait(&crowd.seen);
    for (unsigned i = 0; i < threads; i++) {
        pthread_join(thread[i], NULL);
    }
    CHECK_EQ(rangemap_domain_barrier(domain), 0, "finds out that they are gone");
    CHECK_LE(stats_of(domain).cached_bytes, 16u * KIB, "those that left have nothing");
    free(thread);
    finish(domain, crowd.map);
}

TEST_CASE(memory_bound, threads_that_update_once)
{
    measure_threads(1);
    measure_threads(400);
    if (test_scale() > 1) {
        measure_threads(10000);
    }
}

/* ---- shapes ---- */

/* An allocator that has so much, and no more. */
static struct budget {
    atomic_llong left;
    atomic_uint refused;
} budget;

static void *take(size_t bytes, size_t alignment, void *context)
{
    (void)context;
    if (atomic_fetch_sub(&budget.left, (long long)bytes) < (long long)bytes) {
        atomic_fetch_add(&budget.left, (long long)bytes);
        atomic_fetch_add(&budget.refused, 1);
        return NULL;
    }
    return aligned_alloc(alignment, bytes);
}

static void give(void *chunk, size_t bytes, void *context)
{
    (void)context;
    atomic_fetch_add(&budget.left, (long long)bytes);
    free(chunk);
}

enum { BUDGET = SLOW ? 3 * MIB : 12 * MIB };

/* Full leaves, or such as random order leaves behind. */
static int add(struct rangemap *map, unsigned shape, uint64_t i, struct prng *random)
{
    uint64_t key = shape == 0 ? i * 16 : prng_next(random) & ~UINT64_C(15);
    int result = rangemap_insert(map, key, key + 7, NULL, NULL);

    return result == -EEXIST ? 0 : result;
}

static uint64_t fill_up(struct rangemap *map, unsigned shape, struct prng *random)
{
    uint64_t count = 0;

    while (add(map, shape, count, random) == 0) {
        REQUIRE_LT(count++, (uint64_t)2000000);
    }
    return count;
}

/* What one shape filled, another one can fill again: memory is called out when there is none. */
TEST_CASE(memory_bound, one_size_after_another)
{
    const struct rangemap_chunk_allocator chunks = {take, give, NULL};
    const struct rangemap_domain_options options = {.chunks = &chunks};
    struct prng random = prng_stream(test_seed(), 5);
    struct rangemap_domain *domain;
    struct rangemap *map;

    budget.left = BUDGET;
    budget.refused = 0;
    REQUIRE_EQ(rangemap_domain_create(&options, &domain), 0);
    map = new_map(domain);
    for (unsigned round = 0; round < 4; round++) {
        uint64_t count = fill_up(map, round % 2, &random);
        struct rangemap_domain_statistics full = stats_of(domain);

        printf("%llu ranges in %llu KiB of nodes, %llu free of %llu KiB\n", (unsigned long long)count,
               (unsigned long long)full.node_bytes / KIB,
               (unsigned long long)(full.pooled_bytes + full.idle_bytes) / KIB,
               (unsigned long long)full.chunk_bytes / KIB);
        CHECK_GE(budget.refused, 1u);
        CHECK_GE(full.node_bytes, (uint64_t)BUDGET / 10 * 8, "-ENOMEM with memory left");
        atomic_fetch_add(&budget.left, MIB); /* a carve takes nodes, too */
        CHECK_EQ(rangemap_carve(map, 0, UINT64_MAX, NULL, NULL), 0);
        CHECK_EQ(rangemap_domain_barrier(domain), 0);
        atomic_fetch_sub(&budget.left, MIB);
    }
    finish(domain, map);
    CHECK_EQ(budget.left, BUDGET);
}
