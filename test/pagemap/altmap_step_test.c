// SPDX-License-Identifier: BSD-2-Clause
/*
 * Struct pages in a device, where a step fails or the file can have no holes: all is undone, or all is there. What the
 * device held is never taken for a struct page.
 */
#include <errno.h>

#include "test/pagemap/faults.h"
#include "test/pagemap/file_rig.h"
#include "test/pagemap/refuse.h"
#include "test/pagemap/sanitized.h"

/* Two sections, and two subsections more: pieces of both sizes. */
#define BYTES (260 * RIG_MB)
#define MEMMAP (BYTES / PAGE_SIZE * sizeof(struct page) / PAGE_SIZE)

/* Where the device is: also at the very first pfn. */
static uint64_t base;
static struct pagemap_memory *memory;
static struct dev_pagemap pgmap;

/* Memory full of ones where the struct pages will be, and behind them. */
static void set_up(void)
{
    struct range range = rig_range(base, BYTES);
    struct dev_pagemap plain = rig_pgmap(MEMORY_DEVICE_GENERIC, &range, 1);
    char *linear;

    warnings_count();
    memory = rig_plug(base, BYTES);
    linear = memremap_pages(&plain, -1);
    REQUIRE(!IS_ERR(linear));
    memset(linear, 0xff, (MEMMAP + 16) * PAGE_SIZE);
    CHECK_EQ(memunmap_pages(&plain), 0);
    pgmap = rig_pgmap(MEMORY_DEVICE_FS_DAX, &range, 1);
    pgmap.flags = PGMAP_ALTMAP_VALID;
    pgmap.altmap = (struct vmem_altmap){.base_pfn = PHYS_PFN(base), .free = MEMMAP};
}

static void check_page(uint64_t pfn, unsigned char byte)
{
    struct page *page = pagemap_get_page(pfn);

    REQUIRE_EQ(page, pfn_to_page(pfn));
    CHECK_EQ(page_count(page), 1);
    CHECK_EQ(page->zone_device_data, NULL);
    CHECK_EQ(*(unsigned char *)page_address(page), byte, "the data behind the struct pages stays");
    put_page(page);
}

static void check_mapped(void)
{
    const uint64_t first = PHYS_PFN(base);

    CHECK_EQ(pgmap.altmap.alloc, MEMMAP);
    CHECK_EQ(pgmap.altmap.align, 0);
    CHECK(!pgmap_pfn_valid(&pgmap, first + MEMMAP - 1));
    for (uint64_t page = MEMMAP; page < MEMMAP + 16; page++) {
        check_page(first + page, 0xff);
    }
    for (uint64_t page = MEMMAP + 16; page < BYTES / PAGE_SIZE; page += 4091) {
        check_page(first + page, 0);
    }
    check_page(first + BYTES / PAGE_SIZE - 1, 0);
}

static unsigned mappings(void)
{
    FILE *file = fopen("/proc/self/maps", "re");
    unsigned lines = 0;
    int c;

    REQUIRE_NE(file, NULL);
    while ((c = fgetc(file)) != EOF) {
        lines += c == '\n';
    }
    (void)fclose(file);
    return lines;
}

static void check_unmapped(unsigned before)
{
    CHECK_EQ(pgmap.altmap.alloc, 0);
    CHECK_EQ(pgmap.altmap.align, 0);
    CHECK(rig_finds(PHYS_PFN(base), NULL));
    CHECK_EQ(touch_read(pfn_to_page(PHYS_PFN(base)), NULL), SIGSEGV);
    CHECK(SANITIZED || mappings() <= before + 2, "%u mappings, before %u", mappings(), before);
    CHECK_EQ(pagemap_memory_unplug(memory), 0, "it is used no more");
    REQUIRE_EQ(pagemap_memory_plug(memory, base), 0);
}

/* Returns how many steps can fail. */
static unsigned check_each_step(void)
{
    unsigned before = mappings(), failed = 0;
    int error;

    for (unsigned step = 1;; step++) {
        (void)pm_fault_arm(step);
        error = rig_map(&pgmap);
        if (pm_fault_arm(0) != 0) {
            break;
        }
        CHECK_EQ(error, -ENOMEM, "step %u", step);
        failed += error != 0;
        if (error != 0) {
            check_unmapped(before);
        } else {
            CHECK_EQ(memunmap_pages(&pgmap), 0);
        }
        REQUIRE_LT(step, 200u);
    }
    CHECK_EQ(error, 0);
    check_mapped();
    CHECK_EQ(memunmap_pages(&pgmap), 0);
    check_unmapped(before);
    (void)warnings_take();
    return failed;
}

static void with_holes(void)
{
    touch_install();
    set_up();
    CHECK_GE(check_each_step(), 10u);
    rig_unplug(memory);
}

TEST_CASE(altmap_step, each_step_fails)
{
    child_run(with_holes);
    base = RIG_GB;
    child_run(with_holes);
}

/* Some file systems have none: what was there is overwritten. */
static void without_holes(void)
{
    touch_install();
    set_up();
    refuse(SYS_fallocate, EOPNOTSUPP);
    CHECK_GE(check_each_step(), 10u);
    rig_unplug(memory);
}

TEST_CASE(altmap_step, each_step_fails_without_holes)
{
    base = 0;
    child_run(without_holes);
    base = RIG_GB;
    child_run(without_holes);
}

/* A driver's own blocks are its own to give back: it is said when the device is gone, not while it is not. */
static void blocks_that_stay(void)
{
    struct page *page;

    touch_install();
    set_up();
    REQUIRE_EQ(rig_map(&pgmap), 0);
    pgmap.altmap.alloc++;
    page = pagemap_get_page(PHYS_PFN(base) + MEMMAP);
    REQUIRE_NE(page, NULL);
    CHECK_EQ(memunmap_pages_timeout(&pgmap, 0), -ETIMEDOUT);
    CHECK_EQ(warnings_take(), 0);
    put_page(page);
    (void)pm_fault_arm(1);
    CHECK_EQ(memunmap_pages(&pgmap), -ENOMEM);
    CHECK_EQ(pm_fault_arm(0), 0);
    CHECK_EQ(warnings_take(), 1, "that it could not be unmapped");
    CHECK_EQ(memunmap_pages(&pgmap), 0);
    CHECK_EQ(warnings_take(), 1, "the block");
    CHECK_EQ(pgmap.altmap.alloc, 1);
    rig_unplug(memory);
}

TEST_CASE(altmap_step, blocks_that_stay)
{
    child_run(blocks_that_stay);
}
