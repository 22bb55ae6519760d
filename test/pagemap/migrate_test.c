// SPDX-License-Identifier: BSD-2-Clause
/* Client sequence E with a view: pages of device-private memory come back when somebody wants them. */
#include <errno.h>
#include <pthread.h>

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
