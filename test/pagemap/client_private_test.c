// SPDX-License-Identifier: BSD-2-Clause
/* Client sequences E and F: test_hmm and nouveau, with device-private memory. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "test/pagemap/driver_rig.h"
#include "test/pagemap/faults.h"

enum { CHUNK_PAGES = 512 };

/* E: test_hmm. A driver with a free list of device-private pages, linked through zone_device_data. */
static struct page *free_list;
static uint64_t calloced, cfreed;

static void hmm_page_free(struct page *page)
{
    page->zone_device_data = free_list;
    free_list = page;
    cfreed++;
}

static struct page *hmm_alloc(void)
{
    struct page *page = free_list;

    if (page == NULL) {
        return NULL;
    }
    free_list = page->zone_device_data;
    if (zone_device_page_init(page) != 0) {
        return NULL;
    }
    unlock_page(page);
    calloced++;
    return page;
}

TEST_CASE(clients, e_test_hmm)
{
    static const struct dev_pagemap_ops ops = {hmm_page_free, rig_migrate_to_ram, NULL, NULL};
    struct resource *region = request_free_mem_region(&iomem_resource, CHUNK_PAGES * PAGE_SIZE, "hmm");
    struct range range;
    struct dev_pagemap pgmap;
    struct page *held[CHUNK_PAGES], *page;

    warnings_count();
    REQUIRE(!IS_ERR(region));
    range = rig_range(region->start, CHUNK_PAGES * PAGE_SIZE);
    pgmap = rig_pgmap(MEMORY_DEVICE_PRIVATE, &range, 1);
    pgmap.ops = &ops;
    free_list = NULL;
    calloced = cfreed = 0;
    REQUIRE_EQ(rig_map(&pgmap), 0, "no memory needs to be plugged in");
    for (uint64_t pfn = PHYS_PFN(range.start); pfn <= PHYS_PFN(range.end); pfn++) {
        pfn_to_page(pfn)->zone_device_data = free_list;
        free_list = pfn_to_page(pfn);
    }
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < CHUNK_PAGES; i++) {
            held[i] = hmm_alloc();
            REQUIRE_NE(held[i], NULL);
            CHECK_EQ(page_count(held[i]), 1);
            CHECK(is_device_private_page(held[i]));
            CHECK_EQ(page_address(held[i]), NULL, "no CPU sees it");
        }
        CHECK_EQ(hmm_alloc(), NULL, "all are out");
        CHECK_EQ(pgmap_nr_references(&pgmap), CHUNK_PAGES);
        page = pagemap_get_page(page_to_pfn(held[5]));
        CHECK_EQ(page, held[5], "somebody else holds it too");
        for (unsigned i = 0; i < CHUNK_PAGES; i++) {
            put_page(held[i]);
        }
        CHECK_EQ(cfreed, calloced - 1);
        put_page(page);
        CHECK_EQ(cfreed, calloced, "page_free once for each page");
    }
    CHECK_EQ(calloced, 3 * CHUNK_PAGES);
    memunmap_pages(&pgmap);
    release_mem_region(region->start, resource_size(region));
    CHECK_EQ(warnings_take(), 0);
    pagemap_barrier();
}

/* F: nouveau. Several chunks, each found from any of its pages by container_of; an error unwinds all. */
struct chunk {
    uint64_t allocated;
    struct range range;
    struct dev_pagemap pgmap;
};

static struct chunk *chunk_of(const struct page *page)
{
    return (struct chunk *)(void *)((char *)page_pgmap(page) - offsetof(struct chunk, pgmap));
}

static void chunk_page_free(struct page *page)
{
    chunk_of(page)->allocated--;
}

TEST_CASE(clients, f_nouveau)
{
    static const struct dev_pagemap_ops ops = {chunk_page_free, rig_migrate_to_ram, NULL, NULL};
    enum { CHUNKS = 4 };
    struct chunk chunks[CHUNKS];
    struct page *page[CHUNKS];

    memset(chunks, 0, sizeof chunks);
    for (unsigned i = 0; i < CHUNKS; i++) {
        struct resource *region = request_free_mem_region(&iomem_resource, 2 * RIG_MB, "nouveau");

        REQUIRE(!IS_ERR(region));
        chunks[i].range = rig_range(region->start, resource_size(region));
        chunks[i].pgmap = rig_pgmap(MEMORY_DEVICE_PRIVATE, &chunks[i].range, 1);
        chunks[i].pgmap.ops = &ops;
        if (i == 2) {
            (void)pm_fault_arm(4);
            CHECK_EQ(rig_map(&chunks[i].pgmap), -ENOMEM);
            CHECK(rig_finds(PHYS_PFN(chunks[1].range.start), &chunks[1].pgmap), "the others stay");
        }
        REQUIRE_EQ(rig_map(&chunks[i].pgmap), 0);
    }
    for (unsigned i = 0; i < CHUNKS; i++) {
        page[i] = pfn_to_page(PHYS_PFN(chunks[i].range.start) + i);
        REQUIRE_EQ(zone_device_page_init(page[i]), 0);
        unlock_page(page[i]);
        CHECK_EQ(chunk_of(page[i]), &chunks[i]);
        chunks[i].allocated++;
    }
    for (unsigned i = 0; i < CHUNKS; i++) {
        put_page(page[i]);
        CHECK_EQ(chunks[i].allocated, 0);
        memunmap_pages(&chunks[i].pgmap);
        release_mem_region(chunks[i].range.start, range_len(&chunks[i].range));
    }
    CHECK_EQ(iomem_resource.child, NULL);
    pagemap_barrier();
}
