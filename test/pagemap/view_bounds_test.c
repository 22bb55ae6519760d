// SPDX-License-Identifier: BSD-2-Clause
/* What can be viewed, at which alignments, and which stretches of it are revoked, up to the end of files. */
#define _GNU_SOURCE
#include <errno.h>

#include "test/pagemap/child.h"
#include "test/pagemap/file_rig.h"

enum { PAGES = 16 };

static struct file_rig rig;

static void set_up(enum pagemap_revocation how)
{
    if (pagemap_set_revocation(how) != 0) {
        child_skip(pagemap_revocation_report());
    }
    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, PAGES), 0);
}

static void check_bounds(uint64_t index, uint64_t pages, int error)
{
    void *view = vm_mmap(&rig.file, pages * PAGE_SIZE, PROT_READ, index * PAGE_SIZE);

    CHECK_EQ(IS_ERR(view) ? (int)PTR_ERR(view) : 0, error, "%lu pages from %#lx on", (unsigned long)pages,
             (unsigned long)index);
    if (!IS_ERR(view)) {
        CHECK_EQ((uintptr_t)view % PAGE_SIZE, 0);
        CHECK_EQ(vm_munmap(view, (pages + 1) * PAGE_SIZE), -EINVAL);
        CHECK_EQ(vm_munmap((char *)view + PAGE_SIZE, pages * PAGE_SIZE), -EINVAL);
        CHECK_EQ(vm_munmap(view, 0), -EINVAL);
        CHECK_EQ(vm_munmap(view, pages * PAGE_SIZE), 0);
    }
}

static void up_to_the_end_of_files(void)
{
    const uint64_t end = UINT64_C(1) << 52;

    set_up(PAGEMAP_REVOKE_OVERLAY);
    for (uint64_t pages = 1; pages < 6; pages++) {
        for (uint64_t left = 1; left < 6; left++) {
            check_bounds(end - left, pages, pages <= left ? 0 : -EINVAL);
        }
    }
    check_bounds(0, 1, 0);
    check_bounds(0, 0, -EINVAL);
    file_rig_tear_down(&rig);
}

TEST_CASE(view_bounds, views_up_to_the_end_of_files)
{
    child_run(up_to_the_end_of_files);
}

static void with_alignments(void)
{
    set_up(PAGEMAP_REVOKE_OVERLAY);
    for (size_t alignment = 1; alignment <= (size_t)1 << 31; alignment *= 2) {
        void *view = vm_mmap_aligned(&rig.file, PAGES * PAGE_SIZE, PROT_READ, 0, alignment);

        REQUIRE(!IS_ERR(view));
        CHECK_EQ((uintptr_t)view % alignment, 0);
        CHECK_EQ((uintptr_t)view % PAGE_SIZE, 0);
        CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
        if (alignment > 2) {
            CHECK_EQ(PTR_ERR(vm_mmap_aligned(&rig.file, PAGE_SIZE, PROT_READ, 0, alignment - 1)), -EINVAL);
        }
    }
    CHECK_EQ(PTR_ERR(vm_mmap_aligned(&rig.file, PAGE_SIZE, PROT_READ, 0, 0)), -EINVAL);
    for (int prot = 0; prot < 16; prot++) {
        void *view = vm_mmap(&rig.file, PAGE_SIZE, prot, 0);

        CHECK_EQ(!IS_ERR(view), prot == PROT_READ || prot == (PROT_READ | PROT_WRITE), "prot %d", prot);
        if (!IS_ERR(view)) {
            CHECK_EQ(vm_munmap(view, PAGE_SIZE), 0);
        }
    }
    file_rig_tear_down(&rig);
}

TEST_CASE(view_bounds, alignments_and_protections)
{
    child_run(with_alignments);
}

/* Of each: the first page, how many, and the first and last of the view's that are away then. Ends the view. */
static void check_stretches(char *view, const uint64_t (*stretches)[4], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        unmap_mapping_pages(&rig.file, stretches[i][0], stretches[i][1], false);
        for (unsigned page = 0; page < PAGES; page++) {
            bool away = page >= stretches[i][2] && page <= stretches[i][3];

            CHECK_EQ(touch_read(view + page * PAGE_SIZE, NULL), away ? SIGBUS : 0, "case %zu, page %u", i,
                     page);
        }
        CHECK_EQ(map_mapping_range(&rig.file, 0, 0), 0);
    }
    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

/* Which of the pages [0, PAGES) a call takes away, by index and number. */
static void revoke_bounds(void)
{
    static const uint64_t far = UINT64_C(1) << 52;
    static const uint64_t stretches[][4] = {
        /* index, pages; the first that goes, the last */
        {0, 1, 0, 0},          {15, 1, 15, 15},     {16, 1, 99, 0},  {0, 0, 0, 15},
        {7, 0, 7, 15},         {3, 5, 3, 7},        {3, 13, 3, 15},  {3, 14, 3, 15},
        {0, far - 1, 0, 15},   {9, far - 1, 9, 15}, {9, far, 9, 15}, {9, UINT64_MAX, 9, 15},
        {far - 1, 1, 99, 0},   {far - 1, 0, 99, 0}, {far, 1, 99, 0}, {UINT64_MAX, 0, 99, 0},
        {UINT64_MAX, 2, 99, 0}};
    char *view;

    set_up(PAGEMAP_REVOKE_OVERLAY);
    view = file_rig_view(&rig, 0, PAGES);
    check_stretches(view, stretches, sizeof stretches / sizeof *stretches);
}

TEST_CASE(view_bounds, stretches_that_are_revoked)
{
    child_run(revoke_bounds);
}

/* The same at the end of files, of whose last pages there is a view. */
static void revoke_at_the_end(void)
{
    static const uint64_t end = UINT64_C(1) << 52, first = (UINT64_C(1) << 52) - PAGES;
    static const uint64_t stretches[][4] = {{0, end - 1, 0, PAGES - 2},
                                            {0, end, 0, PAGES - 1},
                                            {0, 0, 0, PAGES - 1},
                                            {1, end - 1, 0, PAGES - 1},
                                            {end - 1, 1, PAGES - 1, PAGES - 1},
                                            {end - 2, 1, PAGES - 2, PAGES - 2},
                                            {end - 1, 0, PAGES - 1, PAGES - 1},
                                            {end - 3, 9, PAGES - 3, PAGES - 1},
                                            {end, 0, 99, 0},
                                            {first - 1, 1, 99, 0},
                                            {first - 1, 2, 0, 0}};
    char *view;

    set_up(PAGEMAP_REVOKE_OVERLAY);
    REQUIRE_EQ(filemap_add_pages(&rig.file, first, 100, PAGES), 0);
    view = file_rig_view(&rig, first, PAGES);
    check_stretches(view, stretches, sizeof stretches / sizeof *stretches);
}

TEST_CASE(view_bounds, stretches_at_the_end_of_files)
{
    child_run(revoke_at_the_end);
}
