// SPDX-License-Identifier: BSD-2-Clause
/*
 * Of whom a pfn is and where: both sides of each end of ranges in any order, with and without an altmap, and what each
 * lookup says of it. Who only watches is not counted, and what was never touched is not looked at.
 */
#define _GNU_SOURCE /* sched_getcpu */
#include <errno.h>
#include <string.h>

#include "pagemap/page/busy.h"
#include "pagemap/page/marks.h"
#include "pagemap/page/page.h"
#include "pagemap/page/watch.h"
#include "pagemap/statistics.h"
#include "pagemap/vmemmap/touched.h"
#include "test/pagemap/allocated.h"
#include "test/pagemap/faults.h"
#include "test/pagemap/file_rig.h"

enum { RANGES = 3 };

static struct rig_many many;
static const struct range *given; /* its ranges */

static int number_of(uint64_t pfn)
{
    for (unsigned i = 0; i < many.pgmap.nr_range; i++) {
        if (PFN_PHYS(pfn) >= given[i].start && PFN_PHYS(pfn) <= given[i].end) {
            return (int)i;
        }
    }
    return -1;
}

/* `metadata`: at the start of the first range, pages that are none. */
static void check_pfn(uint64_t pfn, uint64_t metadata)
{
    const int number = number_of(pfn);
    const uint64_t first = number < 0 ? 0 : PHYS_PFN(given[number].start);
    const bool is_page = number > 0 || (number == 0 && pfn - first >= metadata);
    struct page *page = pfn_to_page(pfn), *got;

    CHECK_EQ(pm_range_of(&many.pgmap, pfn), number, "pfn %#lx", (unsigned long)pfn);
    CHECK_EQ(pgmap_pfn_valid(&many.pgmap, pfn), is_page, "pfn %#lx", (unsigned long)pfn);
    CHECK(rig_finds(pfn, number < 0 ? NULL : &many.pgmap));
    CHECK_EQ(pm_find(pfn), number < 0 ? NULL : &many.pgmap);
    CHECK_EQ(page_pgmap(page), is_page ? &many.pgmap : NULL, "pfn %#lx", (unsigned long)pfn);
    CHECK_EQ(page_address(page),
             is_page ? (char *)page_address(pfn_to_page(first + metadata * (number == 0))) +
                           (pfn - first - metadata * (number == 0)) * PAGE_SIZE
                     : NULL,
             "pfn %#lx", (unsigned long)pfn);
    got = pagemap_get_page(pfn);
    CHECK_EQ(got, is_page ? page : NULL, "pfn %#lx", (unsigned long)pfn);
    CHECK_EQ(page_count(page), is_page ? 2 : 0);
    if (got != NULL) {
        put_page(got);
    }
    CHECK_EQ(zone_device_page_init(page), is_page ? 0 : -ENODEV);
    if (is_page) {
        unlock_page(page);
        put_page(page);
    }
    CHECK_EQ(pgmap_nr_references(&many.pgmap), 0, "pfn %#lx", (unsigned long)pfn);
}

/* A reference that is handed in is kept for a pfn of the same device, and put for any other. */
static void check_handed_in(uint64_t pfn)
{
    const bool is_its = number_of(pfn) >= 0;
    struct dev_pagemap *got = get_dev_pagemap(PHYS_PFN(given[0].start), NULL);

    REQUIRE_EQ(got, &many.pgmap);
    got = get_dev_pagemap(pfn, got);
    CHECK_EQ(got, is_its ? &many.pgmap : NULL);
    CHECK_EQ(pgmap_nr_references(&many.pgmap), is_its);
    put_dev_pagemap(got);
    CHECK_EQ(pgmap_nr_references(&many.pgmap), 0);
}

/* Of a device that dies it is the only one to be had: it is kept, not got anew. */
static void check_handed_in_at_the_end(void)
{
    struct dev_pagemap *got = get_dev_pagemap(PHYS_PFN(given[0].start), NULL);

    REQUIRE_EQ(kill_dev_pagemap(&many.pgmap), 0);
    for (unsigned i = 0; i < many.pgmap.nr_range; i++) {
        CHECK_EQ(get_dev_pagemap(PHYS_PFN(given[i].end), got), &many.pgmap, "range %u", i);
        CHECK_EQ(pgmap_nr_references(&many.pgmap), 1);
    }
    CHECK_EQ(get_dev_pagemap(PHYS_PFN(given[0].start), NULL), NULL);
    CHECK_EQ(get_dev_pagemap(1, got), NULL);
    CHECK_EQ(pgmap_nr_references(&many.pgmap), 0);
}

/* A cursor over exactly a range, and over one byte of it, has it, once. */
static void check_cursor(const struct range *range)
{
    const struct range asked[] = {*range,
                                  {range->start, range->start},
                                  {range->end, range->end},
                                  {range->start + PAGE_SIZE, range->end - PAGE_SIZE}};
    struct pagemap_cursor cursor;
    struct pagemap_entry entry;

    for (unsigned i = 0; i < sizeof asked / sizeof *asked; i++) {
        memset(&entry, 0xff, sizeof entry);
        pagemap_cursor_init(&cursor, asked[i].start, asked[i].end);
        CHECK_EQ(pagemap_cursor_next(&cursor, &entry, sizeof entry), 0);
        CHECK_EQ(entry.pgmap, &many.pgmap);
        CHECK_EQ(entry.start, range->start);
        CHECK_EQ(entry.end, range->end);
        CHECK_EQ(entry.range, (unsigned)number_of(PHYS_PFN(range->start)));
        for (unsigned again = 0; again < 2; again++) {
            CHECK_EQ(pagemap_cursor_next(&cursor, &entry, sizeof entry), -ENOENT, "%u", i);
        }
        CHECK_EQ(entry.end, range->end, "left as it was");
    }
}

static void check_ranges(const struct range *ranges, unsigned nr, uint64_t metadata)
{
    many = rig_many(MEMORY_DEVICE_GENERIC, ranges, nr);
    given = ranges;
    if (metadata > 0) {
        many.pgmap.flags = PGMAP_ALTMAP_VALID;
        many.pgmap.altmap =
            (struct vmem_altmap){.base_pfn = PHYS_PFN(ranges[0].start), .reserve = 8, .free = metadata - 8};
    }
    REQUIRE_EQ(rig_map(&many.pgmap), 0);
    for (unsigned i = 0; i < nr; i++) {
        check_cursor(&ranges[i]);
    }
    for (unsigned i = 0; i < nr; i++) {
        const uint64_t first = PHYS_PFN(ranges[i].start), last = PHYS_PFN(ranges[i].end);
        const uint64_t pfns[] = {first - 1,        first,    first + 1, first + metadata - 1,
                                 first + metadata, last - 1, last,      last + 1};

        for (unsigned k = 0; k < sizeof pfns / sizeof *pfns; k++) {
            check_pfn(pfns[k], metadata);
            check_handed_in(pfns[k]);
        }
    }
    check_handed_in_at_the_end();
    CHECK_EQ(memunmap_pages(&many.pgmap), 0);
}

TEST_CASE(page_lookup, both_sides_of_each_end)
{
    const struct range ranges[RANGES] = {rig_range(16 * RIG_MB, 4 * RIG_MB),
                                         rig_range(2 * RIG_MB, 2 * RIG_MB),
                                         rig_range(20 * RIG_MB, 6 * RIG_MB)};
    struct pagemap_memory *memory = rig_plug(0, 64 * RIG_MB);

    warnings_count();
    for (unsigned nr = 1; nr <= RANGES; nr++) {
        check_ranges(ranges, nr, 0);
    }
    check_ranges(ranges, 1, 64);
    CHECK_EQ(warnings_take(), 0);
    rig_unplug(memory);
}

/* ---- what a dev_pagemap is given when it is mapped ---- */

static void check_mapped(unsigned nr)
{
    struct dev_pagemap *pgmap = calloc(1, sizeof *pgmap + nr * sizeof(struct range));
    struct range *ranges = (struct range *)(void *)((char *)pgmap + offsetof(struct dev_pagemap, range));
    struct pm_mapped *mapped;
    unsigned seen = 0;

    pgmap->nr_range = nr;
    for (unsigned i = 0; i < nr; i++) {
        ranges[i] = rig_range((i * 5 + 3) % 9 * RIG_GB, 2 * RIG_MB);
    }
    (void)pm_fault_arm(1);
    CHECK_EQ(pm_mapped_alloc(pgmap), NULL);
    allocated_count();
    mapped = pm_mapped_alloc(pgmap);
    (void)allocated_stop();
    REQUIRE_NE(mapped, NULL);
    CHECK(!ALLOCATED_WORKS ||
          allocated.bytes == sizeof *mapped + nr * (sizeof mapped->range[0] + sizeof *mapped->by_start));
    CHECK_EQ(mapped->drained_fd, -1);
    CHECK_EQ(mapped->watchers, 0u);
    CHECK_EQ((char *)mapped->by_start, (char *)mapped + sizeof *mapped + nr * sizeof mapped->range[0]);
    for (unsigned i = 0; i < nr; i++) {
        seen |= 1U << mapped->by_start[i];
        CHECK(i == 0 || ranges[mapped->by_start[i - 1]].start < ranges[mapped->by_start[i]].start);
    }
    CHECK_EQ(seen, (1U << nr) - 1);
    free(mapped);
    free(pgmap);
}

TEST_CASE(page_lookup, ranges_in_order)
{
    for (unsigned nr = 1; nr <= 8; nr++) {
        check_mapped(nr);
    }
}

/* ---- who counts ---- */

TEST_CASE(page_lookup, who_watches_does_not_count)
{
    struct dev_pagemap never = {.nr_range = 1};
    struct file_rig rig;
    struct page *page;

    CHECK_EQ(pgmap_nr_references(&never), 0);
    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    page = pagemap_get_page(9);
    for (unsigned i = 0; i < 3; i++) {
        CHECK_EQ(pm_nr_held(&rig.pgmap), 1);
        CHECK_EQ(pgmap_nr_references(&rig.pgmap), 1 + i);
        CHECK(pm_watch(&rig.pgmap));
    }
    CHECK_EQ(kill_dev_pagemap(&rig.pgmap), 0);
    CHECK_EQ(pm_nr_held(&rig.pgmap), 1);
    CHECK_EQ(pm_hold(9), &rig.pgmap, "it is there while anybody has a reference");
    CHECK_EQ(pm_nr_held(&rig.pgmap), 2);
    put_dev_pagemap(&rig.pgmap);
    put_page(page);
    for (unsigned i = 3; i > 0; i--) {
        CHECK_EQ(pgmap_nr_references(&rig.pgmap), i);
        CHECK_EQ(pm_nr_held(&rig.pgmap), 0);
        pm_unwatch(&rig.pgmap);
    }
    CHECK_EQ(pgmap_nr_references(&rig.pgmap), 0, "its own is not counted");
    CHECK_EQ(memunmap_pages(&rig.pgmap), 0);
    CHECK_EQ(pgmap_nr_references(&rig.pgmap), 0);
    REQUIRE_EQ(rig_map(&rig.pgmap), 0);
    file_rig_tear_down(&rig);
}

/* ---- what is not looked at ---- */

/* In a sparse altmap a look at a struct page is memory of the device. */
TEST_CASE(page_lookup, searches_populate_nothing)
{
    const uint64_t bytes = 256 * RIG_MB, last = PHYS_PFN(bytes) - 1;
    struct range range = rig_range(0, bytes);
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_FS_DAX, &range, 1);
    struct pagemap_memory *memory = rig_plug(0, bytes);
    const uint64_t touched[] = {6400, 6463, 12800, 20000 | 63};
    uint64_t resident;

    pgmap.flags = PGMAP_ALTMAP_VALID;
    pgmap.altmap = (struct vmem_altmap){.free = 2048};
    REQUIRE_EQ(rig_map(&pgmap), 0);
    for (unsigned i = 0; i < sizeof touched / sizeof *touched; i++) {
        put_page(pagemap_get_page(touched[i]));
    }
    REQUIRE(pm_poison_mark(pfn_to_page(12800), true));
    resident = pagemap_memory_resident(memory);
    CHECK_EQ(resident, 3 * PAGE_SIZE);
    for (uint64_t first = 6390; first < 6470; first++) {
        CHECK_EQ(pm_next_busy(&pgmap, first, last), UINT64_MAX);
        CHECK_EQ(pm_poison_next(first, last), 12800);
    }
    CHECK_EQ(pm_poison_next(12801, last), UINT64_MAX);
    CHECK_EQ(pagemap_memory_resident(memory), resident);
    CHECK_EQ(memunmap_pages(&pgmap), 0);
    rig_unplug(memory);
}

/* While nothing is poisoned, no mark is looked for, however it came to that. */
TEST_CASE(page_lookup, nothing_is_poisoned)
{
    struct file_rig rig;
    uint64_t *marks;

    file_rig_set_up(&rig, MEMORY_DEVICE_FS_DAX);
    pagemap_fill_pages(&rig.pgmap, 0, 1023);
    CHECK(pm_poison_mark(pfn_to_page(5), true));
    CHECK(pm_poison_mark(pfn_to_page(70), true));
    CHECK(pm_poison_mark(pfn_to_page(500), true));
    CHECK(pm_poison_mark(pfn_to_page(70), false));
    CHECK_EQ(pm_poison_next(6, 1023), 500);
    pm_poison_forget(0, 499);
    CHECK_EQ(pm_poison_next(0, 1023), 500);
    pm_poison_forget(500, 500);
    for (uint64_t pfn = 0; pfn < 1024; pfn++) {
        CHECK(!PageHWPoison(pfn_to_page(pfn)));
    }
    marks = pm_touched;
    pm_touched = NULL;
    CHECK_EQ(pm_poison_next(0, 1023), UINT64_MAX);
    pm_touched = marks;
    file_rig_tear_down(&rig);
}
