// SPDX-License-Identifier: BSD-2-Clause
/* Both sides of the bounds of what goes into files, leaves them and is waited for there; which pages take part. */
#include <errno.h>

#include "pagemap/mapping/mapping.h"
#include "test/pagemap/child.h"
#include "test/pagemap/file_rig.h"
#include "test/pagemap/recorder.h"

enum { PAGES = 16 };

static struct file_rig rig;

static void set_up(enum memory_type type)
{
    file_rig_set_up(&rig, type);
    if (type != MEMORY_DEVICE_COHERENT) {
        REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, PAGES), 0);
    }
}

/* ---- what goes in ---- */

TEST_CASE(file_edges, up_to_the_end_of_files_and_of_memory)
{
    static const struct {
        uint64_t index, pfn, nr_pages;
        int error;
    } rows[] = {
        {0, PM_INDEX_END - 1, 1, -ENXIO},
        {0, PM_INDEX_END, 1, -EINVAL},
        {0, PM_INDEX_END - 2, 2, -ENXIO},
        {0, PM_INDEX_END - 1, 2, -EINVAL},
        {PM_INDEX_END - 1, PM_INDEX_END - 1, 1, -ENXIO},
        {PM_INDEX_END, 100, 1, -EINVAL},
        {PM_INDEX_END - 1, 100, 2, -EINVAL},
        {0, 0, PM_INDEX_END, -ENXIO},
        {0, 0, PM_INDEX_END + 1, -EINVAL},
        {0, 0, UINT64_MAX, -EINVAL},
        {100, 100, 0, -EINVAL},
        {PM_INDEX_END - 1, 100, 1, 0},
        {PM_INDEX_END - 3, 101, 2, 0},
    };

    set_up(MEMORY_DEVICE_GENERIC);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CHECK_EQ(filemap_add_pages(&rig.file, rows[i].index, rows[i].pfn, rows[i].nr_pages), rows[i].error,
                 "row %zu", i);
    }
    CHECK_EQ(mapping_nr_pages(&rig.file), PAGES + 3);
    file_rig_tear_down(&rig);
}

/* Two ranges of one device that touch: pages of both do not go in together. */
TEST_CASE(file_edges, pages_of_one_range)
{
    struct range ranges[2] = {rig_range(RIG_GB, 2 * RIG_MB), rig_range(RIG_GB + 2 * RIG_MB, 2 * RIG_MB)};
    struct pagemap_memory *memory = rig_plug(RIG_GB, 4 * RIG_MB);
    struct rig_many many = rig_many(MEMORY_DEVICE_GENERIC, ranges, 2);
    const uint64_t second = PHYS_PFN(ranges[1].start);

    set_up(MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(rig_map(&many.pgmap), 0);
    CHECK_EQ(filemap_add_pages(&rig.file, 100, second - 1, 2), -ENXIO);
    CHECK_EQ(filemap_add_pages(&rig.file, 100, second - 2, 2), 0);
    CHECK_EQ(filemap_add_pages(&rig.file, 102, second, 2), 0);
    CHECK_EQ(truncate_inode_pages(&rig.file, 100 * PAGE_SIZE), 0);
    CHECK_EQ(pgmap_nr_references(&many.pgmap), 0u);
    CHECK_EQ(memunmap_pages(&many.pgmap), 0);
    rig_unplug(memory);
    file_rig_tear_down(&rig);
}

/* What holds struct pages, or an information block, is no page: not to go in, nor in the place of another. */
TEST_CASE(file_edges, pages_that_are_none)
{
    enum { FIRST = 64 };
    struct range range = rig_range(RIG_GB, 8 * RIG_MB);
    struct pagemap_memory *memory = rig_plug(RIG_GB, 8 * RIG_MB);
    struct dev_pagemap device = rig_pgmap(MEMORY_DEVICE_GENERIC, &range, 1);
    const uint64_t pfn = PHYS_PFN(RIG_GB);

    set_up(MEMORY_DEVICE_GENERIC);
    device.flags = PGMAP_ALTMAP_VALID;
    device.altmap = (struct vmem_altmap){.base_pfn = pfn, .reserve = 2, .free = FIRST - 2};
    REQUIRE_EQ(rig_map(&device), 0);
    CHECK_EQ(filemap_add_pages(&rig.file, 100, pfn, 1), -ENXIO);
    CHECK_EQ(filemap_add_pages(&rig.file, 100, pfn + FIRST - 1, 2), -ENXIO);
    CHECK_EQ(filemap_replace_page(&rig.file, 0, pfn_to_page(0), pfn_to_page(pfn + FIRST - 1)), -ENXIO);
    CHECK_EQ(filemap_add_pages(&rig.file, 100, pfn + FIRST, 2), 0);
    CHECK_EQ(filemap_replace_page(&rig.file, 0, pfn_to_page(0), pfn_to_page(pfn + FIRST + 2)), 0);
    CHECK_EQ(truncate_inode_pages(&rig.file, 0), 0);
    CHECK_EQ(pgmap_nr_references(&device), 0u);
    CHECK_EQ(memunmap_pages(&device), 0);
    rig_unplug(memory);
    file_rig_tear_down(&rig);
}

/* Compound pages from two pages on: a reference for each that is in the file. */
TEST_CASE(file_edges, small_compound_pages)
{
    for (unsigned shift = 1; shift <= 3; shift++) {
        const uint64_t nr = UINT64_C(1) << shift;

        file_rig_set_up(&rig, MEMORY_DEVICE_COHERENT);
        REQUIRE_EQ(memunmap_pages(&rig.pgmap), 0);
        rig.pgmap.vmemmap_shift = shift;
        REQUIRE_EQ(rig_map(&rig.pgmap), 0);
        rig_freed = 0;
        for (uint64_t pfn = 8; pfn < 16; pfn += nr) {
            REQUIRE_EQ(zone_device_page_init(pfn_to_page(pfn)), 0);
            unlock_page(pfn_to_page(pfn));
        }
        REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 8, 8), 0);
        for (uint64_t pfn = 8; pfn < 16; pfn += nr) {
            CHECK_EQ(page_count(pfn_to_page(pfn)), (int)nr);
        }
        CHECK_EQ(truncate_inode_pages_range(&rig.file, 0, PAGE_SIZE - 1), 0);
        CHECK_EQ(page_count(pfn_to_page(8)), (int)nr - 1);
        CHECK_EQ(truncate_inode_pages(&rig.file, 0), 0);
        CHECK_EQ(rig_freed, 8 / nr);
        file_rig_tear_down(&rig);
    }
}

/* Of private memory a file has pages, but its views show nothing: those that are there, and those that come. */
TEST_CASE(file_edges, private_pages_are_not_shown)
{
    char *views[2];

    file_rig_set_up(&rig, MEMORY_DEVICE_PRIVATE);
    for (uint64_t pfn = 8; pfn < 12; pfn++) {
        REQUIRE_EQ(zone_device_page_init(pfn_to_page(pfn)), 0);
        unlock_page(pfn_to_page(pfn));
    }
    views[0] = file_rig_view(&rig, 0, 4);
    CHECK_EQ(filemap_add_pages(&rig.file, 0, 8, 4), 0);
    views[1] = file_rig_view(&rig, 0, 4);
    CHECK_EQ(map_mapping_range(&rig.file, 0, 0), 0);
    for (unsigned i = 0; i < 2; i++) {
        CHECK_EQ(touch_read(views[i] + PAGE_SIZE, NULL), SIGBUS);
        CHECK_EQ(vm_munmap(views[i], 4 * PAGE_SIZE), 0);
    }
    file_rig_tear_down(&rig);
}

/* One page keeps a file from being ended. */
TEST_CASE(file_edges, a_file_of_one_page)
{
    set_up(MEMORY_DEVICE_GENERIC);
    CHECK_EQ(truncate_inode_pages(&rig.file, PAGE_SIZE), 0);
    CHECK_EQ(mapping_nr_pages(&rig.file), 1u);
    CHECK_EQ(address_space_destroy(&rig.file), -EBUSY);
    file_rig_tear_down(&rig);
}

/* ---- what leaves: whole pages within the bytes ---- */

static const struct {
    uint64_t start, end;  /* inclusive */
    uint64_t first, last; /* pages that go; first > last: none */
} TAKEN[] = {
    {0, 0, 1, 0},
    {0, PAGE_SIZE - 2, 1, 0},
    {0, PAGE_SIZE - 1, 0, 0},
    {0, PAGE_SIZE, 0, 0},
    {1, PAGE_SIZE - 1, 1, 0},
    {1, 2 * PAGE_SIZE - 1, 1, 1},
    {PAGE_SIZE - 1, 2 * PAGE_SIZE - 1, 1, 1},
    {PAGE_SIZE, 2 * PAGE_SIZE - 1, 1, 1},
    {PAGE_SIZE + 1, 2 * PAGE_SIZE - 1, 1, 0},
    {3 * PAGE_SIZE, 3 * PAGE_SIZE, 1, 0},
    {2, 5 * PAGE_SIZE - 2, 1, 3},
    {15 * PAGE_SIZE, UINT64_MAX, 15, 15},
    {15 * PAGE_SIZE + 1, UINT64_MAX, 1, 0},
    {UINT64_MAX, UINT64_MAX, 1, 0},
};

static bool is_there(uint64_t index)
{
    struct page *page = find_get_page(&rig.file, index);

    if (page != NULL) {
        put_page(page);
    }
    return page != NULL;
}

TEST_CASE(file_edges, whole_pages_leave)
{
    for (size_t i = 0; i < sizeof TAKEN / sizeof *TAKEN; i++) {
        set_up(MEMORY_DEVICE_GENERIC);
        CHECK_EQ(truncate_inode_pages_range(&rig.file, TAKEN[i].start, TAKEN[i].end), 0, "row %zu", i);
        for (uint64_t index = 0; index < PAGES; index++) {
            CHECK_EQ(is_there(index), index < TAKEN[i].first || index > TAKEN[i].last, "row %zu, page %u", i,
                     (unsigned)index);
        }
        CHECK_EQ(truncate_inode_pages_range(&rig.file, 1, 0), -EINVAL);
        file_rig_tear_down(&rig);
    }
}

/* ---- what is waited for ---- */

static void truncate_all(void *file)
{
    CHECK_EQ(truncate_inode_pages(file, 0), 0);
}

/* Each of two busy pages, also of neighbours and of the last ones, whichever is let go first. */
static void check_both_are_waited_for(uint64_t one, uint64_t other)
{
    struct waiter waiter;
    struct page *held[2];

    set_up(MEMORY_DEVICE_FS_DAX);
    held[0] = find_get_page(&rig.file, one);
    held[1] = find_get_page(&rig.file, other);
    REQUIRE(held[0] != NULL && held[1] != NULL);
    waiter_start(&waiter, truncate_all, &rig.file);
    CHECK(!waiter_is_done_after(&waiter, 0));
    put_page(held[0]);
    CHECK(!waiter_is_done_after(&waiter, 500), "%u is held", (unsigned)other);
    put_page(held[1]);
    waiter_join(&waiter);
    file_rig_tear_down(&rig);
}

TEST_CASE(file_edges, truncation_waits_for_each_page)
{
    static const uint64_t pages[][2] = {{14, 15}, {15, 14}, {0, 1}, {1, 0}, {0, 15}, {15, 0}, {7, 8}};

    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        check_both_are_waited_for(pages[i][0], pages[i][1]);
    }
}

/* Taken out without waiting, while it is held. */
TEST_CASE(file_edges, removal_does_not_wait)
{
    struct page *held;

    set_up(MEMORY_DEVICE_FS_DAX);
    held = find_get_page(&rig.file, 5);
    REQUIRE_NE(held, NULL);
    (void)alarm(20); /* instead of never */
    CHECK_EQ(filemap_remove_pages(&rig.file, 0, UINT64_MAX), 0);
    (void)alarm(0);
    CHECK_EQ(mapping_nr_pages(&rig.file), 0u);
    put_page(held);
    file_rig_tear_down(&rig);
}

/* Page 5 is busy: whether it is found in these bytes. */
TEST_CASE(file_edges, busy_pages_by_bytes)
{
    static const struct {
        uint64_t start, end;
        bool is_found;
    } rows[] = {{0, 5 * PAGE_SIZE - 1, false},
                {0, 5 * PAGE_SIZE, true},
                {5 * PAGE_SIZE, 5 * PAGE_SIZE, true},
                {6 * PAGE_SIZE - 1, 6 * PAGE_SIZE - 1, true},
                {6 * PAGE_SIZE - 1, UINT64_MAX, true},
                {6 * PAGE_SIZE, UINT64_MAX, false},
                {5 * PAGE_SIZE + 1, 5 * PAGE_SIZE, false}};
    struct page *held;

    set_up(MEMORY_DEVICE_FS_DAX);
    held = find_get_page(&rig.file, 5);
    REQUIRE_NE(held, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CHECK_EQ(dax_layout_busy_page_range(&rig.file, rows[i].start, rows[i].end),
                 rows[i].is_found ? held : NULL, "row %zu", i);
        CHECK_EQ(pgmap_nr_references(&rig.pgmap), PAGES + 1, "row %zu", i);
        if (!rows[i].is_found) {
            dax_break_layout(&rig.file, rows[i].start, rows[i].end); /* does not wait */
        }
    }
    put_page(held);
    file_rig_tear_down(&rig);
}

static void break_page(void *file)
{
    dax_break_layout(file, 5 * PAGE_SIZE, 5 * PAGE_SIZE);
}

/* One byte of it is enough to wait for; allocated pages are their driver's, and not waited for. */
TEST_CASE(file_edges, layouts_are_broken_by_bytes)
{
    struct waiter waiter;
    struct page *held;

    set_up(MEMORY_DEVICE_FS_DAX);
    held = find_get_page(&rig.file, 5);
    waiter_start(&waiter, break_page, &rig.file);
    CHECK(!waiter_is_done_after(&waiter, 500));
    put_page(held);
    waiter_join(&waiter);
    file_rig_tear_down(&rig);
    set_up(MEMORY_DEVICE_COHERENT);
    REQUIRE_EQ(zone_device_page_init(pfn_to_page(5)), 0);
    unlock_page(pfn_to_page(5));
    REQUIRE_EQ(filemap_add_pages(&rig.file, 5, 5, 1), 0);
    CHECK_EQ(dax_layout_busy_page_range(&rig.file, 0, UINT64_MAX), NULL);
    break_page(&rig.file);
    file_rig_tear_down(&rig);
}
