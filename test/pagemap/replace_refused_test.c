// SPDX-License-Identifier: BSD-2-Clause
/* filemap_replace_page(): each error, after which all is as it was. */
#include <errno.h>

#include "test/pagemap/file_rig.h"

enum { PAGES = 4 };

static struct file_rig rig;

static int replace(uint64_t index, uint64_t old, uint64_t pfn)
{
    return filemap_replace_page(&rig.file, index, pfn_to_page(old), pfn_to_page(pfn));
}

static uint64_t pfn_at(const char *address)
{
    struct page *page;

    REQUIRE_EQ(get_user_pages((uintptr_t)address, 1, 0, &page), 1);
    put_page(page);
    return page_to_pfn(page);
}

TEST_CASE(replace_refused, errors_leave_all_as_it_was)
{
    struct address_space other;
    char *view;

    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, PAGES), 0);
    view = file_rig_view(&rig, 0, PAGES);
    REQUIRE_EQ(address_space_init(&other, "other", NULL), 0);
    REQUIRE_EQ(filemap_add_pages(&other, 0, 20, 1), 0);
    CHECK_EQ(replace(1, 1, 1), -EINVAL);
    CHECK_EQ(replace(UINT64_C(1) << 52, 1, 10), -EINVAL);
    CHECK_EQ(replace(1, 1, 5000), -ENXIO);
    CHECK_EQ(replace(1, 2, 10), -ESTALE);
    CHECK_EQ(replace(77, 1, 10), -ESTALE, "a hole");
    CHECK_EQ(replace(1, 1, 20), -EBUSY);
    CHECK_EQ(replace(1, 1, 2), -EBUSY);
    CHECK_EQ(filemap_add_pages(&other, 1, 21, 1), 0);
    CHECK_EQ(memory_failure(21, 0), 0);
    CHECK_EQ(truncate_inode_pages(&other, 0), 0);
    CHECK_EQ(replace(1, 1, 21), -EHWPOISON);
    CHECK_EQ(unpoison_memory(21), 0);
    CHECK_EQ(filemap_add_pages(&rig.file, 1, 30, 1), -EEXIST);
    CHECK_EQ(touch_read(view + PAGE_SIZE, NULL), 0,
             "nor does an insertion that is refused hide what is there");
    CHECK_EQ(pfn_at(view + PAGE_SIZE), 1);
    CHECK_EQ(page_index(pfn_to_page(10)), UINT64_MAX);
    CHECK_EQ(address_space_destroy(&other), 0);
    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

/* Compound pages, of two on, cannot be mapped by themselves: neither the first of one, nor another. */
TEST_CASE(replace_refused, by_a_compound_page)
{
    struct range range = rig_range(RIG_GB, 2 * RIG_MB);
    const uint64_t pfn = PHYS_PFN(RIG_GB);
    struct pagemap_memory *memory = rig_plug(RIG_GB, 2 * RIG_MB);

    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, PAGES), 0);
    for (unsigned shift = 0; shift <= 2; shift++) {
        struct dev_pagemap device = rig_pgmap(MEMORY_DEVICE_GENERIC, &range, 1);

        device.vmemmap_shift = shift;
        REQUIRE_EQ(rig_map(&device), 0);
        CHECK_EQ(replace(0, 0, pfn), shift > 0 ? -EINVAL : 0, "order %u", shift);
        CHECK_EQ(replace(1, 1, pfn + 1), shift > 0 ? -EINVAL : 0, "order %u", shift);
        CHECK_EQ(page_index(pfn_to_page(0)), shift > 0 ? 0 : UINT64_MAX);
        CHECK(shift > 0 || (replace(0, pfn, 0) == 0 && replace(1, pfn + 1, 1) == 0), "and back");
        CHECK_EQ(pgmap_nr_references(&device), 0);
        CHECK_EQ(memunmap_pages(&device), 0);
    }
    rig_unplug(memory);
    file_rig_tear_down(&rig);
}
