// SPDX-License-Identifier: BSD-2-Clause
/* memremap_pages() and its family: errors in order, overlaps, lookups, failures half-way. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pagemap/statistics.h"
#include "test/pagemap/faults.h"
#include "test/pagemap/rig.h"

/* The first errors of the table, none of which needs memory. Each call breaks one rule more than the next. */
TEST_CASE(memremap, errors_of_the_arguments_in_order)
{
    struct range range = rig_range(RIG_GB + 1, RIG_MB);
    struct dev_pagemap pgmap = rig_pgmap((enum memory_type)77, &range, 0);
    struct dev_pagemap_ops ops = {NULL, NULL, NULL, NULL};

    warnings_count();
    CHECK_EQ(rig_map(NULL), -EINVAL);
    CHECK_EQ(pgmap_nr_references(&pgmap), 0, "never mapped");
    pgmap.vmemmap_shift = MAX_FOLIO_ORDER + 1;
    CHECK_EQ(rig_map(&pgmap), -EINVAL, "nr_range 0");
    pgmap.nr_range = 1;
    CHECK_EQ(rig_map(&pgmap), -EINVAL, "vmemmap_shift");
    CHECK_EQ(warnings_take(), 3, "each refusal says why");
    pgmap.vmemmap_shift = 0;
    CHECK_EQ(rig_map(&pgmap), -EINVAL, "type");
    CHECK_EQ(warnings_take(), 1);

    for (unsigned i = 0; i < 2; i++) { /* PRIVATE and COHERENT */
        pgmap.type = RIG_TYPES[i];
        pgmap.ops = NULL;
        CHECK_EQ(rig_map(&pgmap), -EINVAL, "ops NULL: a crash in the kernel (latent bug L3)");
        pgmap.ops = &ops;
        ops.page_free = NULL;
        ops.migrate_to_ram = rig_migrate_to_ram;
        CHECK_EQ(rig_map(&pgmap), -EINVAL, "page_free");
        ops.page_free = rig_page_free;
        pgmap.owner = NULL;
        CHECK_EQ(rig_map(&pgmap), -EINVAL, "owner");
        pgmap.owner = &rig_owner;
    }
    pgmap.type = MEMORY_DEVICE_PRIVATE;
    ops.migrate_to_ram = NULL;
    CHECK_EQ(rig_map(&pgmap), -EINVAL, "migrate_to_ram");
    ops.migrate_to_ram = rig_migrate_to_ram;
    (void)pm_fault_arm(1);
    CHECK_EQ(rig_map(&pgmap), -ENOMEM, "the reference comes before the range, which is bad");
    CHECK_EQ(rig_map(&pgmap), -EINVAL, "the range");
    CHECK_EQ(warnings_take(), 8, "all but -ENOMEM say why");
}

TEST_CASE(memremap, errors_of_the_range_in_order)
{
    struct pagemap_memory *memory = rig_plug(4 * RIG_GB, 64 * RIG_MB);
    struct resource ram = {8 * RIG_GB, 9 * RIG_GB - 1, "System RAM", IORESOURCE_SYSTEM_RAM,
                           0,          NULL,           NULL,         NULL};
    struct range range = rig_range(4 * RIG_GB, 64 * RIG_MB);
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_GENERIC, &range, 1);

    warnings_count();
    REQUIRE_EQ(insert_resource(&iomem_resource, &ram), 0);
    REQUIRE_EQ(rig_map(&pgmap), 0);
    CHECK_EQ(rig_map(&pgmap), -EINVAL, "mapped");
    CHECK_EQ(warnings_take(), 1);
    CHECK_EQ(rig_try_map(4 * RIG_GB + 1, 8 * RIG_GB + 5), -ENOMEM, "conflict before RAM and alignment");
    CHECK_EQ(warnings_take(), 1);
    CHECK_EQ(rig_try_map(4 * RIG_GB + PAGE_SIZE, 4 * RIG_GB + 2 * PAGE_SIZE - 1), -ENOMEM,
             "of one page, too");
    CHECK_EQ(warnings_take(), 1);
    CHECK_EQ(rig_try_map(8 * RIG_GB + 1, 8 * RIG_GB + 5), -ENXIO, "RAM before alignment");
    CHECK_EQ(rig_try_map(8 * RIG_GB + 5, 8 * RIG_GB + 5), -ENXIO, "one byte of it");
    CHECK_EQ(rig_try_map(8 * RIG_GB - 1, 8 * RIG_GB), -ENXIO, "mixed");
    CHECK_EQ(rig_try_map(6 * RIG_GB, 6 * RIG_GB - 1), -EINVAL, "empty");
    CHECK_EQ(rig_try_map(7 * RIG_GB, 6 * RIG_GB), -EINVAL, "backwards");
    CHECK_EQ(rig_try_map(PHYSMEM_END - 5, PHYSMEM_END + 5), -EINVAL, "alignment before the end");
    CHECK_EQ(rig_try_map(6 * RIG_GB + 4096, 6 * RIG_GB + 2 * RIG_MB + 4095), -EINVAL, "start");
    CHECK_EQ(rig_try_map(6 * RIG_GB, 6 * RIG_GB + RIG_MB - 1), -EINVAL, "length");
    CHECK_EQ(rig_try_map(PHYSMEM_END + 1, PHYSMEM_END + 2 * RIG_MB), -ERANGE);
    CHECK_EQ(rig_try_map(PHYSMEM_END + 1 - 2 * RIG_MB, PHYSMEM_END + 2 * RIG_MB), -ERANGE);
    CHECK_EQ(rig_try_map(6 * RIG_GB, 6 * RIG_GB + 2 * RIG_MB - 1), -ENXIO, "no memory behind it");
    CHECK_EQ(rig_try_map(4 * RIG_GB + 64 * RIG_MB, 4 * RIG_GB + 66 * RIG_MB - 1), -ENXIO);
    CHECK_EQ(warnings_take(), 12, "each says why");
    CHECK(rig_finds(PHYS_PFN(4 * RIG_GB), &pgmap));
    memunmap_pages(&pgmap);
    CHECK_EQ(rig_try_map(4 * RIG_GB, 4 * RIG_GB + 66 * RIG_MB - 1), -ENXIO, "memory behind a part only");
    CHECK_EQ(rig_try_map(4 * RIG_GB, 4 * RIG_GB + 64 * RIG_MB - 1), 0);
    memunmap_pages(&pgmap);
    CHECK_EQ(warnings_take(), 2, "the refusal, and unmapped twice");
    CHECK_EQ(release_resource(&ram), 0);
    rig_unplug(memory);
}

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

/* Bug 8: a devm action that could not be added left the mapping behind. LIFO: the region goes last. */
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

/* ---- what a refusal says ---- */

static char said[256];

static void note_text(const char *message)
{
    (void)snprintf(said, sizeof said, "%s", message);
}

static void check_said(struct dev_pagemap *pgmap, int error, const char *reason)
{
    said[0] = 0;
    CHECK_EQ(rig_map(pgmap), error, "%s", reason);
    CHECK_NE(strstr(said, reason), NULL, "it said '%s', not '%s'", said, reason);
    CHECK_EQ(strstr(said, "memremap_pages(): "), said);
}

/* Two causes of one errno can be told apart, and the range is named. */
TEST_CASE(memremap, refusals_say_why)
{
    struct resource ram = {3 * RIG_GB, 4 * RIG_GB - 1, "System RAM", IORESOURCE_SYSTEM_RAM,
                           0,          NULL,           NULL,         NULL};
    struct range bad[] = {
        {4096, 8191}, {3 * RIG_GB, 3 * RIG_GB + 2 * RIG_MB - 1}, {RIG_GB, RIG_GB + 2 * RIG_MB - 1}};
    const char *reasons[] = {"range 0, 0x1000-0x1fff, misaligned", "System RAM", "no memory is plugged in"};
    const int errors[] = {-EINVAL, -ENXIO, -ENXIO};
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_PRIVATE, &bad[2], 1);
    struct dev_pagemap_ops ops = rig_ops;
    struct rig_many many = rig_many(MEMORY_DEVICE_FS_DAX, bad, 2);

    REQUIRE_EQ(insert_resource(&iomem_resource, &ram), 0);
    (void)pagemap_set_warn_fn(note_text);
    pgmap.ops = &ops;
    ops.migrate_to_ram = NULL;
    check_said(&pgmap, -EINVAL, "missing migrate_to_ram");
    ops.migrate_to_ram = rig_migrate_to_ram;
    ops.page_free = NULL;
    check_said(&pgmap, -EINVAL, "missing page_free");
    ops.page_free = rig_page_free;
    pgmap.owner = NULL;
    check_said(&pgmap, -EINVAL, "missing owner");
    pgmap.nr_range = 0;
    check_said(&pgmap, -EINVAL, "nr_range");
    for (unsigned i = 0; i < 3; i++) {
        pgmap = rig_pgmap(MEMORY_DEVICE_GENERIC, &bad[i], 1);
        check_said(&pgmap, errors[i], reasons[i]);
    }
    pgmap.flags = PGMAP_ALTMAP_VALID;
    check_said(&pgmap, -EINVAL, "altmap");
    many.pgmap.range = bad[2];
    many.pgmap.type = MEMORY_DEVICE_PRIVATE;
    check_said(&many.pgmap, -ENXIO, "range 1");
    (void)pagemap_set_warn_fn(NULL);
    CHECK_EQ(release_resource(&ram), 0);
    pagemap_barrier();
}

/* ---- one rule at a time ---- */

/* All is right but what the caller breaks: then and only then it is refused, for that reason. */
static void check_rule(struct dev_pagemap pgmap, int error, const char *reason)
{
    (void)pagemap_set_warn_fn(note_text);
    said[0] = 0;
    CHECK_EQ(rig_map(&pgmap), error, "%s", reason);
    CHECK_NE(strstr(said, reason), NULL, "it said '%s', not '%s'", said, reason);
    (void)pagemap_set_warn_fn(NULL);
    if (error == 0) {
        memunmap_pages(&pgmap);
    }
}

static void check_rules_of_allocated(enum memory_type type, const struct range *range)
{
    struct dev_pagemap pgmap = rig_pgmap(type, range, 1);
    struct dev_pagemap_ops ops = rig_ops;

    check_rule(pgmap, 0, "");
    pgmap.ops = NULL;
    check_rule(pgmap, -EINVAL,
               type == MEMORY_DEVICE_PRIVATE ? "missing migrate_to_ram" : "missing page_free");
    pgmap.ops = &ops;
    ops.page_free = NULL;
    check_rule(pgmap, -EINVAL, "missing page_free");
    ops.folio_free = rig_ops.folio_free;
    ops.page_free = rig_page_free;
    ops.migrate_to_ram = NULL;
    check_rule(pgmap, type == MEMORY_DEVICE_PRIVATE ? -EINVAL : 0,
               type == MEMORY_DEVICE_PRIVATE ? "missing migrate_to_ram" : "");
    ops.migrate_to_ram = rig_migrate_to_ram;
    pgmap.owner = NULL;
    check_rule(pgmap, -EINVAL, "missing owner");
}

TEST_CASE(memremap, one_broken_rule_of_the_arguments)
{
    struct pagemap_memory *memory = rig_plug(0, 2 * RIG_GB);
    struct range range = rig_range(0, RIG_GB);
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_GENERIC, &range, 1);

    check_rules_of_allocated(MEMORY_DEVICE_PRIVATE, &range);
    check_rules_of_allocated(MEMORY_DEVICE_COHERENT, &range);
    for (unsigned type = 2; type < RIG_NR_TYPES; type++) {
        pgmap.type = RIG_TYPES[type];
        pgmap.ops = NULL;
        pgmap.owner = NULL;
        check_rule(pgmap, 0, "");
    }
    pgmap.type = (enum memory_type)0;
    check_rule(pgmap, -EINVAL, "invalid memory type 0");
    pgmap.type = (enum memory_type)(MEMORY_DEVICE_PCI_P2PDMA + 1);
    check_rule(pgmap, -EINVAL, "invalid memory type 6");
    pgmap.type = MEMORY_DEVICE_GENERIC;
    pgmap.nr_range = 0;
    check_rule(pgmap, -EINVAL, "nr_range");
    pgmap.nr_range = 1;
    pgmap.vmemmap_shift = MAX_FOLIO_ORDER;
    check_rule(pgmap, 0, "");
    pgmap.vmemmap_shift = MAX_FOLIO_ORDER + 1;
    check_rule(pgmap, -EINVAL, "vmemmap_shift");
    rig_unplug(memory);
}

/* An altmap is for one range; its own errors are altmap_test's. */
TEST_CASE(memremap, one_broken_rule_of_several_ranges)
{
    struct pagemap_memory *memory = rig_plug(0, 256 * RIG_MB);
    struct range ranges[2] = {rig_range(0, 128 * RIG_MB), rig_range(192 * RIG_MB, 2 * RIG_MB)};

    for (unsigned nr = 1; nr <= 2; nr++) {
        struct rig_many many = rig_many(MEMORY_DEVICE_GENERIC, ranges, nr);

        for (unsigned with_altmap = 0; with_altmap < 2; with_altmap++) {
            int error = nr == 2 && with_altmap != 0 ? -EINVAL : 0;

            many.pgmap.flags = with_altmap != 0 ? PGMAP_ALTMAP_VALID : 0;
            many.pgmap.altmap = (struct vmem_altmap){.reserve = 2, .free = 1022};
            (void)pagemap_set_warn_fn(note_text);
            said[0] = 0;
            CHECK_EQ(rig_map(&many.pgmap), error, "%u ranges, altmap %u", nr, with_altmap);
            CHECK_EQ(strstr(said, "range 1") != NULL && strstr(said, "altmap") != NULL, error != 0, "%s",
                     said);
            (void)pagemap_set_warn_fn(NULL);
            if (error == 0) {
                memunmap_pages(&many.pgmap);
            }
        }
    }
    rig_unplug(memory);
}

/* The errors of a range, each on both sides of its boundary. */
static void check_range(uint64_t start, uint64_t end, unsigned shift, int error, const char *reason)
{
    struct range range = {start, end};
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_GENERIC, &range, 1);

    pgmap.vmemmap_shift = shift;
    check_rule(pgmap, error, reason);
}

TEST_CASE(memremap, one_broken_rule_of_the_range)
{
    const uint64_t step = SUBSECTION_SIZE, top = PHYSMEM_END + 1 - 64 * RIG_MB;
    struct pagemap_memory *memory = rig_plug(RIG_GB, 64 * RIG_MB), *highest = rig_plug(top, 64 * RIG_MB);
    struct resource ram = {RIG_GB + 16 * RIG_MB,
                           RIG_GB + 18 * RIG_MB - 1,
                           "System RAM",
                           IORESOURCE_SYSTEM_RAM,
                           0,
                           NULL,
                           NULL,
                           NULL};

    REQUIRE_EQ(insert_resource(&iomem_resource, &ram), 0);
    check_range(RIG_GB, RIG_GB + step - 1, 0, 0, "");
    check_range(RIG_GB + step, RIG_GB + 3 * step - 1, 0, 0, "");
    check_range(RIG_GB + PAGE_SIZE, RIG_GB + PAGE_SIZE + step - 1, 0, -EINVAL, "misaligned");
    check_range(RIG_GB, RIG_GB + step - 1 + PAGE_SIZE, 0, -EINVAL, "misaligned");
    check_range(RIG_GB, RIG_GB + step, 0, -EINVAL, "misaligned");
    check_range(RIG_GB, RIG_GB - 1, 0, -EINVAL, "ends before it starts");
    check_range(3 * RIG_GB, 2 * RIG_GB - 1, 0, -EINVAL, "ends before it starts");
    check_range(0, UINT64_MAX, 0, -EINVAL, "is all there is");
    check_range(RIG_GB, RIG_GB, 0, -EINVAL, "misaligned");
    check_range(RIG_GB, RIG_GB + 2 * step - 1, 10, 0, "");
    check_range(RIG_GB + step, RIG_GB + 3 * step - 1, 10, -EINVAL, "misaligned");
    check_range(RIG_GB, RIG_GB + 3 * step - 1, 10, -EINVAL, "misaligned");
    check_range(ram.start - step, ram.start - 1, 0, 0, "");
    check_range(ram.start - step, ram.start + step - 1, 0, -ENXIO, "System RAM");
    check_range(ram.end + 1, ram.end + step, 0, 0, "");
    check_range(ram.end + 1 - step, ram.end + step, 0, -ENXIO, "System RAM");
    check_range(RIG_GB + 62 * RIG_MB, RIG_GB + 64 * RIG_MB - 1, 0, 0, "");
    check_range(RIG_GB + 62 * RIG_MB, RIG_GB + 66 * RIG_MB - 1, 0, -ENXIO, "no memory");
    check_range(RIG_GB - 2 * RIG_MB, RIG_GB + 2 * RIG_MB - 1, 0, -ENXIO, "no memory");
    check_range(top, PHYSMEM_END, 0, 0, "");
    check_range(top, PHYSMEM_END + step, 0, -ERANGE, "PHYSMEM_END");
    CHECK_EQ(release_resource(&ram), 0);
    rig_unplug(memory);
    rig_unplug(highest);
}

/* ---- many ranges, in any order ---- */

enum { RANGES = 1024 };

/* Each pfn at the edge of each range is told apart from its neighbours outside. */
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
