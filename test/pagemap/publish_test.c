// SPDX-License-Identifier: BSD-2-Clause
/* A device of many ranges, with another one between them, comes in one step: who finds a range of it finds all. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "test/pagemap/faults.h"
#include "test/pagemap/rig.h"
#include "test/shim/prng.h"

enum { RANGES = 32, READERS = 2, ROUNDS = 40 };
#define STEP (8 * RIG_MB)
#define PIECE (2 * RIG_MB)

static struct dev_pagemap *device;
static uint64_t is_coming; /* a get may find it */
static uint64_t stop, whole;

static uint64_t pfn_of(uint64_t range)
{
    return PHYS_PFN(range * STEP) + 77;
}

/* PRIVATE memory needs nothing to be plugged in. The driver lists the ranges in any order. */
static struct dev_pagemap *make_device(void)
{
    struct dev_pagemap *pgmap = calloc(1, sizeof *pgmap + RANGES * sizeof pgmap->range);
    struct range first = rig_range(0, PIECE);

    REQUIRE_NE(pgmap, NULL);
    *pgmap = rig_pgmap(MEMORY_DEVICE_PRIVATE, &first, 1);
    pgmap->nr_range = RANGES;
    for (unsigned i = 0; i < RANGES; i++) {
        pgmap->ranges[i] = rig_range((i * 7 % RANGES) * STEP, PIECE);
    }
    return pgmap;
}

/* With a reference the device stays in the index: all of it, from the first hit on. */
static void look(struct prng *prng)
{
    struct dev_pagemap *pgmap = get_dev_pagemap(pfn_of(prng_below(prng, RANGES)), NULL);

    if (pgmap == NULL) {
        return;
    }
    CHECK_EQ(__atomic_load_n(&is_coming, __ATOMIC_SEQ_CST), 1);
    (void)__atomic_fetch_add(&whole, 1, __ATOMIC_RELAXED);
    REQUIRE_EQ(pagemap_read_lock(), 0);
    for (uint64_t i = 0; i < RANGES; i++) {
        CHECK_EQ(find_dev_pagemap(PFN_PHYS(pfn_of(i))), pgmap, "range %u", (unsigned)i);
    }
    pagemap_read_unlock();
    put_dev_pagemap(pgmap);
}

static void *read_all(void *number)
{
    struct prng prng = prng_stream(test_seed(), (uint64_t)(uintptr_t)number);

    while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
        look(&prng);
    }
    return NULL;
}

/* The last step that can fail is the publication. */
static unsigned steps_of_mapping(void)
{
    const unsigned many = 100000;
    unsigned left;

    (void)pm_fault_arm(many);
    REQUIRE_EQ(rig_map(device), 0);
    left = pm_fault_arm(0);
    CHECK_EQ(memunmap_pages(device), 0);
    return many - left;
}

static void map_and_unmap(unsigned steps, unsigned rounds)
{
    for (unsigned i = 0; i < rounds; i++) {
        (void)pm_fault_arm(steps);
        CHECK_EQ(rig_map(device), -ENOMEM, "and nobody has seen any of it");
        CHECK_EQ(pm_fault_arm(0), 0);
        (void)__atomic_exchange_n(&is_coming, 1, __ATOMIC_SEQ_CST);
        REQUIRE_EQ(rig_map(device), 0);
        CHECK_EQ(memunmap_pages(device), 0);
        (void)__atomic_exchange_n(&is_coming, 0, __ATOMIC_SEQ_CST);
    }
}

TEST_CASE(publish, all_ranges_in_one_step)
{
    struct range between = rig_range(STEP + PIECE, PIECE);
    struct dev_pagemap other = rig_pgmap(MEMORY_DEVICE_PRIVATE, &between, 1);
    pthread_t readers[READERS];
    unsigned steps;

    warnings_count();
    device = make_device();
    REQUIRE_EQ(rig_map(&other), 0);
    steps = steps_of_mapping();
    for (uintptr_t i = 0; i < READERS; i++) {
        REQUIRE_EQ(pthread_create(&readers[i], NULL, read_all, (void *)i), 0);
    }
    __atomic_store_n(&is_coming, 1, __ATOMIC_SEQ_CST);
    REQUIRE_EQ(rig_map(device), 0);
    while (__atomic_load_n(&whole, __ATOMIC_RELAXED) == 0) { /* until they are there */
        (void)sched_yield();
    }
    CHECK_EQ(memunmap_pages(device), 0);
    (void)__atomic_exchange_n(&is_coming, 0, __ATOMIC_SEQ_CST);
    map_and_unmap(steps, ROUNDS * test_scale());
    (void)__atomic_exchange_n(&stop, 1, __ATOMIC_SEQ_CST);
    for (unsigned i = 0; i < READERS; i++) {
        (void)pthread_join(readers[i], NULL);
    }
    CHECK(rig_finds(PHYS_PFN(between.start), &other), "what lies between is as it was");
    CHECK_EQ(memunmap_pages(&other), 0);
    CHECK_EQ(warnings_take(), 0);
    free(device);
    pagemap_barrier();
}
