// SPDX-License-Identifier: BSD-2-Clause
/* Views of files: what is present, revoking and restoring, by userfaultfd and by the overlay. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "test/pagemap/emulated.h"
#include "test/pagemap/faults.h"
#include "test/pagemap/file_rig.h"
#include "test/pagemap/touch.h"

enum { PAGES = 64 };

/* Whether exactly the pages [first, last] of `pages` cannot be touched, by anybody. */
static bool only_absent(char *view, uint64_t pages, uint64_t first, uint64_t last)
{
    bool as_expected = true;

    for (uint64_t page = 0; page < pages; page++) {
        bool absent = first <= page && page <= last;

        as_expected &= touch_read(view + page * PAGE_SIZE + 17, NULL) == (absent ? SIGBUS : 0);
        as_expected &= touch_by_kernel(view + page * PAGE_SIZE) == (absent ? EFAULT : 0);
    }
    return as_expected;
}

static void check_revocation(enum pagemap_revocation how)
{
    struct file_rig rig;
    unsigned char byte = 0;
    char *view, *device;

    if (pagemap_set_revocation(how) != 0) {
        TEST_SKIP("%s", pagemap_revocation_report());
    }
    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    view = file_rig_view(&rig, 0, PAGES);
    CHECK(only_absent(view, PAGES, 0, PAGES - 1), "an empty file");
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 100, PAGES), 0);
    if (how != PAGEMAP_REVOKE_UFFD || pagemap_view_revocation(view) != how) {
        CHECK_EQ(pagemap_view_revocation(view), PAGEMAP_REVOKE_OVERLAY);
    }
    CHECK(only_absent(view, PAGES, 1, 0), "inserted, and there");
    REQUIRE_NE(pagemap_get_page(100), NULL);
    device = page_address(pfn_to_page(100));
    CHECK_EQ(touch_write(view + 5 * PAGE_SIZE, 77), 0);
    CHECK_EQ(device[5 * PAGE_SIZE], 77, "it is the device's memory");

    unmap_mapping_range(&rig.file, 5 * PAGE_SIZE, PAGE_SIZE, 1);
    CHECK(only_absent(view, PAGES, 5, 5));
    CHECK_EQ(device[5 * PAGE_SIZE], 77, "the data stays");
    device[5 * PAGE_SIZE] = 78;
    CHECK_EQ(touch_write(view + 5 * PAGE_SIZE, 1), SIGBUS);
    CHECK_EQ(madvise(view + 5 * PAGE_SIZE, PAGE_SIZE, MADV_WILLNEED), 0);
    CHECK_EQ(touch_read(view + 5 * PAGE_SIZE, NULL), SIGBUS, "no advice brings it back");
    unmap_mapping_range(&rig.file, 0, 0, 1);
    CHECK(only_absent(view, PAGES, 0, PAGES - 1), "length 0: to the end");
    CHECK_EQ(map_mapping_range(&rig.file, 5 * PAGE_SIZE, PAGE_SIZE), 0);
    CHECK_EQ(touch_read(view + 5 * PAGE_SIZE, &byte), 0);
    CHECK_EQ(byte, 78);
    CHECK_EQ(touch_read(view + 4 * PAGE_SIZE, NULL), SIGBUS);
    CHECK_EQ(map_mapping_range(&rig.file, 0, 0), 0);
    CHECK(only_absent(view, PAGES, 1, 0));

    put_page(pfn_to_page(100));
    CHECK_EQ(address_space_destroy(&rig.file), -EBUSY, "pages and a view");
    CHECK_EQ(vm_munmap(view, PAGE_SIZE), -EINVAL, "whole views only");
    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), -EINVAL);
    CHECK_EQ(touch_read(view, NULL), SIGSEGV);
    CHECK_EQ(address_space_destroy(&rig.file), -EBUSY, "pages");
    file_rig_tear_down(&rig);
}

TEST_CASE(view, revoked_by_userfaultfd)
{
    check_revocation(PAGEMAP_REVOKE_UFFD);
}

TEST_CASE(view, revoked_by_the_overlay)
{
    check_revocation(PAGEMAP_REVOKE_OVERLAY);
}

/* Every page by itself, in a view of many: by userfaultfd that makes no mapping more. */
TEST_CASE(view, many_single_pages)
{
    for (unsigned how = PAGEMAP_REVOKE_UFFD; how <= PAGEMAP_REVOKE_OVERLAY; how++) {
        struct file_rig rig;
        char *view;

        if (pagemap_set_revocation((enum pagemap_revocation)how) != 0) {
            continue;
        }
        file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
        REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, 1024), 0);
        view = file_rig_view(&rig, 0, 1024);
        for (uint64_t page = 0; page < 1024; page += 2) {
            unmap_mapping_pages(&rig.file, page, 1, false);
        }
        for (uint64_t page = 0; page < 1024; page++) {
            CHECK_EQ(touch_read(view + page * PAGE_SIZE, NULL), page % 2 == 0 ? SIGBUS : 0);
        }
        CHECK_EQ(vm_munmap(view, 1024 * PAGE_SIZE), 0);
        file_rig_tear_down(&rig);
    }
}

/* Where mappings run out in the middle of a revocation, more is revoked than was asked for, never less. */
TEST_CASE(view, a_failing_revocation_revokes_all)
{
    struct file_rig rig;
    char *view;

    REQUIRE_EQ(pagemap_set_revocation(PAGEMAP_REVOKE_OVERLAY), 0);
    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, PAGES), 0);
    view = file_rig_view(&rig, 0, PAGES);
    (void)pm_fault_arm(1);
    unmap_mapping_pages(&rig.file, 3, 1, false);
    CHECK_EQ(pm_fault_arm(0), 0);
    CHECK(only_absent(view, PAGES, 0, PAGES - 1));
    CHECK_EQ(map_mapping_range(&rig.file, 0, 0), 0);
    CHECK(only_absent(view, PAGES, 1, 0));
    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

/* userfaultfd may refuse at any time: the overlay takes over, and what was revoked stays so. */
TEST_CASE(view, falls_back_to_the_overlay)
{
    struct file_rig rig;
    char *view;

    if (pagemap_set_revocation(PAGEMAP_REVOKE_UFFD) != 0) {
        TEST_SKIP("%s", pagemap_revocation_report());
    }
    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, PAGES), 0);
    view = file_rig_view(&rig, 0, PAGES);
    if (pagemap_view_revocation(view) != PAGEMAP_REVOKE_UFFD) {
        CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
        file_rig_tear_down(&rig);
        TEST_SKIP("no memory may be locked here (RLIMIT_MEMLOCK)");
    }
    unmap_mapping_pages(&rig.file, 7, 1, false);
    (void)pm_fault_arm(1); /* the zap */
    unmap_mapping_pages(&rig.file, 9, 1, false);
    CHECK_EQ(pagemap_view_revocation(view), PAGEMAP_REVOKE_OVERLAY);
    CHECK_EQ(touch_read(view + 7 * PAGE_SIZE, NULL), SIGBUS);
    CHECK_EQ(touch_read(view + 8 * PAGE_SIZE, NULL), 0);
    CHECK_EQ(touch_read(view + 9 * PAGE_SIZE, NULL), SIGBUS);
    CHECK_EQ(map_mapping_range(&rig.file, 0, 0), 0);
    unmap_mapping_pages(&rig.file, 7, 2, false);
    CHECK(only_absent(view, PAGES, 7, 8));
    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

/* Bug 27: what is given is a length, not an end. */
TEST_CASE(view, bug27_a_length_is_no_end)
{
    struct file_rig rig;
    char *view;

    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, PAGES), 0);
    view = file_rig_view(&rig, 0, PAGES);
    unmap_mapping_range(&rig.file, 20 * PAGE_SIZE, 4 * PAGE_SIZE, 1);
    CHECK(only_absent(view, PAGES, 20, 23));
    CHECK_EQ(map_mapping_range(&rig.file, 0, 0), 0);
    unmap_mapping_range(&rig.file, 20 * PAGE_SIZE + 4095, 2, 1);
    CHECK(only_absent(view, PAGES, 20, 21), "every page that has a byte in it");
    CHECK_EQ(map_mapping_range(&rig.file, 0, 0), 0);
    unmap_mapping_range(&rig.file, (PAGES - 1) * PAGE_SIZE, UINT64_MAX, 1);
    CHECK(only_absent(view, PAGES, PAGES - 1, PAGES - 1), "and no sum that wraps");
    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

/* Bug 28: the index of a page is its own, wherever in a run, a view or a compound page it lies. */
TEST_CASE(view, bug28_index_of_each_page)
{
    struct file_rig rig;
    char *view;

    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 1000, 30, 20), 0);
    view = file_rig_view(&rig, 1003, 10);
    for (uint64_t i = 0; i < 20; i++) {
        struct page *page = find_get_page(&rig.file, 1000 + i);

        REQUIRE_EQ(page, pfn_to_page(30 + i));
        CHECK_EQ(page_index(page), 1000 + i);
        REQUIRE_EQ(pagemap_read_lock(), 0);
        CHECK_EQ(page_mapping(page), &rig.file);
        pagemap_read_unlock();
        *(uint64_t *)page_address(page) = i;
        put_page(page);
    }
    for (uint64_t i = 0; i < 10; i++) {
        CHECK_EQ(*(uint64_t *)(void *)(view + i * PAGE_SIZE), 3 + i);
    }
    CHECK_EQ(truncate_inode_pages_range(&rig.file, 1005 * PAGE_SIZE, 1006 * PAGE_SIZE - 1), 0);
    CHECK_EQ(page_index(pfn_to_page(35)), UINT64_MAX);
    CHECK_EQ(page_index(pfn_to_page(34)), 1004, "both parts of the run are where they were");
    CHECK_EQ(page_index(pfn_to_page(36)), 1006);
    CHECK(only_absent(view, 10, 2, 2));
    CHECK_EQ(vm_munmap(view, 10 * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

/* Bug 29: positions beyond 32 bits, in pages and in bytes. */
TEST_CASE(view, bug29_positions_are_64_bits_wide)
{
    const uint64_t index = (UINT64_C(1) << 52) - 8;
    struct file_rig rig;
    char *view;

    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, 8), 0);
    REQUIRE_EQ(filemap_add_pages(&rig.file, UINT64_C(1) << 32, 8, 8), 0);
    REQUIRE_EQ(filemap_add_pages(&rig.file, index, 16, 8), 0);
    CHECK_EQ(filemap_add_pages(&rig.file, index + 1, 24, 8), -EINVAL, "beyond the end of any file");
    view = file_rig_view(&rig, 0, 8);
    unmap_mapping_range(&rig.file, PAGE_SIZE << 32, 0, 1);
    CHECK(only_absent(view, 8, 1, 0), "the low pages are not meant");
    CHECK_EQ(vm_munmap(view, 8 * PAGE_SIZE), 0);
    view = file_rig_view(&rig, index, 8);
    CHECK(only_absent(view, 8, 1, 0));
    CHECK_EQ(truncate_inode_pages(&rig.file, (index + 4) * PAGE_SIZE), 0);
    CHECK(only_absent(view, 8, 4, 7));
    CHECK_EQ(mapping_nr_pages(&rig.file), 20);
    CHECK_EQ(vm_munmap(view, 8 * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

TEST_CASE(view, several_views_of_several_runs)
{
    struct file_rig rig;
    char *low, *high;

    file_rig_set_up(&rig, MEMORY_DEVICE_FS_DAX);
    low = file_rig_view(&rig, 0, 16);
    high = file_rig_view(&rig, 8, 16);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 4, 50, 8), 0); /* 4..11; a hole at 12, 13 */
    REQUIRE_EQ(filemap_add_pages(&rig.file, 14, 20, 10), 0);
    memset(low + 10 * PAGE_SIZE, 5, PAGE_SIZE);
    CHECK_EQ(high[2 * PAGE_SIZE], 5, "the same page");
    CHECK_EQ(touch_read(low + 12 * PAGE_SIZE, NULL), SIGBUS, "a hole");
    CHECK_EQ(touch_read(high + 5 * PAGE_SIZE, NULL), SIGBUS, "the same hole");
    CHECK_EQ(touch_read(low + 3 * PAGE_SIZE, NULL), SIGBUS);
    unmap_mapping_pages(&rig.file, 10, 5, false);
    for (uint64_t i = 10; i < 15; i++) {
        CHECK_EQ(touch_read(low + i * PAGE_SIZE, NULL), SIGBUS);
        CHECK_EQ(touch_read(high + (i - 8) * PAGE_SIZE, NULL), SIGBUS);
    }
    CHECK_EQ(touch_read(low + 15 * PAGE_SIZE, NULL), 0);
    CHECK_EQ(touch_read(high + 7 * PAGE_SIZE, NULL), 0);
    CHECK_EQ(vm_munmap(low, 16 * PAGE_SIZE), 0);
    CHECK_EQ(touch_read(high + 7 * PAGE_SIZE, NULL), 0, "the other view stays");
    CHECK_EQ(vm_munmap(high, 16 * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

TEST_CASE(view, errors)
{
    struct file_rig rig;
    void *view;

    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    CHECK_EQ(PTR_ERR(vm_mmap(&rig.file, 0, PROT_READ, 0)), -EINVAL);
    CHECK_EQ(PTR_ERR(vm_mmap(&rig.file, 100, PROT_READ, 0)), -EINVAL);
    CHECK_EQ(PTR_ERR(vm_mmap(&rig.file, PAGE_SIZE, PROT_READ, 100)), -EINVAL);
    CHECK_EQ(PTR_ERR(vm_mmap(&rig.file, PAGE_SIZE, PROT_WRITE, 0)), -EINVAL);
    CHECK_EQ(PTR_ERR(vm_mmap(&rig.file, PAGE_SIZE, PROT_READ | PROT_EXEC, 0)), -EINVAL);
    CHECK_EQ(PTR_ERR(vm_mmap(&rig.file, SIZE_MAX & ~(PAGE_SIZE - 1), PROT_READ, 0)), -ENOMEM);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, 1), 0);
    view = vm_mmap(&rig.file, PAGE_SIZE, PROT_READ, 0);
    REQUIRE(!IS_ERR(view));
    CHECK_EQ(touch_read(view, NULL), 0);
    CHECK_EQ(touch_write(view, 1), SIGSEGV, "read-only");
    unmap_mapping_range(&rig.file, 0, 0, 1);
    CHECK_EQ(touch_read(view, NULL), SIGBUS);
    CHECK_EQ(map_mapping_range(&rig.file, 0, 0), 0);
    CHECK_EQ(touch_read(view, NULL), 0);
    CHECK_EQ(vm_munmap(view, PAGE_SIZE), 0);
    CHECK_EQ(vm_munmap(NULL, PAGE_SIZE), -EINVAL);
    CHECK_EQ(address_space_init(NULL, "none", NULL), -EINVAL);
    CHECK_EQ(pagemap_set_revocation((enum pagemap_revocation)3), -EINVAL);
    file_rig_tear_down(&rig);
}

/* Every step of making a file that can fail does: none is there then, and the memory is as it was. */
TEST_CASE(view, each_failing_step_makes_no_file)
{
    struct address_space file;
    unsigned failed = 0;
    bool all = false;

    warnings_count();
    for (unsigned step = 1; !all; step++) {
        int error;

        memset(&file, 0, sizeof file);
        (void)pm_fault_arm(step);
        error = address_space_init(&file, "file", NULL);
        all = pm_fault_arm(0) != 0;
        CHECK_EQ(error, all ? 0 : -ENOMEM);
        CHECK_EQ(address_space_destroy(&file), all ? 0 : -EINVAL);
        failed += !all;
    }
    CHECK_GE(failed, 1u);
    CHECK_EQ(warnings_take(), failed);
}

/* Every step of making a view that can fail does. */
TEST_CASE(view, each_failing_step_leaves_nothing_behind)
{
    bool all = false;
    struct file_rig rig;

    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, 8), 0);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 16, 40, 8), 0);
    for (unsigned step = 1; !all; step++) {
        void *view;

        (void)pm_fault_arm(step);
        view = vm_mmap(&rig.file, 32 * PAGE_SIZE, PROT_READ, 0);
        all = pm_fault_arm(0) != 0;
        if (!IS_ERR(view)) { /* with userfaultfd, a step may only have made it fall back */
            CHECK(only_absent(view, 8, 1, 0));
            CHECK_EQ(vm_munmap(view, 32 * PAGE_SIZE), 0);
        } else {
            CHECK_EQ(PTR_ERR(view), -ENOMEM);
        }
        REQUIRE_LT(step, 100u);
    }
    file_rig_tear_down(&rig);
}

/* A child has none of the views, so that nobody has a page that was revoked. */
TEST_CASE(view, children_have_no_views)
{
    struct file_rig rig;
    int status = 0;
    char *view;
    pid_t child;

    if (!emulated_keeps_from_children()) {
        TEST_SKIP("madvise(MADV_DONTFORK) does nothing here");
    }
    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, 4), 0);
    view = file_rig_view(&rig, 0, 8);
    child = fork();
    if (child == 0) {
        _exit(touch_read(view, NULL) == SIGSEGV && touch_read(view + 6 * PAGE_SIZE, NULL) == SIGSEGV ? 0 : 1);
    }
    REQUIRE_GT(child, 0);
    REQUIRE_EQ(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK_EQ(vm_munmap(view, 8 * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}
