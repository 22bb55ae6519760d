// SPDX-License-Identifier: BSD-2-Clause
/* What drivers of the kernel do with the API. */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pagemap/base/fault.h"
#include "test/pagemap/rig.h"
#include "test/pagemap/touch.h"

struct remover {
    struct device *dev;
    uint64_t is_done;
};

static void *remove_driver(void *context)
{
    struct remover *remover = context;

    (void)devres_release_all(remover->dev);
    (void)__atomic_exchange_n(&remover->is_done, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

static bool is_removed_after(struct remover *remover, unsigned microseconds)
{
    (void)usleep(microseconds);
    return __atomic_load_n(&remover->is_done, __ATOMIC_SEQ_CST) != 0;
}

/* What kill_dev_dax() does: views go before the mapping. */
static void revoke_views(void *file)
{
    unmap_mapping_range(file, 0, 0, 1);
    CHECK_EQ(truncate_inode_pages(file, 0), 0);
}

/* A: device-dax, two ranges, large pages, a view. */
TEST_CASE(clients, a_device_dax)
{
    struct pagemap_memory *memory = rig_plug(0, 64 * RIG_MB);
    struct range ranges[2] = {rig_range(0, 16 * RIG_MB), rig_range(32 * RIG_MB, 8 * RIG_MB)};
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_GENERIC, ranges, 2), second = pgmap;
    struct device dev, other;
    struct remover remover = {&dev, 0};
    struct address_space file;
    struct page *pinned;
    pthread_t thread;
    char *view;

    warnings_count();
    device_initialize(&dev, "dax0.0");
    device_initialize(&other, "dax0.1");
    pgmap.vmemmap_shift = 9;
    for (unsigned i = 0; i < 2; i++) {
        REQUIRE_NE(devm_request_mem_region(&dev, ranges[i].start, range_len(&ranges[i]), "dax0.0"), NULL);
        CHECK_EQ(devm_request_mem_region(&other, ranges[i].start, range_len(&ranges[i]), "dax0.1"), NULL);
    }
    REQUIRE(!IS_ERR(devm_memremap_pages(&dev, &pgmap)));
    CHECK(rig_finds(0, &pgmap));
    CHECK(rig_finds(PHYS_PFN(ranges[1].end), &pgmap));
    CHECK(rig_finds(PHYS_PFN(ranges[0].end) + 1, NULL));
    CHECK_EQ(PTR_ERR(devm_memremap_pages(&other, &second)), -ENOMEM);
    CHECK_EQ(warnings_take(), 1);
    CHECK(rig_finds(0, &pgmap), "the first is still found");

    touch_install();
    REQUIRE_EQ(address_space_init(&file, "dax0.0", NULL), 0);
    REQUIRE_EQ(filemap_add_pages(&file, 0, 0, 64), 0);
    REQUIRE_EQ(devm_add_action(&dev, revoke_views, &file), 0);
    view = vm_mmap(&file, 64 * PAGE_SIZE, PROT_READ | PROT_WRITE, 0);
    REQUIRE(!IS_ERR(view));
    CHECK_EQ(touch_write(view + 63 * PAGE_SIZE, 1), 0);
    pinned = pagemap_get_page(700);
    REQUIRE_NE(pinned, NULL);
    REQUIRE_EQ(pthread_create(&thread, NULL, remove_driver, &remover), 0);
    while (!rig_finds(0, NULL)) {
    }
    CHECK(!is_removed_after(&remover, 3000), "it waits for the pin");
    CHECK_EQ(touch_read(view, NULL), SIGBUS);
    CHECK_EQ(touch_by_kernel(view + 63 * PAGE_SIZE), EFAULT);
    CHECK_EQ(pagemap_get_page(700), NULL);
    CHECK_EQ(request_mem_region(0, 4096, "early"), NULL, "the region is released after the mapping");
    put_page(pinned);
    (void)pthread_join(thread, NULL);
    CHECK_EQ(iomem_resource.child, NULL);
    CHECK_EQ(vm_munmap(view, 64 * PAGE_SIZE), 0);
    CHECK_EQ(address_space_destroy(&file), 0);
    REQUIRE(!IS_ERR(devm_memremap_pages(&dev, &pgmap)), "bound again");
    CHECK_EQ(devres_release_all(&dev), 1);
    CHECK_EQ(devres_release_all(&other), 0);
    CHECK_EQ(warnings_take(), 0);
    rig_unplug(memory);
}

/* D: p2pdma. Chunks of a BAR come from a pool; each holds a page. Bug 11: the error path freed what devres had. */
TEST_CASE(clients, d_p2pdma_failed_probe)
{
    struct pagemap_memory *memory = rig_plug(0, 4 * RIG_MB);
    struct range range = rig_range(0, 4 * RIG_MB);
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_PCI_P2PDMA, &range, 1);
    struct device dev;
    struct remover remover = {&dev, 0};
    struct page *chunk[4];
    pthread_t thread;

    warnings_count();
    device_initialize(&dev, "0000:01:00.0");
    REQUIRE(!IS_ERR(devm_memremap_pages(&dev, &pgmap)));
    devm_memunmap_pages(&dev, &pgmap); /* the pool could not be made: unmap, then free pgmap */
    memset(&pgmap, 0xaa, sizeof pgmap);
    CHECK_EQ(devres_release_all(&dev), 0, "devres does not point at it any more");
    CHECK(rig_finds(0, NULL));

    pgmap = rig_pgmap(MEMORY_DEVICE_PCI_P2PDMA, &range, 1);
    rig_freed = 0;
    REQUIRE(!IS_ERR(devm_memremap_pages(&dev, &pgmap)));
    for (unsigned i = 0; i < 4; i++) {
        chunk[i] = pagemap_get_page(i * 16);
        REQUIRE_NE(chunk[i], NULL);
        CHECK(is_pci_p2pdma_page(chunk[i]));
    }
    CHECK_EQ(pgmap_nr_references(&pgmap), 4);
    REQUIRE_EQ(pthread_create(&thread, NULL, remove_driver, &remover), 0);
    while (!rig_finds(0, NULL)) {
    }
    CHECK_EQ(pagemap_get_page(64), NULL, "no allocation after the kill");
    for (unsigned i = 0; i < 4; i++) {
        CHECK(!is_removed_after(&remover, 500), "%u chunks are out", 4 - i);
        put_page(chunk[i]);
    }
    (void)pthread_join(thread, NULL);
    CHECK_EQ(rig_freed, 4);
    CHECK_EQ(warnings_take(), 0);
    rig_unplug(memory);
}

enum { BAR_PAGES = 32 };

/*
 * D, its mmap: chunks of the window are put into a file and shown to a process. A step that fails in the middle leaves
 * neither references (bug 34) nor counts (bug 35) behind, and the removal takes the view away before it waits.
 */
TEST_CASE(clients, d_p2pdma_mmap)
{
    struct pagemap_memory *memory = rig_plug(0, 4 * RIG_MB);
    struct range range = rig_range(0, 4 * RIG_MB);
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_PCI_P2PDMA, &range, 1);
    struct device dev;
    struct remover remover = {&dev, 0};
    struct address_space file;
    struct page *pinned;
    unsigned failed = 0;
    pthread_t thread;
    char *view = NULL;

    warnings_count();
    touch_install();
    device_initialize(&dev, "0000:01:00.0");
    REQUIRE(!IS_ERR(devm_memremap_pages(&dev, &pgmap)));
    REQUIRE_EQ(address_space_init(&file, "p2pmem", NULL), 0);
    REQUIRE_EQ(devm_add_action(&dev, revoke_views, &file), 0);
    for (unsigned step = 1; view == NULL; step++) {
        int error;

        (void)pm_fault_arm(step);
        error = filemap_add_pages(&file, 0, 64, BAR_PAGES);
        if (error == 0) {
            view = vm_mmap(&file, BAR_PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE, 0);
        }
        if (pm_fault_arm(0) == 0) {
            failed += error != 0 || IS_ERR(view);
            if (error == 0 && !IS_ERR(view)) { /* the view only fell back to the overlay */
                CHECK_EQ(vm_munmap(view, BAR_PAGES * PAGE_SIZE), 0);
            }
            view = NULL;
            CHECK_EQ(truncate_inode_pages(&file, 0), 0);
        }
        CHECK_EQ(pgmap_nr_references(&pgmap), view == NULL ? 0 : BAR_PAGES);
        CHECK_EQ(page_count(pfn_to_page(64)), 0);
        REQUIRE_LT(step, 100u);
    }
    CHECK_GE(failed, 3u);
    REQUIRE(!IS_ERR(view));
    CHECK_EQ(touch_write(view + 5 * PAGE_SIZE, 42), 0);
    REQUIRE_EQ(pin_user_pages((uintptr_t)view + 5 * PAGE_SIZE, 1, FOLL_WRITE, &pinned), 1);
    CHECK(is_pci_p2pdma_page(pinned));
    REQUIRE_EQ(pthread_create(&thread, NULL, remove_driver, &remover), 0);
    while (touch_read(view + 31 * PAGE_SIZE, NULL) == 0) {
    }
    CHECK(!is_removed_after(&remover, 3000), "a peer has a page");
    CHECK_EQ(touch_by_kernel(view + 5 * PAGE_SIZE), EFAULT);
    CHECK_EQ(*(char *)page_address(pinned), 42, "which it may use until it puts it");
    unpin_user_page(pinned);
    (void)pthread_join(thread, NULL);
    CHECK(rig_finds(64, NULL));
    CHECK_EQ(vm_munmap(view, BAR_PAGES * PAGE_SIZE), 0);
    CHECK_EQ(address_space_destroy(&file), 0);
    CHECK_EQ(warnings_take(), 0);
    rig_unplug(memory);
}

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
    static const struct dev_pagemap_ops ops = {hmm_page_free, rig_migrate_to_ram, NULL};
    struct resource *region = request_free_mem_region(&iomem_resource, CHUNK_PAGES * PAGE_SIZE, "hmm");
    struct range range;
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_PRIVATE, &range, 1);
    struct page *held[CHUNK_PAGES], *page;

    warnings_count();
    REQUIRE(!IS_ERR(region));
    range = rig_range(region->start, resource_size(region));
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
    release_mem_region(range.start, range_len(&range));
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
    static const struct dev_pagemap_ops ops = {chunk_page_free, rig_migrate_to_ram, NULL};
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

/* G: kmem. RAM may not be mapped again, also where it is nested below a window (bug 39). */
TEST_CASE(clients, g_kmem)
{
    struct resource window = {RIG_GB, 3 * RIG_GB - 1, "CXL Window 0", IORESOURCE_MEM, NULL, NULL, NULL};
    struct resource ram = {RIG_GB, 2 * RIG_GB - 1, "System RAM (kmem)", IORESOURCE_SYSTEM_RAM, NULL, NULL,
                           NULL};
    struct pagemap_memory *memory = rig_plug(RIG_GB, 2 * RIG_GB);
    struct range range = rig_range(RIG_GB + 4 * RIG_MB, 2 * RIG_MB);
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_GENERIC, &range, 1);

    REQUIRE_EQ(insert_resource(&iomem_resource, &window), 0);
    REQUIRE_EQ(insert_resource(&iomem_resource, &ram), 0);
    CHECK_EQ(rig_map(&pgmap), -ENXIO);
    range = rig_range(2 * RIG_GB - 2 * RIG_MB, 4 * RIG_MB);
    CHECK_EQ(rig_map(&pgmap), -ENXIO, "half of it");
    CHECK(rig_finds(PHYS_PFN(range.end), NULL));
    range = rig_range(2 * RIG_GB, 4 * RIG_MB);
    REQUIRE_EQ(rig_map(&pgmap), 0, "the part of the window that is no RAM");
    memunmap_pages(&pgmap);
    CHECK_EQ(release_resource(&ram), 0);
    CHECK_EQ(release_resource(&window), 0);
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
