// SPDX-License-Identifier: BSD-2-Clause
/* memory_failure(): client sequence B's part, and what a poisoned page still is. */
#include <errno.h>
#include <pthread.h>

#include "test/pagemap/file_rig.h"

static uint64_t told_pfn, told_pages, told_times;
static int told_flags, op_result;
static struct dev_pagemap *told_pgmap;

static int note_failure(struct dev_pagemap *pgmap, uint64_t pfn, uint64_t nr_pages, int flags)
{
    told_pgmap = pgmap;
    told_pfn = pfn;
    told_pages = nr_pages;
    told_flags = flags;
    told_times++;
    return op_result;
}

static const struct dev_pagemap_ops ops = {rig_page_free, rig_migrate_to_ram, note_failure, NULL};

static void set_up_with_op(struct file_rig *rig)
{
    file_rig_set_up(rig, MEMORY_DEVICE_FS_DAX);
    rig->pgmap.ops = &ops;
    told_times = 0;
    op_result = 0;
}

TEST_CASE(poison, bug17_client_b_errors_in_order)
{
    const uint64_t base = 16 * RIG_GB, first = PHYS_PFN(base);
    struct pagemap_memory *memory = rig_plug(base, 8 * RIG_MB);
    struct range range = rig_range(base, 8 * RIG_MB);
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_FS_DAX, &range, 1);

    warnings_count();
    pgmap.flags = PGMAP_ALTMAP_VALID;
    pgmap.altmap = (struct vmem_altmap){.base_pfn = first, .reserve = 2, .free = 62};
    pgmap.ops = &ops;
    told_times = 0;
    REQUIRE_EQ(rig_map(&pgmap), 0);
    CHECK_EQ(memory_failure(first - 1, 0), -ENXIO, "unknown");
    CHECK_EQ(memory_failure(first, 0), -ENXIO, "the info block");
    CHECK_EQ(memory_failure(first + 63, 0), -ENXIO, "metadata (bug 17)");
    CHECK_EQ(told_times, 0);
    op_result = 0;
    CHECK_EQ(memory_failure(first + 64, MF_ACTION_REQUIRED), 0);
    CHECK_EQ(told_times, 1);
    CHECK_EQ(told_pgmap, &pgmap);
    CHECK_EQ(told_pfn, first + 64);
    CHECK_EQ(told_pages, 1);
    CHECK_EQ(told_flags, MF_ACTION_REQUIRED);
    op_result = -EIO;
    CHECK_EQ(memory_failure(first + 65, 0), -EIO, "what the driver says");
    op_result = -EOPNOTSUPP;
    CHECK_EQ(memory_failure(first + 66, 0), -EBUSY, "it declined, and no file has the page");
    CHECK(!PageHWPoison(pfn_to_page(first + 66)), "nobody could be told: nothing happened");
    CHECK_EQ(pgmap_nr_references(&pgmap), 0);
    memunmap_pages(&pgmap);
    CHECK_EQ(memory_failure(first + 64, 0), -ENXIO, "gone");
    REQUIRE_EQ(rig_map(&pgmap), 0);
    CHECK(!PageHWPoison(pfn_to_page(first + 64)), "a new life");
    memunmap_pages(&pgmap);
    CHECK_EQ(warnings_take(), 0);
    rig_unplug(memory);
}

TEST_CASE(poison, allocated_types_are_refused)
{
    struct file_rig rig;

    file_rig_set_up(&rig, MEMORY_DEVICE_COHERENT);
    CHECK_EQ(memory_failure(5, 0), -ENXIO);
    file_rig_tear_down(&rig);
    file_rig_set_up(&rig, MEMORY_DEVICE_PRIVATE);
    CHECK_EQ(memory_failure(5, 0), -ENXIO);
    file_rig_tear_down(&rig);
}

/* The views of that page, and of no other, are revoked before the driver is asked; and it is good for nothing. */
static void check_poison(enum pagemap_revocation how)
{
    struct file_rig rig;
    struct page *page, *none, *pages[8];
    char *view;

    if (pagemap_set_revocation(how) != 0) {
        TEST_SKIP("%s", pagemap_revocation_report());
    }
    set_up_with_op(&rig);
    op_result = -EOPNOTSUPP;
    REQUIRE_EQ(filemap_add_pages(&rig.file, 40, 0, 8), 0);
    view = file_rig_view(&rig, 40, 8);
    page = find_get_page(&rig.file, 43);
    REQUIRE_EQ(page, pfn_to_page(3));
    CHECK_EQ(memory_failure(3, 0), 0, "the usual: the page is in a file");
    CHECK_EQ(told_times, 1);
    CHECK(PageHWPoison(page));
    for (uint64_t i = 0; i < 8; i++) {
        CHECK_EQ(touch_read(view + i * PAGE_SIZE, NULL), i == 3 ? SIGBUS : 0);
    }
    CHECK_EQ(touch_by_kernel(view + 3 * PAGE_SIZE), EFAULT);
    CHECK_EQ(find_get_page(&rig.file, 43), NULL);
    CHECK_EQ(pagemap_get_page(3), NULL);
    CHECK_EQ(zone_device_page_init(page), -EHWPOISON);
    CHECK_EQ(get_user_pages((uintptr_t)view + 3 * PAGE_SIZE, 1, 0, &none), -EFAULT);
    CHECK_EQ(get_user_pages((uintptr_t)view + 3 * PAGE_SIZE, 1, FOLL_HWPOISON, &none), -EHWPOISON);
    CHECK_EQ(fixup_user_fault((uintptr_t)view + 3 * PAGE_SIZE, 0), -EHWPOISON);
    CHECK_EQ(pin_user_pages((uintptr_t)view, 8, 0, pages), 3, "up to it");
    unpin_user_pages(pages, 3);
    CHECK_EQ(map_mapping_range(&rig.file, 0, 0), 0);
    CHECK_EQ(touch_read(view + 3 * PAGE_SIZE, NULL), SIGBUS, "not by mapping it again");
    CHECK_EQ(touch_read(view + 4 * PAGE_SIZE, NULL), 0);
    CHECK_EQ(page_count(page), 1, "who has it keeps it");
    put_page(page);

    CHECK_EQ(truncate_inode_pages(&rig.file, 0), 0);
    CHECK_EQ(filemap_add_pages(&rig.file, 0, 0, 8), -EHWPOISON);
    CHECK_EQ(filemap_add_pages(&rig.file, 0, 4, 4), 0);
    CHECK_EQ(unpoison_memory(3), 0);
    CHECK_EQ(unpoison_memory(3), -ENXIO);
    CHECK_EQ(unpoison_memory(99999), -ENXIO);
    CHECK_EQ(filemap_add_pages(&rig.file, 40, 0, 4), 0);
    CHECK_EQ(touch_read(view + 3 * PAGE_SIZE, NULL), 0, "good again");
    CHECK_EQ(vm_munmap(view, 8 * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

TEST_CASE(poison, views_revoke_by_userfaultfd)
{
    check_poison(PAGEMAP_REVOKE_UFFD);
}

TEST_CASE(poison, views_revoke_by_the_overlay)
{
    check_poison(PAGEMAP_REVOKE_OVERLAY);
}

/* Without an op, in a file. And the op sees views that are revoked already. */
static char *watched;

static int look(struct dev_pagemap *pgmap, uint64_t pfn, uint64_t nr_pages, int flags)
{
    (void)pgmap, (void)pfn, (void)nr_pages, (void)flags;
    return touch_read(watched, NULL) == SIGBUS ? 0 : -EIO;
}

TEST_CASE(poison, the_driver_is_asked_last)
{
    static const struct dev_pagemap_ops looking = {rig_page_free, rig_migrate_to_ram, look, NULL};
    struct file_rig rig;

    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    rig.pgmap.ops = &looking;
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, 2), 0);
    watched = file_rig_view(&rig, 0, 2);
    CHECK_EQ(memory_failure(0, 0), 0);
    rig.pgmap.ops = NULL;
    CHECK_EQ(memory_failure(1, 0), 0);
    CHECK_EQ(touch_read(watched + PAGE_SIZE, NULL), SIGBUS);
    CHECK_EQ(memory_failure(9, 0), -EBUSY, "in no file, and no op");
    CHECK_EQ(vm_munmap(watched, 2 * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

/* Bug 30: the reference that the caller hands over goes, whatever comes of it. */
TEST_CASE(poison, bug30_the_callers_reference_is_put)
{
    struct file_rig rig;

    set_up_with_op(&rig);
    REQUIRE_NE(pagemap_get_page(7), NULL);
    CHECK_EQ(memory_failure(7, MF_COUNT_INCREASED), 0);
    CHECK_EQ(page_count(pfn_to_page(7)), 0);
    REQUIRE_NE(pagemap_get_page(8), NULL);
    CHECK_EQ(kill_dev_pagemap(&rig.pgmap), 0);
    CHECK_EQ(memory_failure(8, MF_COUNT_INCREASED), -ENXIO, "killed");
    CHECK_EQ(page_count(pfn_to_page(8)), 0);
    CHECK_EQ(memory_failure(99999, MF_COUNT_INCREASED), -ENXIO, "who says so has no reference");
    CHECK_EQ(warnings_take(), 1);
    file_rig_tear_down(&rig);
}

/* And before the driver is asked, who may wait for the page, as file systems do that take it out of the file. */
static struct file_rig *truncated;

static int truncate_the_page(struct dev_pagemap *pgmap, uint64_t pfn, uint64_t nr_pages, int flags)
{
    uint64_t start = page_index(pfn_to_page(pfn)) * PAGE_SIZE;

    (void)pgmap, (void)flags;
    return truncate_inode_pages_range(&truncated->file, start, start + nr_pages * PAGE_SIZE - 1);
}

TEST_CASE(poison, the_driver_may_truncate)
{
    static const struct dev_pagemap_ops truncating = {NULL, NULL, truncate_the_page, NULL};
    struct file_rig rig;

    file_rig_set_up(&rig, MEMORY_DEVICE_FS_DAX);
    rig.pgmap.ops = &truncating;
    truncated = &rig;
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, 8), 0);
    REQUIRE_NE(find_get_page(&rig.file, 5), NULL);
    CHECK_EQ(memory_failure(5, MF_COUNT_INCREASED), 0);
    CHECK_EQ(mapping_nr_pages(&rig.file), 7);
    file_rig_tear_down(&rig);
}
