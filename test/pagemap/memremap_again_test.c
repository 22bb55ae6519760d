// SPDX-License-Identifier: BSD-2-Clause
/*
 * Mapping and unmapping that fail halfway, and are done again: for want of memory, or as another device came between.
 * Linked so that the library's updates of its maps come by here (BUILD).
 */
#define _GNU_SOURCE /* sched_getcpu */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "pagemap/page/mapped.h"
#include "rangemap/rangemap.h"
#include "test/pagemap/faults.h"
#include "test/pagemap/file_rig.h"

#define BYTES (2 * RIG_MB)

__typeof__(rangemap_reserve) real_reserve __asm__("__real_rangemap_reserve");
__typeof__(rangemap_insert) real_insert __asm__("__real_rangemap_insert");
__typeof__(rangemap_reserve) wrapped_reserve __asm__("__wrap_rangemap_reserve");
__typeof__(rangemap_insert) wrapped_insert __asm__("__wrap_rangemap_insert");

static unsigned reserves, last_reserved;
static int reserve_error;        /* that so many calls return, from the next one on */
static unsigned reserve_refused; /* how many */

int wrapped_reserve(struct rangemap *map, unsigned updates)
{
    if (map != pm_index_get()) {
        return real_reserve(map, updates);
    }
    reserves++;
    last_reserved = updates;
    if (reserve_refused > 0) {
        reserve_refused--;
        return reserve_error;
    }
    return real_reserve(map, updates);
}

static void (*before_insert)(void);

int wrapped_insert(struct rangemap *map, uint64_t start, uint64_t last, void *value,
                   struct rangemap_entry *conflict)
{
    void (*call)(void) = before_insert;

    before_insert = NULL;
    if (call != NULL && map == pm_index_get()) {
        call();
    }
    return real_insert(map, start, last, value, conflict);
}

static struct range ranges[3];
static struct pagemap_memory *memory;
static struct rig_many many;
static char said[256];

static void note(const char *message)
{
    (void)snprintf(said, sizeof said, "%s", message);
    warnings_note(message);
}

static void set_up(unsigned nr)
{
    warnings_count();
    (void)pagemap_set_warn_fn(note);
    for (unsigned i = 0; i < 3; i++) {
        ranges[i] = rig_range(2 * i * BYTES, BYTES);
    }
    memory = rig_plug(0, 6 * BYTES);
    many = rig_many(MEMORY_DEVICE_GENERIC, ranges, nr);
    said[0] = 0;
}

static void tear_down(void)
{
    rig_unplug(memory);
    CHECK_EQ(warnings_take(), 0);
}

/* ---- memory for updates ---- */

/* Two for each range, before any is made; one for each before any is taken away. */
TEST_CASE(memremap_again, updates_are_reserved)
{
    for (unsigned nr = 1; nr <= 3; nr++) {
        set_up(nr);
        REQUIRE_EQ(rig_map(&many.pgmap), 0); /* which makes the index */
        CHECK_EQ(memunmap_pages(&many.pgmap), 0);
        reserves = 0;
        REQUIRE_EQ(rig_map(&many.pgmap), 0);
        CHECK_EQ(reserves, 1u);
        CHECK_EQ(last_reserved, 2 * nr);
        CHECK_EQ(memunmap_pages(&many.pgmap), 0);
        CHECK_EQ(reserves, 2u);
        CHECK_EQ(last_reserved, nr);
        tear_down();
    }
}

/* Refused once it is asked for again; else the device stays, and is unmapped later. */
TEST_CASE(memremap_again, updates_that_are_refused)
{
    static const struct {
        int error;
        unsigned refused, reserves;
        int result;
    } cases[] = {{-ENOMEM, 1, 2, 0}, {-ENOMEM, 2, 2, -ENOMEM}, {-EINVAL, 1, 1, -EINVAL}};

    set_up(2);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        REQUIRE_EQ(rig_map(&many.pgmap), 0);
        reserves = 0;
        reserve_error = cases[i].error;
        reserve_refused = cases[i].refused;
        CHECK_EQ(memunmap_pages(&many.pgmap), cases[i].result, "case %zu", i);
        CHECK_EQ(reserves, cases[i].reserves, "case %zu", i);
        CHECK_EQ(reserve_refused, 0u);
        if (cases[i].result != 0) {
            CHECK_EQ(warnings_take(), 1, "case %zu", i);
            CHECK_EQ(pagemap_memory_unplug(memory), -EBUSY);
            CHECK_EQ(memunmap_pages(&many.pgmap), 0);
        }
        CHECK_EQ(warnings_take(), 0, "case %zu", i);
        reserve_error = -ENOMEM;
        reserve_refused = 1;
        CHECK_EQ(rig_map(&many.pgmap), -ENOMEM);
        CHECK_EQ(many.pgmap._mapped, NULL);
    }
    tear_down();
}

/* Its struct pages are in the device as long as it is there: no block of them is lost. */
TEST_CASE(memremap_again, an_altmap_that_stays)
{
    set_up(1);
    many.pgmap.flags = PGMAP_ALTMAP_VALID;
    many.pgmap.altmap = (struct vmem_altmap){.free = 200};
    REQUIRE_EQ(rig_map(&many.pgmap), 0);
    reserve_error = -ENOMEM;
    reserve_refused = 2;
    CHECK_EQ(memunmap_pages(&many.pgmap), -ENOMEM);
    CHECK_EQ(warnings_take(), 1, "that it stays");
    CHECK_STR_EQ(said, "a device could not be unmapped: no mappings or no memory left");
    CHECK_GT(many.pgmap.altmap.alloc, 0);
    many.pgmap.altmap.alloc++; /* one that is not given back */
    CHECK_EQ(memunmap_pages(&many.pgmap), 0);
    CHECK_EQ(warnings_take(), 1);
    CHECK_STR_EQ(said, "memunmap_pages(): the altmap still has blocks");
    tear_down();
}

/* ---- another device that comes between ---- */

static struct dev_pagemap other;

static void map_other(void)
{
    REQUIRE_EQ(rig_map(&other), 0);
}

static void map_and_kill_other(void)
{
    map_other();
    REQUIRE_EQ(kill_dev_pagemap(&other), 0);
}

static void check_between(void (*call)(void), int error, const char *reason)
{
    set_up(2);
    other = rig_pgmap(MEMORY_DEVICE_GENERIC, &ranges[1], 1);
    REQUIRE_EQ(rig_map(&many.pgmap), 0);
    CHECK_EQ(memunmap_pages(&many.pgmap), 0);
    many.pgmap.nr_range = 1;
    many.pgmap.range = ranges[1];
    before_insert = call;
    CHECK_EQ(rig_map(&many.pgmap), error, "%s", reason);
    CHECK_NE(strstr(said, reason), NULL, "%s", said);
    CHECK_EQ(warnings_take(), 1);
    CHECK(rig_finds(PHYS_PFN(ranges[1].start), error == -ENOMEM ? &other : NULL));
    CHECK_EQ(memunmap_pages(&other), 0);
    CHECK_EQ(rig_map(&many.pgmap), 0);
    CHECK_EQ(memunmap_pages(&many.pgmap), 0);
    tear_down();
}

TEST_CASE(memremap_again, a_device_that_comes_between)
{
    check_between(map_other, -ENOMEM, "conflicting mapping in the same range");
    check_between(map_and_kill_other, -EEXIST, "overlaps a device that is being torn down");
}

/* ---- halfway ---- */

static struct pagemap_statistics stats(void)
{
    struct pagemap_statistics statistics;

    REQUIRE_EQ(pagemap_stats(&statistics, sizeof statistics), 0);
    return statistics;
}

/* Whether its first range can be another device's. */
static bool first_range_is_free(void)
{
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_GENERIC, &ranges[0], 1);
    int error = rig_map(&pgmap);

    if (error == 0) {
        CHECK_EQ(memunmap_pages(&pgmap), 0);
    }
    (void)warnings_take();
    return error == 0;
}

/* What was given back is another's now: the second call leaves it alone. */
static void unmap_around(void)
{
    const uint64_t pfn = PHYS_PFN(ranges[0].start) + 5;

    other = rig_pgmap(MEMORY_DEVICE_GENERIC, &ranges[0], 1);
    map_other();
    REQUIRE_EQ(pagemap_get_page(pfn), pfn_to_page(pfn));
    memset(page_address(pfn_to_page(pfn)), 7, PAGE_SIZE);
    CHECK_EQ(memunmap_pages(&many.pgmap), 0);
    CHECK(rig_finds(pfn, &other));
    CHECK_EQ(page_count(pfn_to_page(pfn)), 2);
    CHECK_EQ(((char *)page_address(pfn_to_page(pfn)))[9], 7);
    put_page(pfn_to_page(pfn));
    CHECK_EQ(pagemap_memory_unplug(memory), -EBUSY);
    CHECK_EQ(memunmap_pages(&other), 0);
}

/* Each step of an unmapping fails once. */
TEST_CASE(memremap_again, unmapping_that_fails_halfway)
{
    unsigned failed = 0, halfway = 0;
    int error = -1;

    set_up(2);
    for (unsigned step = 1; error != 0; step++) {
        uint64_t now = stats().devices_now;

        REQUIRE_EQ(rig_map(&many.pgmap), 0);
        CHECK_EQ(stats().devices_now, now + 1);
        (void)pm_fault_arm(step);
        error = memunmap_pages(&many.pgmap);
        if (pm_fault_arm(0) != 0) {
            break;
        }
        if (error != 0) {
            CHECK_EQ(error, -ENOMEM);
            CHECK_EQ(warnings_take(), 1, "step %u", step);
            CHECK_EQ(stats().devices_now, now + 1, "step %u", step);
            failed++;
            if (first_range_is_free()) {
                halfway++;
                unmap_around();
            } else {
                CHECK_EQ(memunmap_pages(&many.pgmap), 0, "step %u", step);
            }
        }
        CHECK_EQ(stats().devices_now, now);
        error = -1;
    }
    CHECK_GE(failed, 2u);
    CHECK_GE(halfway, 1u);
    tear_down();
}

/* Struct pages in the device that cannot be hidden keep it, whatever else is refused from some step on. */
TEST_CASE(memremap_again, an_altmap_that_cannot_be_hidden)
{
    unsigned failed = 0;

    set_up(1);
    many.pgmap.flags = PGMAP_ALTMAP_VALID;
    many.pgmap.altmap = (struct vmem_altmap){.free = 200};
    for (unsigned step = 1;; step++) {
        int error;

        REQUIRE_EQ(rig_map(&many.pgmap), 0);
        pm_fault_arm_from(step);
        error = memunmap_pages(&many.pgmap);
        (void)pm_fault_arm(0);
        if (error == 0) {
            break;
        }
        failed++;
        CHECK_EQ(error, -ENOMEM, "step %u", step);
        CHECK_EQ(warnings_take(), 1, "step %u", step);
        CHECK_EQ(memunmap_pages(&many.pgmap), 0, "step %u", step);
    }
    CHECK_GE(failed, 2u);
    tear_down();
}

/* A mapping that fails, and then cannot be undone: it is there until it is unmapped. */
TEST_CASE(memremap_again, mapping_that_cannot_be_undone)
{
    unsigned stuck = 0;

    set_up(2);
    for (unsigned step = 1;; step++) {
        struct pagemap_statistics before = stats(), after;
        int error;

        pm_fault_arm_from(step);
        error = rig_map(&many.pgmap);
        (void)pm_fault_arm(0);
        after = stats();
        if (error == 0) {
            break;
        }
        CHECK_EQ(error, -ENOMEM, "step %u", step);
        CHECK_EQ(after.devices_refused, before.devices_refused + 1);
        CHECK(rig_finds(PHYS_PFN(ranges[0].start), NULL));
        if (many.pgmap._mapped != NULL) {
            CHECK_EQ(after.devices_now, before.devices_now + 1, "step %u", step);
            CHECK_EQ(warnings_take(), 1);
            CHECK_EQ(memunmap_pages(&many.pgmap), 0, "step %u", step);
            stuck++;
        }
        CHECK_EQ(stats().devices_now, before.devices_now, "step %u", step);
        CHECK_EQ(warnings_take(), 0, "step %u", step);
    }
    CHECK_GE(stuck, 1u);
    CHECK_EQ(memunmap_pages(&many.pgmap), 0);
    tear_down();
}
