// SPDX-License-Identifier: BSD-2-Clause
/* Files of device pages: putting pages in, what that keeps alive, and truncation. Client sequences C and H. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "test/pagemap/faults.h"
#include "test/pagemap/file_rig.h"

static void truncate_all(void *file)
{
    CHECK_EQ(truncate_inode_pages(file, 0), 0);
}

static void unmap_device(void *pgmap)
{
    CHECK_EQ(memunmap_pages(pgmap), 0);
}

TEST_CASE(file, errors_in_order)
{
    struct range other_range = rig_range(8 * RIG_MB, 2 * RIG_MB);
    struct pagemap_memory *other_memory = rig_plug(8 * RIG_MB, 2 * RIG_MB);
    struct dev_pagemap other = rig_pgmap(MEMORY_DEVICE_COHERENT, &other_range, 1);
    struct address_space second;
    struct file_rig rig;

    file_rig_set_up(&rig, MEMORY_DEVICE_FS_DAX);
    REQUIRE_EQ(rig_map(&other), 0);
    REQUIRE_EQ(address_space_init(&second, "second", NULL), 0);
    CHECK_EQ(filemap_add_pages(&rig.file, 0, 0, 0), -EINVAL);
    CHECK_EQ(filemap_add_pages(&rig.file, UINT64_MAX, 0, 2), -EINVAL);
    CHECK_EQ(filemap_add_pages(&rig.file, 0, UINT64_MAX, 2), -EINVAL);
    CHECK_EQ(filemap_add_pages(&rig.file, 0, 1024, 1), -ENXIO, "nobody's pfn");
    CHECK_EQ(filemap_add_pages(&rig.file, 0, 1023, 2), -ENXIO, "beyond the device");
    CHECK_EQ(filemap_add_pages(&rig.file, 0, 2048, 1), -EAGAIN, "COHERENT and idle");
    REQUIRE_EQ(filemap_add_pages(&rig.file, 10, 0, 10), 0);
    CHECK_EQ(filemap_add_pages(&rig.file, 100, 9, 2), -EBUSY, "in this file already");
    CHECK_EQ(filemap_add_pages(&second, 0, 5, 1), -EBUSY, "in another file already");
    CHECK_EQ(filemap_add_pages(&rig.file, 9, 500, 2), -EEXIST, "there is a page");
    CHECK_EQ(filemap_add_pages(&rig.file, 19, 500, 2), -EEXIST);
    CHECK_EQ(mapping_nr_pages(&rig.file), 10);
    CHECK_EQ(pgmap_nr_references(&rig.pgmap), 10, "failures hold nothing");
    CHECK_EQ(filemap_add_pages(&second, 0, 500, 2), 0, "pages of a failure are nobody's");
    REQUIRE_EQ(pagemap_read_lock(), 0);
    CHECK_EQ(page_mapping(pfn_to_page(501)), &second);
    CHECK_EQ(page_mapping(pfn_to_page(502)), NULL);
    pagemap_read_unlock();
    CHECK_EQ(warnings_take(), 0);
    CHECK_EQ(page_mapping(pfn_to_page(502)), NULL);
    CHECK_EQ(warnings_take(), 1, "outside of a read section");
    CHECK_EQ(truncate_inode_pages_range(&rig.file, 10, 9), -EINVAL);
    CHECK_EQ(find_get_page(&rig.file, 9), NULL);
    truncate_all(&second);
    CHECK_EQ(address_space_destroy(&second), 0);
    CHECK_EQ(memunmap_pages(&other), 0);
    rig_unplug(other_memory);
    file_rig_tear_down(&rig);
}

/* Bugs 34 and 35: an insertion that fails in the middle must leave neither references nor pages behind. */
TEST_CASE(file, bug34_bug35_each_failing_step_leaves_nothing_behind)
{
    for (unsigned how = PAGEMAP_REVOKE_AUTO; how <= PAGEMAP_REVOKE_OVERLAY; how += 2) {
        struct file_rig rig;
        unsigned failed = 0;
        bool all = false;
        char *views[3];

        REQUIRE_EQ(pagemap_set_revocation((enum pagemap_revocation)how), 0);
        file_rig_set_up(&rig, MEMORY_DEVICE_PCI_P2PDMA);
        for (unsigned i = 0; i < 3; i++) {
            views[i] = file_rig_view(&rig, i * 2, 8);
        }
        for (unsigned step = 1; !all; step++) {
            int error;

            (void)pm_fault_arm(step);
            error = filemap_add_pages(&rig.file, 0, 100, 16);
            all = pm_fault_arm(0) != 0;
            CHECK_EQ(pgmap_nr_references(&rig.pgmap), error == 0 ? 16 : 0);
            CHECK_EQ(page_count(pfn_to_page(100)), 0);
            CHECK_EQ(mapping_nr_pages(&rig.file), error == 0 ? 16 : 0);
            for (unsigned i = 0; i < 3; i++) {
                CHECK_EQ(touch_read(views[i], NULL), error == 0 ? 0 : SIGBUS);
            }
            if (error == 0) {
                truncate_all(&rig.file);
            } else {
                CHECK_EQ(error, -ENOMEM);
                failed++;
            }
        }
        CHECK_GE(failed, how == PAGEMAP_REVOKE_OVERLAY ? 5u : 3u);
        for (unsigned i = 0; i < 3; i++) {
            CHECK_EQ(vm_munmap(views[i], 8 * PAGE_SIZE), 0);
        }
        file_rig_tear_down(&rig);
    }
}

/* Client sequence C. */
TEST_CASE(file, client_c_fs_truncate)
{
    struct waiter waiter;
    struct file_rig rig;
    struct page *page;
    char *view;

    file_rig_set_up(&rig, MEMORY_DEVICE_FS_DAX);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 64, 32), 0);
    view = file_rig_view(&rig, 0, 32);
    page = find_get_page(&rig.file, 20);
    REQUIRE_EQ(page, pfn_to_page(84));
    REQUIRE_EQ(pin_user_pages((uintptr_t)view + 20 * PAGE_SIZE, 1, FOLL_WRITE, &page), 1);
    REQUIRE_EQ(page, pfn_to_page(84));
    memset(view + 20 * PAGE_SIZE, 9, PAGE_SIZE);

    waiter_start(&waiter, truncate_all, &rig.file);
    while (touch_read(view + 31 * PAGE_SIZE, NULL) == 0) { /* until it has begun */
        (void)usleep(100);
    }
    CHECK(!waiter_is_done_after(&waiter, 3000));
    for (uint64_t i = 0; i < 32; i++) {
        CHECK_EQ(touch_read(view + i * PAGE_SIZE, NULL), SIGBUS, "views go first");
    }
    CHECK_EQ(find_get_page(&rig.file, 20), NULL);
    CHECK_EQ(page_index(page), 20, "until it is idle, it is known where it was");
    CHECK_EQ(*(char *)page_address(page), 9, "who pinned it has it whole");
    CHECK_EQ(address_space_destroy(&rig.file), -EBUSY);
    unpin_user_page(page);
    CHECK(!waiter_is_done_after(&waiter, 3000), "one of two");
    put_page(page);
    waiter_join(&waiter);
    CHECK_EQ(page_index(page), UINT64_MAX);
    CHECK_EQ(pgmap_nr_references(&rig.pgmap), 0);

    /* many at once, to idle (bug 20) */
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 64, 32), 0);
    page = find_get_page(&rig.file, 3);
    REQUIRE_NE(page, NULL);
    for (unsigned i = 0; i < 6; i++) {
        get_page(page);
    }
    waiter_start(&waiter, truncate_all, &rig.file);
    CHECK(!waiter_is_done_after(&waiter, 2000));
    put_page_many(page, 7);
    waiter_join(&waiter);
    CHECK_EQ(pin_user_pages((uintptr_t)view, 1, FOLL_LONGTERM, &page), -EOPNOTSUPP, "bug 26");
    CHECK_EQ(vm_munmap(view, 32 * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

/* Bug 31: busy pages that are locked were skipped. And every busy page is waited for, not only the first. */
TEST_CASE(file, bug31_locked_pages_are_waited_for)
{
    struct page *page[3];
    struct waiter waiter;
    struct file_rig rig;

    file_rig_set_up(&rig, MEMORY_DEVICE_FS_DAX);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, 1024), 0);
    for (unsigned i = 0; i < 3; i++) {
        page[i] = find_get_page(&rig.file, i * 400 + 63);
        REQUIRE_NE(page[i], NULL);
        lock_page(page[i]);
    }
    waiter_start(&waiter, truncate_all, &rig.file);
    for (unsigned i = 0; i < 3; i++) {
        CHECK(!waiter_is_done_after(&waiter, 1000), "%u", i);
        unlock_page(page[2 - i]);
        CHECK(!waiter_is_done_after(&waiter, 1000), "%u", i);
        put_page(page[2 - i]);
    }
    waiter_join(&waiter);
    file_rig_tear_down(&rig);
}

/* Bug 32: holes and pages that nobody ever touched have no page to look at. */
TEST_CASE(file, bug32_holes_are_no_pages)
{
    struct file_rig rig;

    file_rig_set_up(&rig, MEMORY_DEVICE_FS_DAX);
    CHECK_EQ(truncate_inode_pages(&rig.file, 0), 0, "an empty file");
    CHECK_EQ(dax_layout_busy_page_range(&rig.file, 0, UINT64_MAX), NULL);
    for (uint64_t i = 0; i < 100; i++) {
        REQUIRE_EQ(filemap_add_pages(&rig.file, i * 1000, i * 2, 1), 0);
    }
    CHECK_EQ(dax_layout_busy_page_range(&rig.file, 0, UINT64_MAX), NULL);
    CHECK_EQ(truncate_inode_pages_range(&rig.file, 1 * PAGE_SIZE, 1000 * PAGE_SIZE - 1), 0);
    CHECK_EQ(mapping_nr_pages(&rig.file), 100, "a hole");
    CHECK_EQ(truncate_inode_pages_range(&rig.file, 500 * PAGE_SIZE, 3500 * PAGE_SIZE), 0);
    CHECK_EQ(mapping_nr_pages(&rig.file), 97);
    CHECK_EQ(truncate_inode_pages_range(&rig.file, 4000 * PAGE_SIZE + 1, 5001 * PAGE_SIZE - 2), 0);
    CHECK_EQ(mapping_nr_pages(&rig.file), 97, "a page of which a byte stays is no page to take");
    file_rig_tear_down(&rig);
}

/* Client sequence H: virtio-fs maps slots of a window, and takes back those that nobody uses. */
TEST_CASE(file, client_h_virtio_fs)
{
    enum { SLOT = 512 };
    struct waiter waiter;
    struct file_rig rig;
    struct page *pinned;
    char *view;

    file_rig_set_up(&rig, MEMORY_DEVICE_FS_DAX); /* two slots of 2 MiB */
    rig.pgmap.ops = NULL;
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, SLOT), 0);
    REQUIRE_EQ(filemap_add_pages(&rig.file, SLOT, SLOT, SLOT), 0);
    view = file_rig_view(&rig, 0, 2 * SLOT);
    REQUIRE_EQ(pin_user_pages((uintptr_t)view + 7 * PAGE_SIZE, 1, 0, &pinned), 1);
    dax_break_layout(&rig.file, SLOT * PAGE_SIZE, 2 * SLOT * PAGE_SIZE - 1);
    CHECK_EQ(touch_read(view, NULL), 0, "the other slot is left alone");
    CHECK_EQ(touch_read(view + SLOT * PAGE_SIZE, NULL), SIGBUS);
    CHECK_EQ(dax_layout_busy_page_range(&rig.file, SLOT * PAGE_SIZE, 2 * SLOT * PAGE_SIZE - 1), NULL);
    CHECK_EQ(dax_layout_busy_page_range(&rig.file, 0, UINT64_MAX), pinned);
    CHECK_EQ(touch_read(view, NULL), SIGBUS, "to look is to revoke");
    CHECK_EQ(mapping_nr_pages(&rig.file), 2 * SLOT);
    CHECK_EQ(map_mapping_range(&rig.file, 0, 0), 0);

    /* slot 1 goes to another part of the file while slot 0 is pinned */
    CHECK_EQ(truncate_inode_pages_range(&rig.file, SLOT * PAGE_SIZE, 2 * SLOT * PAGE_SIZE - 1), 0);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 10 * SLOT, SLOT, SLOT), 0);
    CHECK_EQ(touch_read(view + SLOT * PAGE_SIZE, NULL), SIGBUS);
    CHECK_EQ(touch_read(view + 7 * PAGE_SIZE, NULL), 0);

    waiter_start(&waiter, truncate_all, &rig.file);
    CHECK(!waiter_is_done_after(&waiter, 3000), "reclaim waits for the pin");
    unpin_user_page(pinned);
    waiter_join(&waiter);
    CHECK_EQ(vm_munmap(view, 2 * SLOT * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

/* What is in a file keeps the device mapped, until it is truncated. Afterwards nothing can be put in. */
TEST_CASE(file, teardown_waits_for_files)
{
    struct waiter waiter;
    struct file_rig rig;
    char *view;

    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, 100), 0);
    CHECK_EQ(pgmap_nr_references(&rig.pgmap), 100);
    view = file_rig_view(&rig, 0, 100);
    waiter_start(&waiter, unmap_device, &rig.pgmap);
    rig_await_kill(0);
    CHECK(!waiter_is_done_after(&waiter, 3000));
    CHECK_EQ(touch_read(view + 99 * PAGE_SIZE, NULL), 0, "it was not asked to revoke");
    CHECK_EQ(filemap_add_pages(&rig.file, 200, 200, 1), -ENXIO, "killed");
    CHECK_EQ(find_get_page(&rig.file, 1), NULL);
    CHECK_EQ(truncate_inode_pages(&rig.file, 0), 0);
    waiter_join(&waiter);
    CHECK_EQ(touch_read(view, NULL), SIGBUS);
    CHECK_EQ(vm_munmap(view, 100 * PAGE_SIZE), 0);
    REQUIRE_EQ(rig_map(&rig.pgmap), 0);
    file_rig_tear_down(&rig);
}

/* The file takes over the reference with which COHERENT pages were allocated, and puts it without waiting. */
TEST_CASE(file, allocated_pages_belong_to_the_file)
{
    struct file_rig rig;
    struct page *pinned;

    file_rig_set_up(&rig, MEMORY_DEVICE_COHERENT);
    rig_freed = 0;
    for (uint64_t pfn = 8; pfn < 16; pfn++) {
        REQUIRE_EQ(zone_device_page_init(pfn_to_page(pfn)), 0);
        unlock_page(pfn_to_page(pfn));
    }
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 8, 8), 0);
    CHECK_EQ(pgmap_nr_references(&rig.pgmap), 16, "one for a busy page, one for a page in a file");
    pinned = find_get_page(&rig.file, 2);
    REQUIRE_EQ(pinned, pfn_to_page(10));
    truncate_all(&rig.file);
    CHECK_EQ(rig_freed, 7);
    put_page(pinned);
    CHECK_EQ(rig_freed, 8);
    CHECK_EQ(pgmap_nr_references(&rig.pgmap), 0);
    file_rig_tear_down(&rig);
}

/*
 * A compound page was allocated with one reference, and each of its pages leaves the file by itself: whichever way it
 * goes, the page is freed once, and not before the last of them has left.
 */
TEST_CASE(file, allocated_compound_pages)
{
    struct page *head, *pinned;
    struct file_rig rig;

    file_rig_set_up(&rig, MEMORY_DEVICE_COHERENT);
    file_rig_use_compound_pages(&rig);
    head = pfn_to_page(512);
    rig_freed = 0;
    REQUIRE_EQ(zone_device_page_init(head), 0);
    unlock_page(head);
    CHECK_EQ(filemap_add_pages(&rig.file, 0, 500, 30), -EAGAIN, "a part of it is idle");
    CHECK_EQ(page_count(head), 1);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 512, 512), 0);
    CHECK_EQ(filemap_add_pages(&rig.file, 1000, 600, 1), -EBUSY);
    CHECK_EQ(page_count(head), 512);
    pinned = find_get_page(&rig.file, 100);
    REQUIRE_EQ(pinned, pfn_to_page(612));
    CHECK_EQ(truncate_inode_pages_range(&rig.file, 100 * PAGE_SIZE, 300 * PAGE_SIZE - 1), 0);
    CHECK_EQ(page_count(head), 313);
    put_page(pinned);
    CHECK_EQ(rig_freed, 0);
    truncate_all(&rig.file);
    CHECK_EQ(rig_freed, 1);
    CHECK_EQ(page_count(head), 0);
    file_rig_tear_down(&rig);
}

static void *destroy_and_free(void *context)
{
    struct address_space *file = context;

    while (address_space_destroy(file) == -EBUSY) {
        (void)usleep(50);
    }
    memset(file, 0xee, sizeof *file);
    return NULL;
}

/* Who waits for a file to become empty may free it at once: the truncation that emptied it is through with it. */
TEST_CASE(file, destroyed_while_a_truncation_ends)
{
    struct address_space *file = calloc(1, sizeof *file);
    struct file_rig rig;

    file_rig_set_up(&rig, MEMORY_DEVICE_FS_DAX);
    REQUIRE_NE(file, NULL);
    for (unsigned i = 0; i < 200; i++) {
        struct page *pinned;
        struct waiter truncation;
        pthread_t thread;

        REQUIRE_EQ(address_space_init(file, "short-lived", NULL), 0);
        REQUIRE_EQ(filemap_add_pages(file, 0, 0, 4), 0);
        pinned = find_get_page(file, 3);
        REQUIRE_NE(pinned, NULL);
        waiter_start(&truncation, truncate_all, file);
        REQUIRE_EQ(pthread_create(&thread, NULL, destroy_and_free, file), 0);
        put_page(pinned);
        (void)pthread_join(thread, NULL);
        waiter_join(&truncation);
    }
    CHECK_EQ(address_space_init(file, "once", NULL), 0);
    CHECK_EQ(address_space_destroy(file), 0);
    CHECK_EQ(address_space_destroy(file), -EINVAL);
    CHECK_EQ(warnings_take(), 1, "twice");
    free(file);
    file_rig_tear_down(&rig);
}

/* A removal that was called off: what was refused is granted again, and what was held stays held. */
TEST_CASE(file, killed_and_resurrected)
{
    struct file_rig rig;
    struct page *page, *none;
    char *view;

    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    CHECK_EQ(resurrect_dev_pagemap(&rig.pgmap), -EINVAL);
    CHECK_EQ(warnings_take(), 1, "not killed");
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, 10), 0);
    view = file_rig_view(&rig, 0, 10);
    REQUIRE_EQ(get_user_pages((uintptr_t)view, 1, 0, &page), 1);
    CHECK_EQ(kill_dev_pagemap(&rig.pgmap), 0);
    CHECK_EQ(kill_dev_pagemap(&rig.pgmap), -EALREADY);
    CHECK_EQ(pgmap_nr_references(&rig.pgmap), 11);
    CHECK_EQ(get_user_pages((uintptr_t)view, 1, 0, &none), -EFAULT);
    CHECK(rig_finds(0, NULL));
    put_page(page);
    truncate_all(&rig.file);
    CHECK_EQ(pgmap_nr_references(&rig.pgmap), 0, "nothing is held, and yet it is not done");
    CHECK_EQ(resurrect_dev_pagemap(&rig.pgmap), 0);
    CHECK(rig_finds(0, &rig.pgmap));
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, 10), 0);
    REQUIRE_EQ(get_user_pages((uintptr_t)view, 1, 0, &page), 1);
    put_page(page);
    CHECK_EQ(kill_dev_pagemap(&rig.pgmap), 0);
    CHECK_EQ(vm_munmap(view, 10 * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}
