// SPDX-License-Identifier: BSD-2-Clause
/* Client sequence E with a view: pages of device-private memory come back when somebody wants them. */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "test/pagemap/file_rig.h"

/* The rig's device is what pages come back to; its page 0 is the next free one. */
static struct file_rig rig;
static uint64_t migrations;
static int migrate_result;

static int bring_back(struct vm_fault *vmf)
{
    uint64_t index = page_index(vmf->page), offset = index * PAGE_SIZE;

    migrations++;
    if (migrate_result != 0) {
        return migrate_result == 1 ? 0 : migrate_result; /* 1: says it did, and did not */
    }
    CHECK_EQ(page_count(vmf->page), 2, "the file's reference and that of the fault");
    CHECK_EQ(truncate_inode_pages_range(&rig.file, offset, offset + PAGE_SIZE - 1), 0);
    return filemap_add_pages(&rig.file, index, index, 1);
}

TEST_CASE(migrate, client_e_hmm_gup)
{
    static const struct dev_pagemap_ops ops = {rig_page_free, bring_back, NULL};
    struct resource *region = request_free_mem_region(&iomem_resource, 2 * RIG_MB, "hmm");
    struct range range;
    struct dev_pagemap device = rig_pgmap(MEMORY_DEVICE_PRIVATE, &range, 1);
    struct page *pages[4];
    uint64_t first;
    char *view;

    REQUIRE(!IS_ERR(region));
    range = rig_range(region->start, resource_size(region));
    first = PHYS_PFN(range.start);
    device.ops = &ops;
    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(rig_map(&device), 0);
    rig_freed = migrations = 0;
    migrate_result = 0;
    for (uint64_t i = 0; i < 4; i++) {
        REQUIRE_EQ(zone_device_page_init(pfn_to_page(first + i)), 0);
        unlock_page(pfn_to_page(first + i));
    }
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, first, 4), 0);
    view = file_rig_view(&rig, 0, 4);
    CHECK_EQ(touch_read(view, NULL), SIGBUS, "no CPU sees it");
    CHECK_EQ(get_user_pages_fast_only((uintptr_t)view, 1, 0, pages), 0, "nor asks for it");
    CHECK_EQ(migrations, 0);
    migrate_result = -ENOMEM;
    CHECK_EQ(get_user_pages((uintptr_t)view, 1, 0, pages), -EFAULT);
    migrate_result = 1;
    CHECK_EQ(get_user_pages((uintptr_t)view, 1, 0, pages), -EFAULT,
             "a driver that lies is asked no end of times");
    CHECK_EQ(page_count(pfn_to_page(first)), 1, "no reference was lost");
    put_page(pfn_to_page(first + 3)); /* which was the file's */
    CHECK_EQ(get_user_pages((uintptr_t)view + 3 * PAGE_SIZE, 1, 0, pages), -EFAULT,
             "nor is a page waited for that nobody holds");
    REQUIRE_EQ(zone_device_page_init(pfn_to_page(first + 3)), 0);
    unlock_page(pfn_to_page(first + 3));
    rig_freed = 0;
    migrate_result = 0;
    migrations = 0;
    CHECK_EQ(fixup_user_fault((uintptr_t)view, FOLL_WRITE), 0);
    CHECK_EQ(migrations, 1);
    CHECK_EQ(touch_write(view, 1), 0);
    CHECK_EQ(pin_user_pages((uintptr_t)view, 4, FOLL_WRITE, pages), 4);
    CHECK_EQ(migrations, 4, "one for each page that was away");
    CHECK_EQ(rig_freed, 4);
    CHECK_EQ(pages[3], pfn_to_page(3));
    unpin_user_pages(pages, 4);
    CHECK_EQ(pgmap_nr_references(&device), 0);
    CHECK_EQ(memunmap_pages(&device), 0);
    release_mem_region(range.start, range_len(&range));
    CHECK_EQ(vm_munmap(view, 4 * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

/* ---- test_hmm with the bytes that its device keeps where no CPU sees them ---- */

enum { HMM_PAGES = 16 };

static unsigned char device_bytes[HMM_PAGES][PAGE_SIZE];
static struct range hmm_range;
static struct page *hmm_free[HMM_PAGES];
static unsigned nr_hmm_free, allocated, freed;

static void hmm_page_free(struct page *page)
{
    hmm_free[nr_hmm_free++] = page;
    freed++;
}

static unsigned char *bytes_of(const struct page *page)
{
    return device_bytes[page_to_pfn(page) - PHYS_PFN(hmm_range.start)];
}

/* Page `index` of the file is the rig's page `index` when it is in memory. */
static void swap_in(uint64_t index, uint64_t pfn)
{
    CHECK_EQ(truncate_inode_pages_range(&rig.file, index * PAGE_SIZE, (index + 1) * PAGE_SIZE - 1), 0);
    CHECK_EQ(filemap_add_pages(&rig.file, index, pfn, 1), 0);
}

/* dmirror_migrate_to_device(): false if the device has no page left. */
static bool migrate_out(uint64_t index)
{
    struct page *from = pagemap_get_page(index), *page;

    REQUIRE_NE(from, NULL);
    page = nr_hmm_free == 0 ? NULL : hmm_free[--nr_hmm_free];
    if (page != NULL) {
        REQUIRE_EQ(zone_device_page_init(page), 0);
        allocated++;
        memcpy(bytes_of(page), page_address(from), PAGE_SIZE);
        unlock_page(page);
    }
    put_page(from);
    if (page != NULL) {
        swap_in(index, page_to_pfn(page));
    }
    return page != NULL;
}

static void migrate_back(struct page *page)
{
    uint64_t index = page_index(page);
    struct page *to = pagemap_get_page(index);

    REQUIRE_NE(to, NULL);
    memcpy(page_address(to), bytes_of(page), PAGE_SIZE);
    put_page(to);
    swap_in(index, index);
}

static int hmm_migrate_to_ram(struct vm_fault *vmf)
{
    migrate_back(vmf->page);
    return 0;
}

static const struct dev_pagemap_ops hmm_ops = {hmm_page_free, hmm_migrate_to_ram, NULL};

static void set_up_hmm(struct dev_pagemap *device)
{
    struct resource *region = request_free_mem_region(&iomem_resource, 2 * RIG_MB, "hmm");

    REQUIRE(!IS_ERR(region));
    hmm_range = rig_range(region->start, resource_size(region));
    *device = rig_pgmap(MEMORY_DEVICE_PRIVATE, &hmm_range, 1);
    device->ops = &hmm_ops;
    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(rig_map(device), 0);
    allocated = freed = 0;
    for (nr_hmm_free = 0; nr_hmm_free < HMM_PAGES; nr_hmm_free++) {
        hmm_free[nr_hmm_free] = pfn_to_page(PHYS_PFN(hmm_range.start) + nr_hmm_free);
    }
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, 2 * HMM_PAGES), 0);
}

/* What is left in the device is brought back; nobody may allocate meanwhile (dmirror_device_evict_chunk()). */
static void remove_hmm(void *device)
{
    nr_hmm_free = 0;
    for (uint64_t pfn = PHYS_PFN(hmm_range.start); pfn < PHYS_PFN(hmm_range.start) + HMM_PAGES; pfn++) {
        struct page *page = pagemap_get_page(pfn); /* unless it is idle */

        if (page != NULL) {
            if (page_index(page) != UINT64_MAX) {
                migrate_back(page);
            }
            put_page(page);
        }
    }
    CHECK_EQ(memunmap_pages(device), 0);
    CHECK_EQ(freed, allocated);
    release_mem_region(hmm_range.start, range_len(&hmm_range));
}

/* migrate, migrate_fault, migrate_multiple and double_map: through one view and seen in another. */
TEST_CASE(migrate, client_e_hmm_migrate_and_fault)
{
    struct dev_pagemap device;
    char *view, *twin;

    set_up_hmm(&device);
    view = file_rig_view(&rig, 0, 2 * HMM_PAGES);
    twin = file_rig_view(&rig, 0, 2 * HMM_PAGES);
    for (unsigned round = 1; round <= 5; round++) {
        for (uint64_t i = 0; i < HMM_PAGES; i++) {
            memset(view + i * PAGE_SIZE, (int)(round * 16 + i), PAGE_SIZE);
            CHECK(migrate_out(i));
            CHECK_EQ(touch_read(view + i * PAGE_SIZE, NULL), SIGBUS);
            CHECK_EQ(touch_read(twin + i * PAGE_SIZE, NULL), SIGBUS);
        }
        CHECK(!migrate_out(HMM_PAGES), "the device is full");
        CHECK_EQ(touch_read(view + HMM_PAGES * PAGE_SIZE, NULL), 0, "and that page stayed");
        for (uint64_t i = 0; i < HMM_PAGES; i++) {
            char *faulting = i % 2 == 0 ? view : twin;

            CHECK_EQ(fixup_user_fault((uintptr_t)faulting + i * PAGE_SIZE, FOLL_WRITE), 0);
            CHECK_EQ((unsigned char)view[i * PAGE_SIZE + 77], round * 16 + i);
            CHECK_EQ((unsigned char)twin[i * PAGE_SIZE + 4095], round * 16 + i);
        }
        CHECK_EQ(freed, allocated);
    }
    CHECK_EQ(allocated, 5u * HMM_PAGES);
    CHECK_EQ(vm_munmap(view, 2 * HMM_PAGES * PAGE_SIZE), 0);
    CHECK_EQ(vm_munmap(twin, 2 * HMM_PAGES * PAGE_SIZE), 0);
    remove_hmm(&device);
    file_rig_tear_down(&rig);
}

/* migrate_release, and the removal of the driver: pages that are out when their file ends, or the device. */
TEST_CASE(migrate, client_e_hmm_release_and_remove)
{
    struct dev_pagemap device;
    struct page *held;
    struct waiter waiter;
    char *view;

    set_up_hmm(&device);
    view = file_rig_view(&rig, 0, 2 * HMM_PAGES);
    for (uint64_t i = 0; i < 8; i++) {
        memset(view + i * PAGE_SIZE, (int)i, PAGE_SIZE);
        CHECK(migrate_out(i));
    }
    CHECK_EQ(truncate_inode_pages_range(&rig.file, 0, 4 * PAGE_SIZE - 1), 0);
    CHECK_EQ(freed, 4, "released with the file's part");
    held = pagemap_get_page(PHYS_PFN(hmm_range.start) + HMM_PAGES - 8);
    REQUIRE_NE(held, NULL);
    CHECK_EQ(page_index(held), 7);
    waiter_start(&waiter, remove_hmm, &device);
    while (!rig_finds(page_to_pfn(held), NULL)) {
    }
    CHECK(!waiter_is_done_after(&waiter, 2000), "somebody has a page of it");
    for (uint64_t i = 4; i < 8; i++) {
        CHECK_EQ((unsigned char)view[i * PAGE_SIZE], i, "came back when the driver was removed");
    }
    put_page(held);
    waiter_join(&waiter);
    CHECK_EQ(vm_munmap(view, 2 * HMM_PAGES * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}
