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

static vm_fault_t bring_back(struct vm_fault *vmf)
{
    uint64_t index = page_index(vmf->page), offset = index * PAGE_SIZE;

    migrations++;
    if (migrate_result != 0) {
        return migrate_result != 1 && migrate_result != 0; /* 1: says it did, and did not */
    }
    CHECK_EQ(page_count(vmf->page), 2, "the file's reference and that of the fault");
    CHECK_EQ(truncate_inode_pages_range(&rig.file, offset, offset + PAGE_SIZE - 1), 0);
    return filemap_add_pages(&rig.file, index, index, 1) != 0;
}

TEST_CASE(migrate, client_e_hmm_gup)
{
    static const struct dev_pagemap_ops ops = {rig_page_free, bring_back, NULL, NULL};
    struct resource *region = request_free_mem_region(&iomem_resource, 2 * RIG_MB, "hmm");
    struct range range;
    struct dev_pagemap device;
    struct page *pages[4];
    uint64_t first;
    char *view;

    REQUIRE(!IS_ERR(region));
    range = rig_range(region->start, resource_size(region));
    first = PHYS_PFN(range.start);
    device = rig_pgmap(MEMORY_DEVICE_PRIVATE, &range, 1);
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

static vm_fault_t hmm_migrate_to_ram(struct vm_fault *vmf)
{
    migrate_back(vmf->page);
    return 0;
}

static const struct dev_pagemap_ops hmm_ops = {hmm_page_free, hmm_migrate_to_ram, NULL, NULL};

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
    rig_await_kill(page_to_pfn(held));
    CHECK(!waiter_is_done_after(&waiter, 2000), "somebody has a page of it");
    for (uint64_t i = 4; i < 8; i++) {
        CHECK_EQ((unsigned char)view[i * PAGE_SIZE], i, "came back when the driver was removed");
    }
    put_page(held);
    waiter_join(&waiter);
    CHECK_EQ(vm_munmap(view, 2 * HMM_PAGES * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

/* ---- a page that is put is another's at once ---- */

static struct address_space next_file;
static int next_error;

/* The driver's allocator gives the page to the next who asks, before the truncation that put it has returned. */
static void page_free_and_reuse(struct page *page)
{
    CHECK_EQ(zone_device_page_init(page), 0);
    unlock_page(page);
    next_error = filemap_add_pages(&next_file, 5, page_to_pfn(page), 1);
}

static void take_out_and_reuse(int (*take_out)(struct address_space *mapping, uint64_t start, uint64_t end))
{
    static const struct dev_pagemap_ops ops = {page_free_and_reuse, rig_migrate_to_ram, NULL, NULL};
    static const struct dev_pagemap_ops plain = {rig_page_free, rig_migrate_to_ram, NULL, NULL};
    struct page *page;

    file_rig_set_up(&rig, MEMORY_DEVICE_COHERENT);
    REQUIRE_EQ(address_space_init(&next_file, "next", NULL), 0);
    page = pfn_to_page(PHYS_PFN(rig.range.start));
    rig.pgmap.ops = &ops;
    REQUIRE_EQ(zone_device_page_init(page), 0);
    unlock_page(page);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, page_to_pfn(page), 1), 0);
    next_error = -1;
    CHECK_EQ(take_out(&rig.file, 0, UINT64_MAX), 0);
    CHECK_EQ(next_error, 0, "it is in no file when it is put");
    CHECK_EQ(page_index(page), 5);
    REQUIRE_EQ(pagemap_read_lock(), 0);
    CHECK_EQ(page_mapping(page), &next_file, "and what it is in next is not forgotten");
    pagemap_read_unlock();
    rig.pgmap.ops = &plain;
    CHECK_EQ(truncate_inode_pages(&next_file, 0), 0);
    CHECK_EQ(address_space_destroy(&next_file), 0);
    file_rig_tear_down(&rig);
}

TEST_CASE(migrate, a_page_that_is_truncated_can_be_used_again_at_once)
{
    take_out_and_reuse(truncate_inode_pages_range);
}

TEST_CASE(migrate, a_page_that_is_removed_can_be_used_again_at_once)
{
    take_out_and_reuse(filemap_remove_pages);
}

/* ---- pins for long of pages that must be able to move ---- */

/* Page `index` of the file goes to the rig's page `index`, unless somebody holds it besides the file and the fault. */
static vm_fault_t move_to_ordinary(struct vm_fault *vmf)
{
    uint64_t index = page_index(vmf->page);

    migrations++;
    if (migrate_result != 0 || page_count(vmf->page) != 2) {
        return 1;
    }
    memcpy(page_address(pfn_to_page(index)), page_address(vmf->page), PAGE_SIZE);
    return filemap_replace_page(&rig.file, index, vmf->page, pfn_to_page(index)) != 0;
}

static struct page *put_coherent(uint64_t index)
{
    struct page *page = pfn_to_page(PHYS_PFN(RIG_GB) + index);

    REQUIRE_EQ(zone_device_page_init(page), 0);
    unlock_page(page);
    REQUIRE_EQ(filemap_add_pages(&rig.file, index, page_to_pfn(page), 1), 0);
    return page;
}

TEST_CASE(migrate, longterm_pins_move_coherent_pages_or_none_is_pinned)
{
    static const struct dev_pagemap_ops moves = {rig_page_free, move_to_ordinary, NULL, NULL};
    static const struct dev_pagemap_ops stays = {rig_page_free, NULL, NULL, NULL};
    struct pagemap_memory *memory = rig_plug(RIG_GB, 2 * RIG_MB);
    struct range range = rig_range(RIG_GB, 2 * RIG_MB);
    struct dev_pagemap device = rig_pgmap(MEMORY_DEVICE_COHERENT, &range, 1);
    const unsigned flags = FOLL_WRITE | FOLL_LONGTERM;
    struct page *pages[4], *held;
    char *view;

    device.ops = &stays;
    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(rig_map(&device), 0);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, 2), 0);
    (void)put_coherent(2);
    (void)put_coherent(3);
    view = file_rig_view(&rig, 0, 4);
    memset(view, 5, 4 * PAGE_SIZE);
    rig_freed = migrations = 0;
    migrate_result = 0;
    CHECK_EQ(pin_user_pages((uintptr_t)view, 4, flags, pages), -EBUSY, "nobody can move them");
    CHECK_EQ(page_count(pfn_to_page(0)), 1, "and what was pinned before is not");
    device.ops = &moves;
    CHECK_EQ(pin_user_pages_fast_only((uintptr_t)view + 2 * PAGE_SIZE, 1, flags, pages), 0);
    CHECK_EQ(migrations, 0);
    REQUIRE_EQ(get_user_pages((uintptr_t)view + 3 * PAGE_SIZE, 1, 0, &held), 1);
    CHECK_EQ(pin_user_pages((uintptr_t)view, 4, flags, pages), -EBUSY, "one is held");
    CHECK_EQ(migrations, 2);
    CHECK_EQ(page_count(pfn_to_page(2)), 1, "the other one went, and is not pinned");
    put_page(held);
    CHECK_EQ(pin_user_pages((uintptr_t)view, 4, 0, pages), 4, "a short pin moves nothing");
    CHECK_EQ(migrations, 2);
    unpin_user_pages(pages, 4);
    migrate_result = -ENOMEM;
    CHECK_EQ(pin_user_pages((uintptr_t)view, 4, flags, pages), -EBUSY);
    migrate_result = 0;
    REQUIRE_EQ(pin_user_pages((uintptr_t)view, 4, flags, pages), 4);
    for (uint64_t i = 0; i < 4; i++) {
        CHECK_EQ(pages[i], pfn_to_page(i));
        CHECK_EQ(*(char *)page_address(pages[i]), 5);
    }
    CHECK_EQ(pgmap_nr_references(&device), 0);
    unpin_user_pages(pages, 4);
    CHECK_EQ(vm_munmap(view, 4 * PAGE_SIZE), 0);
    CHECK_EQ(memunmap_pages(&device), 0);
    rig_unplug(memory);
    file_rig_tear_down(&rig);
}

/* What stands for ordinary memory is where they would go. */
TEST_CASE(migrate, longterm_pins_of_ordinary_memory)
{
    struct page *page;
    char *view;

    file_rig_set_up(&rig, MEMORY_DEVICE_COHERENT);
    REQUIRE_EQ(memunmap_pages(&rig.pgmap), 0);
    rig.pgmap.flags = PGMAP_SYSTEM_RAM;
    REQUIRE_EQ(rig_map(&rig.pgmap), 0);
    REQUIRE_EQ(zone_device_page_init(pfn_to_page(0)), 0);
    unlock_page(pfn_to_page(0));
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, 1), 0);
    view = file_rig_view(&rig, 0, 1);
    REQUIRE_EQ(pin_user_pages((uintptr_t)view, 1, FOLL_WRITE | FOLL_LONGTERM, &page), 1);
    unpin_user_page(page);
    CHECK_EQ(vm_munmap(view, PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}
