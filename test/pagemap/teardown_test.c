// SPDX-License-Identifier: BSD-2-Clause
/* Pages, their references, and teardown, which waits for them. */
#include <errno.h>
#include <string.h>

#include "test/pagemap/file_rig.h"

static void tear_down(void *pgmap)
{
    CHECK_EQ(memunmap_pages(pgmap), 0);
}

/* A page with one reference, however pages of this type are had. */
static struct page *hold_page(const struct dev_pagemap *pgmap, uint64_t pfn)
{
    struct page *page = pfn_to_page(pfn);

    if (pgmap->type != MEMORY_DEVICE_PRIVATE && pgmap->type != MEMORY_DEVICE_COHERENT) {
        return pagemap_get_page(pfn);
    }
    CHECK_EQ(pagemap_get_page(pfn), NULL, "idle: it must be allocated");
    REQUIRE_EQ(zone_device_page_init(page), 0);
    CHECK_EQ(zone_device_page_init(page), -EBUSY);
    CHECK(!trylock_page(page), "it comes locked");
    unlock_page(page);
    return page;
}

/*
 * Bugs 9 and 21, and what the kernel never did for FS_DAX and GENERIC: teardown waits for pages in use, new
 * ones fail meanwhile, and a page's bytes are there until its last reference goes.
 */
TEST_CASE(teardown, bug9_bug12_bug21_teardown_drains_pages_of_every_type)
{
    struct pagemap_memory *memory = rig_plug(0, 8 * RIG_MB);

    warnings_count();
    for (unsigned i = 0; i < RIG_NR_TYPES; i++) {
        struct range range = rig_range(0, 8 * RIG_MB);
        struct dev_pagemap pgmap = rig_pgmap(RIG_TYPES[i], &range, 1);
        uint64_t idle = RIG_TYPES[i] == MEMORY_DEVICE_GENERIC;
        struct waiter teardown;
        struct page *page;

        rig_freed = 0;
        REQUIRE_EQ(rig_map(&pgmap), 0);
        CHECK_EQ(page_count(pfn_to_page(7)), idle);
        page = hold_page(&pgmap, 7);
        REQUIRE_NE(page, NULL);
        CHECK_EQ(page_count(page), idle + 1);
        CHECK_EQ(pagemap_get_page(7), page, "not idle: also if it was allocated");
        get_page(page);
        CHECK_EQ(page_count(page), idle + 3);
        CHECK_EQ(pgmap_nr_references(&pgmap), 1, "one for a busy page, however busy");

        waiter_start(&teardown, tear_down, &pgmap);
        rig_await_kill(8);
        CHECK(!waiter_is_done_after(&teardown, 2000));
        CHECK_EQ(pagemap_get_page(7), NULL, "killed");
        CHECK_EQ(zone_device_page_init(pfn_to_page(9)), -ENODEV, "no allocation after the kill (L6)");
        CHECK_EQ(rig_try_map(0, 2 * RIG_MB - 1), -EEXIST, "it is being torn down");
        put_page_many(page, 2);
        CHECK(!waiter_is_done_after(&teardown, 2000), "one is left");
        CHECK_EQ(page_address(page) == NULL, RIG_TYPES[i] == MEMORY_DEVICE_PRIVATE);
        if (page_address(page) != NULL) {
            memset(page_address(page), 1, PAGE_SIZE);
        }
        CHECK_EQ(rig_freed, 0);
        put_page(page);
        waiter_join(&teardown);
        CHECK_EQ(rig_freed, 1);
        CHECK(rig_finds(7, NULL));
        REQUIRE_EQ(rig_map(&pgmap), 0, "again, as it is (bug 12)");
        CHECK_EQ(page_count(pfn_to_page(7)), idle);
        memunmap_pages(&pgmap);
    }
    CHECK_EQ(warnings_take(), RIG_NR_TYPES, "the refusals");
    rig_unplug(memory);
}

/* Bug 19: get against unmap. The holder of a bare reference is waited for too. */
TEST_CASE(teardown, bug19_teardown_waits_for_holders_of_the_pagemap)
{
    struct pagemap_memory *memory = rig_plug(0, 2 * RIG_MB);
    struct range range = rig_range(0, 2 * RIG_MB);
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_PCI_P2PDMA, &range, 1);
    struct waiter teardown;

    REQUIRE_EQ(rig_map(&pgmap), 0);
    REQUIRE_EQ(get_dev_pagemap(1, NULL), &pgmap);
    waiter_start(&teardown, tear_down, &pgmap);
    CHECK(!waiter_is_done_after(&teardown, 5000));
    REQUIRE_EQ(pagemap_read_lock(), 0);
    CHECK_EQ(find_dev_pagemap(0), &pgmap, "dying, and still there to be found");
    put_dev_pagemap(&pgmap);
    CHECK(!waiter_is_done_after(&teardown, 5000),
          "who found it is still in the section that keeps it allocated");
    pagemap_read_unlock();
    waiter_join(&teardown);
    rig_unplug(memory);
}

static void wait_idle(void *page)
{
    wait_on_page_idle(page);
}

/* Bug 20: many references dropped at once must wake too. */
TEST_CASE(teardown, bug20_dropping_many_at_once_wakes)
{
    struct pagemap_memory *memory = rig_plug(0, 2 * RIG_MB);
    struct range range = rig_range(0, 2 * RIG_MB);
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_FS_DAX, &range, 1);
    struct waiter waiter;
    struct page *page;

    warnings_count();
    REQUIRE_EQ(rig_map(&pgmap), 0);
    page = pagemap_get_page(3);
    REQUIRE_NE(page, NULL);
    for (unsigned i = 0; i < 4; i++) {
        get_page(page);
    }
    waiter_start(&waiter, wait_idle, page);
    CHECK(!waiter_is_done_after(&waiter, 2000));
    put_page_many(page, 5);
    waiter_join(&waiter);
    CHECK_EQ(page_count(page), 0);
    CHECK_EQ(pgmap_nr_references(&pgmap), 0);
    CHECK_EQ(warnings_take(), 0);
    put_page(page);
    CHECK_EQ(warnings_take(), 1, "below idle");
    get_page(page);
    CHECK_EQ(warnings_take(), 1, "of an idle page");
    CHECK_EQ(page_count(page), 0);
    memunmap_pages(&pgmap);
    rig_unplug(memory);
}

TEST_CASE(teardown, compound_pages_count_in_the_first)
{
    struct pagemap_memory *memory = rig_plug(0, 8 * RIG_MB);
    struct range range = rig_range(0, 8 * RIG_MB), odd = rig_range(2 * RIG_MB, 2 * RIG_MB);
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_GENERIC, &odd, 1);
    struct page *tail, *other;

    pgmap.vmemmap_shift = 10;
    CHECK_EQ(rig_map(&pgmap), -EINVAL, "4 MiB pages in a range of 2 MiB");
    pgmap.range = range;
    REQUIRE_EQ(rig_map(&pgmap), 0);
    CHECK_EQ(pgmap_vmemmap_nr(&pgmap), 1024);
    tail = pagemap_get_page(1025);
    other = pagemap_get_page(2047);
    REQUIRE_EQ(tail, pfn_to_page(1025));
    REQUIRE_EQ(other, pfn_to_page(2047));
    CHECK_EQ(compound_head(tail), pfn_to_page(1024));
    CHECK_EQ(page_count(tail), 3);
    CHECK_EQ(page_count(compound_head(other)), 3);
    CHECK_EQ(pgmap_nr_references(&pgmap), 1);
    CHECK_EQ((char *)page_address(other) - (char *)page_address(tail), 1022 * 4096);
    put_page(tail);
    CHECK_EQ(pgmap_nr_references(&pgmap), 1);
    put_page(other);
    CHECK_EQ(pgmap_nr_references(&pgmap), 0);
    CHECK_EQ(pagemap_get_page(0), pfn_to_page(0));
    CHECK_EQ(page_count(pfn_to_page(1024)), 1, "another compound page");
    put_page(pfn_to_page(0));
    memunmap_pages(&pgmap);
    rig_unplug(memory);
}

TEST_CASE(teardown, types_can_be_told)
{
    struct pagemap_memory *memory = rig_plug(0, 2 * RIG_MB);

    for (unsigned i = 0; i < RIG_NR_TYPES; i++) {
        struct range range = rig_range(0, 2 * RIG_MB);
        struct dev_pagemap pgmap = rig_pgmap(RIG_TYPES[i], &range, 1);
        struct page *page;

        REQUIRE_EQ(rig_map(&pgmap), 0);
        page = hold_page(&pgmap, 11);
        REQUIRE_NE(page, NULL);
        CHECK_EQ(page_pgmap(page), &pgmap);
        CHECK_EQ(page_to_pfn(page), 11);
        CHECK_EQ(is_device_private_page(page), RIG_TYPES[i] == MEMORY_DEVICE_PRIVATE);
        CHECK_EQ(is_device_coherent_page(page), RIG_TYPES[i] == MEMORY_DEVICE_COHERENT);
        CHECK_EQ(is_pci_p2pdma_page(page), RIG_TYPES[i] == MEMORY_DEVICE_PCI_P2PDMA);
        put_page(page);
        memunmap_pages(&pgmap);
    }
    rig_unplug(memory);
}
