// SPDX-License-Identifier: BSD-2-Clause
/* Client sequences A and I: device-dax, and xen's unpopulated pages. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "test/pagemap/driver_rig.h"

/* A: device-dax, two ranges, large pages, a view. */
TEST_CASE(clients, a_device_dax)
{
    struct pagemap_memory *memory = rig_plug(0, 64 * RIG_MB);
    struct range ranges[2] = {rig_range(0, 16 * RIG_MB), rig_range(32 * RIG_MB, 8 * RIG_MB)};
    struct rig_many many = rig_many(MEMORY_DEVICE_GENERIC, ranges, 2), another = many;
    struct device dev, other;
    struct waiter removal;
    struct address_space file;
    struct page *pinned;
    char *view;

    warnings_count();
    device_initialize(&dev, "dax0.0");
    device_initialize(&other, "dax0.1");
    many.pgmap.vmemmap_shift = 9;
    for (unsigned i = 0; i < 2; i++) {
        REQUIRE_NE(devm_request_mem_region(&dev, ranges[i].start, range_len(&ranges[i]), "dax0.0"), NULL);
        CHECK_EQ(devm_request_mem_region(&other, ranges[i].start, range_len(&ranges[i]), "dax0.1"), NULL);
    }
    REQUIRE(!IS_ERR(devm_memremap_pages(&dev, &many.pgmap)));
    CHECK(rig_finds(0, &many.pgmap));
    CHECK(rig_finds(PHYS_PFN(ranges[1].end), &many.pgmap));
    CHECK(rig_finds(PHYS_PFN(ranges[0].end) + 1, NULL));
    CHECK_EQ(PTR_ERR(devm_memremap_pages(&other, &another.pgmap)), -ENOMEM);
    CHECK_EQ(warnings_take(), 1);
    CHECK(rig_finds(0, &many.pgmap), "the first is still found");

    touch_install();
    REQUIRE_EQ(address_space_init(&file, "dax0.0", NULL), 0);
    REQUIRE_EQ(filemap_add_pages(&file, 0, 0, 64), 0);
    REQUIRE_EQ(devm_add_action(&dev, revoke_views, &file), 0);
    view = vm_mmap(&file, 64 * PAGE_SIZE, PROT_READ | PROT_WRITE, 0);
    REQUIRE(!IS_ERR(view));
    CHECK_EQ(touch_write(view + 63 * PAGE_SIZE, 1), 0);
    pinned = pagemap_get_page(700);
    REQUIRE_NE(pinned, NULL);
    waiter_start(&removal, remove_driver, &dev);
    rig_await_kill(0);
    CHECK(!waiter_is_done_after(&removal, 3000), "it waits for the pin");
    CHECK_EQ(touch_read(view, NULL), SIGBUS);
    CHECK_EQ(touch_by_kernel(view + 63 * PAGE_SIZE), EFAULT);
    CHECK_EQ(pagemap_get_page(700), NULL);
    CHECK_EQ(request_mem_region(0, 4096, "early"), NULL, "the region is released after the mapping");
    put_page(pinned);
    waiter_join(&removal);
    CHECK_EQ(iomem_resource.child, NULL);
    CHECK_EQ(vm_munmap(view, 64 * PAGE_SIZE), 0);
    CHECK_EQ(address_space_destroy(&file), 0);
    REQUIRE(!IS_ERR(devm_memremap_pages(&dev, &many.pgmap)), "bound again");
    CHECK_EQ(devres_release_all(&dev), 1);
    CHECK_EQ(devres_release_all(&other), 0);
    CHECK_EQ(warnings_take(), 0);
    rig_unplug(memory);
}

/* I: xen's unpopulated pages, chained through zone_device_data while nobody else has them. */
TEST_CASE(clients, i_xen_unpopulated)
{
    struct pagemap_memory *memory = rig_plug(0, 2 * RIG_MB);
    struct range range = rig_range(0, 2 * RIG_MB);
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_GENERIC, &range, 1);
    struct page *list = NULL, *taken = NULL;
    unsigned count = 0;

    REQUIRE_EQ(rig_map(&pgmap), 0);
    for (uint64_t pfn = 0; pfn < 512; pfn++) {
        struct page *page = pagemap_get_page(pfn);

        REQUIRE_NE(page, NULL);
        page->zone_device_data = list;
        list = page;
    }
    CHECK_EQ(pgmap_nr_references(&pgmap), 512);
    for (unsigned i = 0; i < 100; i++) { /* handed out, and back */
        struct page *page = list;

        list = page->zone_device_data;
        page->zone_device_data = taken;
        taken = page;
    }
    while (taken != NULL) {
        struct page *page = taken;

        taken = page->zone_device_data;
        page->zone_device_data = list;
        list = page;
    }
    while (list != NULL) {
        struct page *page = list;

        list = page->zone_device_data;
        put_page(page);
        count++;
    }
    CHECK_EQ(count, 512);
    CHECK_EQ(pgmap_nr_references(&pgmap), 0);
    memunmap_pages(&pgmap);
    rig_unplug(memory);
}
