// SPDX-License-Identifier: BSD-2-Clause
/* Scenario 1: struct pages in the device's own memory. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "pagemap/altmap/altmap.h"
#include "test/pagemap/child.h"
#include "test/pagemap/rig.h"
#include "test/pagemap/touch.h"

#define TB (UINT64_C(1) << 40)

/* The formula of mm/sparse-vmemmap.c. */
TEST_CASE(altmap, bug16_blocks_are_naturally_aligned)
{
    struct vmem_altmap altmap = {.base_pfn = 1000, .reserve = 2, .free = 100};

    CHECK_EQ(pm_altmap_alloc(&altmap, 8), 1008);
    CHECK_EQ(altmap.align, 6);
    CHECK_EQ(altmap.alloc, 8);
    CHECK_EQ(pm_altmap_alloc(&altmap, 1), 1016);
    CHECK_EQ(pm_altmap_alloc(&altmap, 16), 1024);
    CHECK_EQ(altmap.align, 13);
    CHECK_EQ(altmap.alloc, 25);
    CHECK_EQ(pm_altmap_alloc(&altmap, 64), UINT64_MAX, "62 are left");
    CHECK_EQ(pm_altmap_alloc(&altmap, 32), 1056, "16 of padding, 14 left");
    CHECK_EQ(pm_altmap_alloc(&altmap, 16), UINT64_MAX);
    CHECK_EQ(pm_altmap_alloc(&altmap, 8), 1088, "bug 16: alloc and align are counted once");
    CHECK_EQ(vmem_altmap_offset(&altmap), 102);
    CHECK_EQ(vmem_altmap_offset(NULL), 0);
    warnings_count();
    vmem_altmap_free(&altmap, 65);
    CHECK_EQ(altmap.alloc, 0);
    vmem_altmap_free(&altmap, 1);
    CHECK_EQ(warnings_take(), 1);
    CHECK_EQ(altmap.alloc, 0);
}

/* Bug 15: a block that covers pfns outside of the namespace. */
TEST_CASE(altmap, bug15_no_block_beyond_end_pfn)
{
    struct vmem_altmap altmap = {.base_pfn = 0, .free = 64, .end_pfn = 20};

    CHECK_EQ(pm_altmap_alloc(&altmap, 16), 0);
    CHECK_EQ(pm_altmap_alloc(&altmap, 8), UINT64_MAX, "16..23");
    CHECK_EQ(pm_altmap_alloc(&altmap, 4), 16, "16..19");
    CHECK_EQ(altmap.alloc, 20);
}

static struct dev_pagemap with_altmap(const struct range *range, uint64_t reserve, uint64_t pages)
{
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_FS_DAX, range, 1);

    pgmap.flags = PGMAP_ALTMAP_VALID;
    pgmap.altmap.base_pfn = PHYS_PFN(range->start);
    pgmap.altmap.reserve = reserve;
    pgmap.altmap.free = pages;
    return pgmap;
}

/* Client sequence B, the part without a file system: pmem, with an info block of 8 KiB. */
TEST_CASE(altmap, bug14_client_b_pmem)
{
    const uint64_t base = 16 * RIG_GB, bytes = 64 * RIG_MB, first = PHYS_PFN(base);
    struct pagemap_memory *memory = rig_plug(base, bytes);
    struct range range = rig_range(base, bytes);
    struct dev_pagemap pgmap = with_altmap(&range, 2, 510);
    struct page *page;

    warnings_count();
    REQUIRE_EQ(rig_map(&pgmap), 0);
    /* 16384 struct pages in 32 blocks of 8 pages, the first at 8: 6 lost to alignment. */
    CHECK_EQ(pgmap.altmap.alloc, 256);
    CHECK_EQ(pgmap.altmap.align, 6);
    CHECK(!pgmap_pfn_valid(&pgmap, first));
    CHECK(!pgmap_pfn_valid(&pgmap, first + 511));
    CHECK(pgmap_pfn_valid(&pgmap, first + 512));
    CHECK(!pgmap_pfn_valid(&pgmap, PHYS_PFN(range.end) + 1));
    CHECK_EQ(pagemap_get_page(first + 511), NULL, "metadata is no page (bugs 14 and 17)");
    CHECK_EQ(pgmap_nr_references(&pgmap), 0);
    CHECK(rig_finds(first, &pgmap), "but belongs to the device");

    CHECK_EQ(pagemap_memory_resident(memory), 0, "all idle: nothing was written");
    page = pagemap_get_page(first + 512);
    REQUIRE_NE(page, NULL);
    CHECK_EQ(pagemap_memory_resident(memory), PAGE_SIZE, "the struct page's own page, in the device");
    put_page(page);
    memunmap_pages(&pgmap);
    CHECK_EQ(pgmap.altmap.alloc, 0);
    CHECK_EQ(warnings_take(), 0);
    for (unsigned i = 0; i < 5; i++) {
        REQUIRE_EQ(rig_map(&pgmap), 0, "as it is: align starts anew (L7)");
        CHECK_EQ(pgmap.altmap.align, 6);
        page = pagemap_get_page(first + 512);
        REQUIRE_NE(page, NULL);
        CHECK_EQ(page_count(page), 1, "nothing of an earlier life (bug 33)");
        put_page(page);
        memunmap_pages(&pgmap);
    }
    rig_unplug(memory);
}

/* B in raw mode: a namespace whose memory is there, and has no pages. */
TEST_CASE(altmap, client_b_pmem_raw_has_no_pages)
{
    const uint64_t base = 16 * RIG_GB, pfn = PHYS_PFN(base);
    struct pagemap_memory *memory = rig_plug(base, 64 * RIG_MB);
    struct address_space file;

    warnings_count();
    REQUIRE_NE(request_mem_region(base, 64 * RIG_MB, "namespace0.0"), NULL);
    REQUIRE_EQ(address_space_init(&file, "raw", NULL), 0);
    CHECK(rig_finds(pfn, NULL));
    CHECK_EQ(pagemap_get_page(pfn), NULL);
    CHECK_EQ(filemap_add_pages(&file, 0, pfn, 1), -ENXIO);
    CHECK_EQ(memory_failure(pfn, 0), -ENXIO);
    CHECK_EQ(address_space_destroy(&file), 0);
    release_mem_region(base, 64 * RIG_MB);
    CHECK_EQ(warnings_take(), 0);
    rig_unplug(memory);
}

/* The struct pages are bytes of the device: what is in one shows in the other. */
TEST_CASE(altmap, struct_pages_lie_in_the_device)
{
    const uint64_t bytes = 256 * RIG_MB;
    struct pagemap_memory *memory = rig_plug(0, bytes);
    struct range range = rig_range(0, bytes);
    struct dev_pagemap pgmap = with_altmap(&range, 0, 1024);
    struct page *page;
    char *linear;

    linear = memremap_pages(&pgmap, -1);
    REQUIRE(!IS_ERR(linear));
    CHECK_EQ(pgmap.altmap.alloc, 1024, "two sections, 512 pages each");
    CHECK_EQ(pgmap.altmap.align, 0);
    page = pagemap_get_page(40000);
    REQUIRE_NE(page, NULL);
    page->zone_device_data = &memory;
    CHECK_EQ(memcmp(linear + 40000 * sizeof(struct page), page, sizeof *page), 0);
    put_page(page);
    memunmap_pages(&pgmap);
    rig_unplug(memory);
}

/* Bug 33, and 6 in a way: what the device's pages held before is no state of a struct page. */
TEST_CASE(altmap, bug6_bug33_stale_bytes_are_no_pages)
{
    struct pagemap_memory *memory = rig_plug(0, 8 * RIG_MB);
    struct range range = rig_range(0, 8 * RIG_MB);
    struct dev_pagemap plain = rig_pgmap(MEMORY_DEVICE_GENERIC, &range, 1);
    struct dev_pagemap pgmap = with_altmap(&range, 0, 512);
    void *linear = memremap_pages(&plain, -1);
    struct page *page;

    REQUIRE(!IS_ERR(linear));
    memset(linear, 0xff, 8 * RIG_MB);
    memunmap_pages(&plain);
    REQUIRE_EQ(rig_map(&pgmap), 0);
    for (uint64_t pfn = 512; pfn < 2048; pfn += 17) {
        page = pagemap_get_page(pfn);
        REQUIRE_EQ(page, pfn_to_page(pfn));
        CHECK_EQ(page_count(page), 1);
        CHECK_EQ(page->zone_device_data, NULL);
        CHECK_EQ(*(unsigned char *)page_address(page), 0xff, "the data behind the memmap stays");
        put_page(page);
    }
    memunmap_pages(&pgmap);
    rig_unplug(memory);
}

static struct page *inherited;
static unsigned char *inherited_bytes;

static void look_at_what_is_inherited(void)
{
    CHECK_EQ(touch_read(inherited, NULL), SIGSEGV, "counts that the parent would share");
    CHECK_EQ(*inherited_bytes, 0x5a, "the device itself is shared");
}

TEST_CASE(altmap, children_have_no_struct_pages)
{
    struct pagemap_memory *memory = rig_plug(0, 256 * RIG_MB);
    struct range range = rig_range(0, 256 * RIG_MB);
    struct dev_pagemap pgmap = with_altmap(&range, 2, 2046);

    touch_install();
    REQUIRE_EQ(rig_map(&pgmap), 0);
    CHECK_EQ(zone_device_page_init(pfn_to_page(2047)), -ENODEV, "metadata is no page");
    inherited = pagemap_get_page(60000);
    REQUIRE_NE(inherited, NULL);
    inherited_bytes = page_address(inherited);
    *inherited_bytes = 0x5a;
    child_run(look_at_what_is_inherited);
    CHECK_EQ(page_count(inherited), 1);
    put_page(inherited);
    memunmap_pages(&pgmap);
    rig_unplug(memory);
}

TEST_CASE(altmap, errors)
{
    const uint64_t base = 2 * RIG_GB, bytes = 8 * RIG_MB;
    struct pagemap_memory *memory = rig_plug(base, bytes);
    struct range ranges[2] = {rig_range(base, bytes), rig_range(base, bytes)};
    struct rig_many many = {.pgmap = with_altmap(ranges, 1, 32)};

    many.pgmap.ranges[0] = rig_range(base, 4 * RIG_MB);
    many.pgmap.ranges[1] = rig_range(base + 4 * RIG_MB, 4 * RIG_MB);
    many.pgmap.nr_range = 2;
    CHECK_EQ(rig_map(&many.pgmap), -EINVAL, "an altmap and two ranges");
    CHECK_EQ(many.pgmap.altmap.alloc, 0, "the first was unwound");
    many.pgmap.nr_range = 1;
    many.pgmap.altmap.base_pfn++;
    CHECK_EQ(rig_map(&many.pgmap), -EINVAL, "base_pfn");
    many.pgmap.altmap.base_pfn--;
    many.pgmap.altmap.free = 1024;
    CHECK_EQ(rig_map(&many.pgmap), -EINVAL, "one page too many");
    many.pgmap.altmap.free = UINT64_MAX;
    CHECK_EQ(rig_map(&many.pgmap), -EINVAL, "and no sum that wraps");
    many.pgmap.altmap.free = 16;
    CHECK_EQ(rig_map(&many.pgmap), -ENOMEM, "16 are needed, and 7 to align them");
    CHECK_EQ(many.pgmap.altmap.alloc, 0);
    CHECK_EQ(many.pgmap.altmap.align, 0);
    CHECK(rig_finds(PHYS_PFN(base), NULL));
    many.pgmap.altmap.free = 23;
    CHECK_EQ(rig_map(&many.pgmap), 0);
    CHECK_EQ(many.pgmap.altmap.alloc, 16);
    memunmap_pages(&many.pgmap);
    rig_unplug(memory);
}

/* A number of kB that the kernel tells of this process. */
static uint64_t status_bytes(const char *name)
{
    FILE *file = fopen("/proc/self/status", "re");
    char line[200];
    uint64_t kib = 0;

    REQUIRE_NE(file, NULL);
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, name, strlen(name)) == 0) {
            CHECK_EQ(sscanf(line + strlen(name), ": %" SCNu64, &kib), 1);
        }
    }
    (void)fclose(file);
    return kib * 1024;
}

/* 64 GiB of struct pages, from the device, in none of our memory. */
TEST_CASE(altmap, four_tebibytes_cost_no_ordinary_memory)
{
    struct pagemap_memory *memory = rig_plug(4 * TB, 4 * TB);
    struct range range = rig_range(4 * TB, 4 * TB);
    const uint64_t memmap = 4 * TB / PAGE_SIZE * sizeof(struct page) / PAGE_SIZE;
    struct dev_pagemap pgmap = with_altmap(&range, 512, memmap);
    uint64_t anonymous = status_bytes("RssAnon"), resident;
    struct page *page;

    REQUIRE_EQ(rig_map(&pgmap), 0);
    CHECK_EQ(pgmap.altmap.alloc, memmap);
    for (uint64_t pfn = PHYS_PFN(range.start) + memmap + 512; pfn <= PHYS_PFN(range.end); pfn += 5000001) {
        page = pagemap_get_page(pfn);
        REQUIRE_NE(page, NULL);
        CHECK_EQ(page_count(page), 1);
        put_page(page);
    }
    resident = pagemap_memory_resident(memory);
    CHECK_GT(resident, 200 * PAGE_SIZE, "the struct pages that were used");
    CHECK_LT(resident, 16 * RIG_MB);
    CHECK_LT(status_bytes("RssAnon"), anonymous + 16 * RIG_MB, "page tables and all");
    memunmap_pages(&pgmap);
    CHECK_EQ(pgmap.altmap.alloc, 0);
    rig_unplug(memory);
}
