// SPDX-License-Identifier: BSD-2-Clause
/*
 * Threads transfer from memory that others unmap. The network card is made up: it counts registrations, and a page's
 * count says whether a transfer may read it. Its memory is only numbers, so nothing is locked in memory.
 * regcache_test [--transfers N] exits with 1 if a transfer ran without its registration, or one was left or lost. It
 * goes on until there were so many transfers, and a hundredth as many invalidations beside them.
 */
#include <getopt.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "examples/regcache/regcache.h"

enum { PAGES = 1024, PAGE = 4096, TRANSFERRERS = 3, UNMAPPERS = 1 };

static uint32_t enrolled[PAGES]; /* registrations that hold each page */
static uint64_t enrolls, withdrawals, transfers, invalidations, broken;
static uint64_t wanted_transfers = 100000;
static uint32_t next_key;
static struct regcache *cache;

static void add_pages(uint64_t start, uint64_t last, uint32_t change)
{
    for (uint64_t page = start / PAGE; page <= last / PAGE; page++) {
        (void)__atomic_fetch_add(&enrolled[page], change, __ATOMIC_SEQ_CST);
    }
}

static int card_enroll(void *context, uint64_t start, uint64_t last, uint32_t *key)
{
    (void)context;
    add_pages(start, last, 1);
    (void)__atomic_fetch_add(&enrolls, 1, __ATOMIC_RELAXED);
    *key = __atomic_add_fetch(&next_key, 1, __ATOMIC_RELAXED);
    return 0;
}

static void card_withdraw(void *context, uint64_t start, uint64_t last, uint32_t key)
{
    (void)context;
    (void)key;
    add_pages(start, last, UINT32_MAX);
    (void)__atomic_fetch_add(&withdrawals, 1, __ATOMIC_RELAXED);
}

/* Or there is no hope. */
static bool is_enough(void)
{
    if (__atomic_load_n(&broken, __ATOMIC_RELAXED) > 1000) {
        return true;
    }
    return __atomic_load_n(&transfers, __ATOMIC_RELAXED) >= wanted_transfers &&
           __atomic_load_n(&invalidations, __ATOMIC_RELAXED) >= wanted_transfers / 100;
}

static uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return *state >> 33;
}

/* Between pin and unpin all pages of the transfer must be registered, whatever is invalidated meanwhile. */
static void *transfer(void *seed)
{
    uint64_t random = (uintptr_t)seed;

    while (!is_enough()) {
        uint64_t start = next_random(&random) % (PAGES - 8) * PAGE,
                 last = start + next_random(&random) % (8 * PAGE);
        struct regcache_region *region;

        if (regcache_pin(cache, start, last, &region) != 0) {
            (void)__atomic_fetch_add(&broken, 1, __ATOMIC_RELAXED);
            continue;
        }
        for (uint64_t page = start / PAGE; page <= last / PAGE; page++) {
            bool holds = region->start <= start && region->last >= last;

            if (!holds || (int32_t)__atomic_load_n(&enrolled[page], __ATOMIC_SEQ_CST) < 1) {
                (void)__atomic_fetch_add(&broken, 1, __ATOMIC_RELAXED);
            }
        }
        regcache_unpin(region);
        (void)__atomic_fetch_add(&transfers, 1, __ATOMIC_RELAXED);
    }
    return NULL;
}

static void *unmap(void *seed)
{
    uint64_t random = (uintptr_t)seed;

    while (!is_enough()) {
        uint64_t start = next_random(&random) % (PAGES - 4) * PAGE;

        if (regcache_invalidate(cache, start, start + 4 * PAGE - 1) != 0) {
            (void)__atomic_fetch_add(&broken, 1, __ATOMIC_RELAXED);
        }
        (void)__atomic_fetch_add(&invalidations, 1, __ATOMIC_RELAXED);
        if (next_random(&random) % 256 == 0 && regcache_drain(cache) != 0) {
            (void)__atomic_fetch_add(&broken, 1, __ATOMIC_RELAXED);
        }
    }
    return NULL;
}

/* What is drained with nothing pinned is gone from the card. */
static bool drains(void)
{
    bool gone = regcache_invalidate(cache, 0, UINT64_MAX) == 0 && regcache_drain(cache) == 0;

    for (unsigned page = 0; page < PAGES; page++) {
        gone = gone && enrolled[page] == 0;
    }
    return gone && enrolls == withdrawals;
}

static int run(void)
{
    const struct regcache_device card = {card_enroll, card_withdraw, NULL};
    pthread_t thread[TRANSFERRERS + UNMAPPERS];
    bool drained;

    if (regcache_create(&card, &cache) != 0) {
        return 1;
    }
    for (uintptr_t i = 0; i < TRANSFERRERS + UNMAPPERS; i++) {
        if (pthread_create(&thread[i], NULL, i < TRANSFERRERS ? transfer : unmap, (void *)(i + 1)) != 0) {
            return 1;
        }
    }
    for (unsigned i = 0; i < TRANSFERRERS + UNMAPPERS; i++) {
        (void)pthread_join(thread[i], NULL);
    }
    drained = drains();
    (void)printf(
        "%llu transfers, %llu invalidations, %llu registrations, %llu withdrawn, %llu broken promises%s\n",
        (unsigned long long)transfers, (unsigned long long)invalidations, (unsigned long long)enrolls,
        (unsigned long long)withdrawals, (unsigned long long)broken,
        drained ? "" : "; something was not drained");
    return regcache_destroy(cache) != 0 || broken != 0 || !drained;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"transfers", required_argument, NULL, 't'}, {NULL, 0, NULL, 0}};
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        wanted_transfers = option == 't' ? strtoull(optarg, NULL, 10) : 0;
        if (wanted_transfers == 0) {
            (void)fprintf(stderr, "usage: regcache_test [--transfers N]\n");
            return 2;
        }
    }
    return run();
}
