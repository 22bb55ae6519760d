// SPDX-License-Identifier: BSD-2-Clause
/* memremap_pages() and its family: overlaps, lookups, failures half-way. Errors: memremap_error_test.c. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "pagemap/statistics.h"
#include "test/pagemap/faults.h"
#include "test/pagemap/rig.h"

/* Bugs 1, 2, 4 and 5, and the latent L1: an overlap of any shape is refused, and the victim stays whole. */
TEST_CASE(memremap, bug1_bug2_bug4_bug5_overlap_leaves_the_other_intact)
{
    const uint64_t base = 4 * RIG_GB, unit = 2 * RIG_MB;
    struct pagemap_memory *memory = rig_plug(base, 20 * unit);
    struct range range = rig_range(base + 8 * unit, 4 * unit);
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_FS_DAX, &range, 1);

    warnings_count();
    REQUIRE_EQ(rig_map(&pgmap), 0);
    for (uint64_t start = 4; start < 16; start++) {
        for (uint64_t end = start; end < 16; end++) {
            bool overlaps = start <= 11 && end >= 8;

            CHECK_EQ(rig_try_map(base + start * unit, base + (end + 1) * unit - 1), overlaps ? -ENOMEM : 0,
                     "%d..%d", (int)start, (int)end);
            CHECK_EQ(warnings_take(), overlaps);
            for (uint64_t at = 4; at < 16; at++) {
                CHECK(rig_finds(PHYS_PFN(base + at * unit), at >= 8 && at <= 11 ? &pgmap : NULL));
            }
        }
    }
    CHECK(rig_finds(PHYS_PFN(range.start) - 1, NULL), "the range's own bounds, not a section's (bug 2)");
    CHECK(rig_finds(PHYS_PFN(range.end) + 1, NULL));
    memunmap_pages(&pgmap);
    CHECK(rig_finds(PHYS_PFN(range.start), NULL));
    CHECK(rig_finds(PHYS_PFN(range.end), NULL));
    rig_unplug(memory);
}

TEST_CASE(memremap, bug22_bug30_several_ranges_and_the_cached_argument)
{
    struct pagemap_memory *memory = rig_plug(0, 64 * RIG_MB);
    struct range two[2] = {rig_range(2 * RIG_MB, 2 * RIG_MB), rig_range(32 * RIG_MB, 4 * RIG_MB)};
    struct range one = rig_range(8 * RIG_MB, 2 * RIG_MB);
    struct rig_many many = rig_many(MEMORY_DEVICE_GENERIC, two, 2);
    struct dev_pagemap b = rig_pgmap(MEMORY_DEVICE_GENERIC, &one, 1), *held;

    warnings_count();
    REQUIRE_EQ(rig_map(&many.pgmap), 0);
    REQUIRE_EQ(rig_map(&b), 0);
    CHECK(rig_finds(PHYS_PFN(two[0].start), &many.pgmap));
    CHECK(rig_finds(PHYS_PFN(two[1].end), &many.pgmap));
    CHECK(rig_finds(PHYS_PFN(two[0].end) + 1, NULL), "the hole between");
    held = get_dev_pagemap(PHYS_PFN(two[0].start), NULL);
    REQUIRE_EQ(held, &many.pgmap);
    CHECK_EQ(pgmap_nr_references(&many.pgmap), 1);
    held = get_dev_pagemap(PHYS_PFN(two[1].start), held); /* the kernel knows the first range only (L5) */
    CHECK_EQ(held, &many.pgmap);
    CHECK_EQ(pgmap_nr_references(&many.pgmap), 1, "reused");
    held = get_dev_pagemap(PHYS_PFN(one.start), held);
    CHECK_EQ(held, &b);
    CHECK_EQ(pgmap_nr_references(&many.pgmap), 0, "put");
    CHECK_EQ(pgmap_nr_references(&b), 1);
    CHECK_EQ(get_dev_pagemap(0, held), NULL);
    CHECK_EQ(pgmap_nr_references(&b), 0, "put, though nothing was found (bugs 22 and 30)");
    put_dev_pagemap(NULL);

    REQUIRE_EQ(pagemap_read_lock(), 0);
    CHECK_EQ(find_dev_pagemap(two[1].start + 5), &many.pgmap);
    CHECK_EQ(find_dev_pagemap(0), NULL);
    pagemap_read_unlock();
    CHECK_EQ(warnings_take(), 0);
    CHECK_EQ(find_dev_pagemap(one.end), &b);
    CHECK_EQ(warnings_take(), 1, "outside of a read section");
    memunmap_pages(&b);
    memunmap_pages(&many.pgmap);
    rig_unplug(memory);
}

TEST_CASE(memremap, a_failing_second_range_unwinds_the_first)
{
    struct pagemap_memory *memory = rig_plug(0, 64 * RIG_MB);
    struct range ranges[3] = {rig_range(0, 2 * RIG_MB), rig_range(4 * RIG_MB, 2 * RIG_MB),
                              rig_range(RIG_GB, 2 * RIG_MB)};
    struct rig_many many = rig_many(MEMORY_DEVICE_GENERIC, ranges, 3);

    CHECK_EQ(rig_map(&many.pgmap), -ENXIO);
    CHECK(rig_finds(0, NULL));
    CHECK(rig_finds(PHYS_PFN(ranges[1].start), NULL));
    CHECK_EQ(many.pgmap.nr_range, 3);
    CHECK_EQ(pagemap_memory_unplug(memory), 0, "not in use any more");
    REQUIRE_EQ(pagemap_memory_plug(memory, 0), 0);
    many.pgmap.ranges[2] = rig_range(2 * RIG_MB, 4 * RIG_MB);
    CHECK_EQ(rig_map(&many.pgmap), -ENOMEM, "its own second range is in the way");
    many.pgmap.ranges[2] = rig_range(2 * RIG_MB, 2 * RIG_MB);
    REQUIRE_EQ(rig_map(&many.pgmap), 0);
    memunmap_pages(&many.pgmap);
    rig_unplug(memory);
}

/* ---- all ranges come at once ---- */

struct sight {
    uint64_t first, last; /* pfns of the first and of the last range */
    uint32_t phase;       /* odd: it is being mapped, or is mapped */
    uint32_t stops;
    uint64_t seen, half; /* looks that found it, and that found the first range without the last */
};

static bool is_there(uint64_t pfn)
{
    struct dev_pagemap *pgmap = get_dev_pagemap(pfn, NULL);

    if (pgmap != NULL) {
        put_dev_pagemap(pgmap);
    }
    return pgmap != NULL;
}

static void *look(void *context)
{
    struct sight *sight = context;

    while (__atomic_load_n(&sight->stops, __ATOMIC_SEQ_CST) == 0) {
        uint32_t phase = __atomic_load_n(&sight->phase, __ATOMIC_SEQ_CST);

        if (phase % 2 == 1 && is_there(sight->first)) {
            bool whole = is_there(sight->last);

            (void)__atomic_add_fetch(&sight->seen, 1, __ATOMIC_SEQ_CST);
            sight->half += !whole && __atomic_load_n(&sight->phase, __ATOMIC_SEQ_CST) == phase;
        }
    }
    return NULL;
}

TEST_CASE(memremap, all_ranges_are_published_in_one_step)
{
    enum { ROUNDS = 1000 };
    struct pagemap_memory *memory = rig_plug(0, 64 * RIG_MB);
    struct range between = rig_range(4 * RIG_MB, 2 * RIG_MB);
    struct range ranges[3] = {rig_range(0, 2 * RIG_MB), rig_range(8 * RIG_MB, 2 * RIG_MB),
                              rig_range(16 * RIG_MB, 2 * RIG_MB)};
    struct dev_pagemap other = rig_pgmap(MEMORY_DEVICE_GENERIC, &between, 1);
    struct sight sight = {.first = 0, .last = PHYS_PFN(ranges[2].start)};
    pthread_t thread;

    REQUIRE_EQ(rig_map(&other), 0);
    REQUIRE_EQ(pthread_create(&thread, NULL, look, &sight), 0);
    for (unsigned i = 0; i < ROUNDS * test_scale(); i++) {
        struct rig_many many = rig_many(MEMORY_DEVICE_GENERIC, ranges, 3);

        (void)__atomic_add_fetch(&sight.phase, 1, __ATOMIC_SEQ_CST);
        REQUIRE_EQ(rig_map(&many.pgmap), 0);
        CHECK(is_there(sight.first) && is_there(sight.last) && is_there(PHYS_PFN(ranges[1].end)));
        CHECK(rig_finds(PHYS_PFN(between.start), &other), "what lies between is left alone");
        while (__atomic_load_n(&sight.seen, __ATOMIC_SEQ_CST) <= i) {
            (void)sched_yield(); /* the other one looks all the time */
        }
        (void)__atomic_add_fetch(&sight.phase, 1, __ATOMIC_SEQ_CST);
        memunmap_pages(&many.pgmap);
    }
    __atomic_store_n(&sight.stops, 1, __ATOMIC_SEQ_CST);
    REQUIRE_EQ(pthread_join(thread, NULL), 0);
    printf("%llu looks while it was there\n", (unsigned long long)sight.seen);
    CHECK_EQ(sight.half, 0, "the first range was there without the last");
    memunmap_pages(&other);
    rig_unplug(memory);
}

/* Every step that can fail does: all or nothing, and the very same arguments work afterwards. */
TEST_CASE(memremap, each_failing_step_leaves_nothing_behind)
{
    struct pagemap_memory *memory = rig_plug(0, 256 * RIG_MB);

    for (unsigned type = 0; type < RIG_NR_TYPES; type++) {
        struct range ranges[2] = {rig_range(0, 128 * RIG_MB), rig_range(192 * RIG_MB, 2 * RIG_MB)};
        struct rig_many many = rig_many(RIG_TYPES[type], ranges, type % 2 == 0 ? 1 : 2);
        unsigned failed = 0;
        bool all = false;

        if (many.pgmap.nr_range == 1 && RIG_TYPES[type] != MEMORY_DEVICE_PRIVATE) {
            many.pgmap.flags = PGMAP_ALTMAP_VALID;
            many.pgmap.altmap = (struct vmem_altmap){.reserve = 2, .free = 1022};
        }
        for (unsigned step = 1; !all; step++) {
            int error;

            (void)pm_fault_arm(step);
            error = rig_map(&many.pgmap);
            all = pm_fault_arm(0) != 0;
            CHECK_EQ(error, all ? 0 : -ENOMEM, "step %u", step);
            CHECK(rig_finds(PHYS_PFN(ranges[0].end), error == 0 ? &many.pgmap : NULL));
            failed += error != 0;
            if (error == 0) {
                memunmap_pages(&many.pgmap);
            }
            CHECK_EQ(many.pgmap.altmap.alloc, 0);
            CHECK_EQ(pagemap_memory_unplug(memory), 0);
            REQUIRE_EQ(pagemap_memory_plug(memory, 0), 0);
        }
        CHECK_GE(failed, 6, "type %u", type);
    }
    rig_unplug(memory);
}

/* It fails, and then a step of undoing it, whichever: what stays is taken away by memunmap_pages(). */
TEST_CASE(memremap, what_cannot_be_undone_is_unmapped_later)
{
    struct pagemap_memory *memory = rig_plug(0, 64 * RIG_MB);
    struct range ranges[2] = {rig_range(0, 2 * RIG_MB), rig_range(RIG_GB, 2 * RIG_MB)};
    struct rig_many many = rig_many(MEMORY_DEVICE_GENERIC, ranges, 2);
    struct pagemap_statistics statistics;
    unsigned stayed = 0;
    bool all = false;

    warnings_count();
    for (unsigned step = 1; !all; step++) {
        int error;

        (void)pm_fault_arm(step);
        error = rig_map(&many.pgmap);
        all = pm_fault_arm(0) != 0;
        CHECK(error == -ENXIO || error == -ENOMEM, "step %u: %d", step, error);
        CHECK(rig_finds(PHYS_PFN(ranges[0].end), NULL));
        if (pagemap_memory_unplug(memory) == -EBUSY) {
            stayed++;
            CHECK_EQ(error, -ENXIO);
            CHECK_EQ(rig_map(&many.pgmap), -EINVAL, "it is mapped, in part");
            CHECK_EQ(memunmap_pages(&many.pgmap), 0);
            CHECK_EQ(pagemap_memory_unplug(memory), 0);
        }
        CHECK_EQ(pagemap_stats(&statistics, sizeof statistics), 0);
        CHECK_EQ(statistics.devices_now, 0);
        REQUIRE_EQ(pagemap_memory_plug(memory, 0), 0);
        (void)warnings_take();
    }
    CHECK_GE(stayed, 1);
    rig_unplug(memory);
}

/* Bug 8: a devm action that could not be added left the mapping behind. LIFO: the region goes last. */
TEST_CASE(memremap, bug8_devm)
{
    struct pagemap_memory *memory = rig_plug(0, 2 * RIG_MB);
    struct range range = rig_range(0, 2 * RIG_MB);
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_GENERIC, &range, 1);
    struct device dev;
    bool all = false;

    warnings_count();
    device_initialize(&dev, "dax0.0");
    for (unsigned step = 1; !all; step++) {
        void *linear;

        (void)pm_fault_arm(step);
        linear = devm_memremap_pages(&dev, &pgmap);
        all = pm_fault_arm(0) != 0;
        if (!all) {
            CHECK_EQ(PTR_ERR(linear), -ENOMEM);
            CHECK(rig_finds(0, NULL));
            CHECK_EQ(devres_release_all(&dev), 0);
        }
    }
    CHECK(rig_finds(0, &pgmap));
    devm_memunmap_pages(&dev, &pgmap);
    CHECK(rig_finds(0, NULL));
    REQUIRE_NE(devm_request_mem_region(&dev, 0, 2 * RIG_MB, "dax0.0"), NULL);
    REQUIRE(!IS_ERR(devm_memremap_pages(&dev, &pgmap)));
    CHECK_EQ(devres_release_all(&dev), 2);
    CHECK(rig_finds(0, NULL));
    CHECK_EQ(iomem_resource.child, NULL);
    CHECK_EQ(warnings_take(), 0);
    rig_unplug(memory);
}

/* ---- many ranges, in any order ---- */

enum { RANGES = 1024 };

/* Each pfn at the edge of each range is told apart from its neighbours outside. */
/* What `errno` says from before is nobody's error. */
TEST_CASE(memremap, old_errors_are_not_taken_for_new_ones)
{
    static const int errors[] = {EINVAL, ENOMEM, EPERM, ENOSYS, EINTR};
    struct range range = rig_range(0, 2 * RIG_MB);

    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        struct pagemap_memory *memory;
        struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_GENERIC, &range, 1);

        errno = errors[i];
        memory = rig_plug(0, 2 * RIG_MB);
        errno = errors[i];
        CHECK(!IS_ERR(memremap_pages(&pgmap, 0)), "%d", errors[i]);
        errno = errors[i];
        CHECK_EQ(memunmap_pages(&pgmap), 0);
        errno = errors[i];
        CHECK_EQ(pagemap_memory_unplug(memory), 0);
        errno = errors[i];
        CHECK_EQ(pagemap_memory_destroy(memory), 0);
    }
}

TEST_CASE(memremap, a_thousand_ranges_in_any_order)
{
    struct pagemap_memory *memory = rig_plug(0, 2 * RANGES * 2 * RIG_MB);
    struct dev_pagemap *pgmap = calloc(1, sizeof *pgmap + (RANGES - 1) * sizeof(struct range));

    warnings_count();
    REQUIRE_NE(pgmap, NULL);
    pgmap->type = MEMORY_DEVICE_GENERIC;
    pgmap->nr_range = RANGES;
    for (uint64_t i = 0; i < RANGES; i++) {
        pgmap->ranges[i] = rig_range(i * 389 % RANGES * 4 * RIG_MB, 2 * RIG_MB);
    }
    REQUIRE_EQ(rig_map(pgmap), 0);
    for (uint64_t i = 0; i < RANGES; i++) {
        uint64_t first = PHYS_PFN(pgmap->ranges[i].start);

        CHECK(pgmap_pfn_valid(pgmap, first));
        CHECK(pgmap_pfn_valid(pgmap, first + 511));
        CHECK(!pgmap_pfn_valid(pgmap, first + 512));
        CHECK(!pgmap_pfn_valid(pgmap, first - 1));
        CHECK_EQ(page_address(pfn_to_page(first + 3)),
                 (char *)page_address(pfn_to_page(first)) + 3 * PAGE_SIZE);
    }
    CHECK_EQ(memunmap_pages(pgmap), 0);
    free(pgmap);
    rig_unplug(memory);
    CHECK_EQ(warnings_take(), 0);
}
