// SPDX-License-Identifier: BSD-2-Clause
/* drivers/xen/unpopulated-alloc.c: pages without memory of their own, from a list that grows by device memory. */
#include <linux/mm.h>
#include <xen/xen.h>

#include "test/pagemap/kernel/rig.h"

enum { SECTION_PAGES = 32768, BATCH = 64 };

static struct page *pages[SECTION_PAGES];

/* Where the hypervisor leaves room, with memory behind. Each section is one growth of the list. */
static struct pagemap_memory *give_room(uint64_t start, unsigned sections)
{
    struct pagemap_memory *memory = rig_plug(start, sections * SECTION_SIZE);

    pagemap_compat_set_pluggable_range(start, start + sections * SECTION_SIZE - 1);
    return memory;
}

/* The driver never gives back what it mapped; each page came with its device memory. */
static void check_pages(struct page **got, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        struct dev_pagemap *pgmap = get_dev_pagemap(page_to_pfn(got[i]), NULL);

        REQUIRE_NE(pgmap, NULL);
        CHECK_EQ(pgmap->type, MEMORY_DEVICE_GENERIC);
        CHECK_EQ(page_pgmap(got[i]), pgmap);
        CHECK_EQ(got[i]->pgmap, pgmap, "the field, as drivers read it");
        CHECK_EQ(virt_to_page(page_address(got[i])), got[i]);
        CHECK_EQ(page_count(got[i]), 1, "handed out with the count of 1 that it has when idle");
        get_page(got[i]);
        CHECK_EQ(page_count(got[i]), 2);
        put_page(got[i]);
        put_dev_pagemap(pgmap);
    }
}

static int fill(void)
{
    return xen_alloc_unpopulated_pages(1, pages);
}

static uint64_t last_of_each[KERNEL_THREADS];

static void *churn(void *number)
{
    struct page *mine[BATCH];

    for (unsigned round = 0; round < 200; round++) {
        CHECK_EQ(xen_alloc_unpopulated_pages(BATCH, mine), 0);
        for (unsigned i = 0; i < BATCH; i++) {
            *(uint64_t *)page_address(mine[i]) = (uintptr_t)number;
        }
        for (unsigned i = 0; i < BATCH; i++) {
            CHECK_EQ(*(uint64_t *)page_address(mine[i]), (uintptr_t)number, "another has the same page");
        }
        xen_free_unpopulated_pages(BATCH, mine);
    }
    last_of_each[(uintptr_t)number] = 1;
    return NULL;
}

TEST_CASE(xen, pages_come_and_go)
{
    const uint64_t start = 4 * RIG_GB;
    struct page *more[2];

    kernel_set_up();
    CHECK_EQ(xen_alloc_unpopulated_pages(1, pages), 0, "not loaded: ballooned pages");
    CHECK_EQ(pagemap_compat_ram_in_use(), 1);
    xen_free_unpopulated_pages(1, pages);
    CHECK_EQ(pagemap_compat_ram_in_use(), 0);
    REQUIRE_EQ(pagemap_compat_load("xen"), 0);

    pagemap_compat_set_pluggable_range(start, start + SECTION_SIZE - 1);
    CHECK_EQ(xen_alloc_unpopulated_pages(1, pages), -ENXIO, "no memory is plugged in there");
    CHECK_EQ(warnings_take(), 1, "as each refusal of memremap_pages() does, it said so");
    CHECK(kernel_is_free(start, SECTION_SIZE), "the region went again");
    (void)give_room(start, 3);
    CHECK_GE(kernel_fail_each_step(false, fill), 2);
    check_pages(pages, 1);
    REQUIRE_EQ(xen_alloc_unpopulated_pages(SECTION_PAGES - 1, pages + 1), 0);
    check_pages(pages, SECTION_PAGES);
    CHECK_EQ(pages[0]->zone_device_data == pages[1]->zone_device_data, 0);
    REQUIRE_EQ(xen_alloc_unpopulated_pages(2, more), 0, "the second section");
    check_pages(more, 2);
    CHECK(page_to_pfn(more[0]) >= PHYS_PFN(start + SECTION_SIZE), "where there was room");
    xen_free_unpopulated_pages(2, more);
    xen_free_unpopulated_pages(SECTION_PAGES, pages);
    kernel_run(churn);
    for (unsigned i = 0; i < KERNEL_THREADS; i++) {
        CHECK_EQ(last_of_each[i], 1);
    }
    /* All are on the list again: as many as the sections have can be had without another. */
    REQUIRE_EQ(xen_alloc_unpopulated_pages(SECTION_PAGES, pages), 0);
    xen_free_unpopulated_pages(SECTION_PAGES, pages);
    CHECK(rig_finds(PHYS_PFN(start + 2 * SECTION_SIZE), NULL), "two sections sufficed");
    CHECK_EQ(pgmap_nr_references(page_pgmap(pages[0])), 0, "no page and no holder is left");
    CHECK_EQ(warnings_take(), 0);
}
