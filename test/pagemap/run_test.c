// SPDX-License-Identifier: BSD-2-Clause
/* Runs of pages that fail at each of their pages in turn: every count is afterwards what it was before. */
#include <errno.h>

#include "test/pagemap/faults.h"
#include "test/pagemap/file_rig.h"

enum { FIRST = 8, PAGES = 12, COMPOUND = 512 };

static struct page *page_of(uint64_t pfn)
{
    return pfn_to_page(pfn);
}

static void allocate(uint64_t pfn)
{
    REQUIRE_EQ(zone_device_page_init(page_of(pfn)), 0);
    unlock_page(page_of(pfn));
}

static void allocate_run(void)
{
    for (uint64_t pfn = FIRST; pfn < FIRST + PAGES; pfn++) {
        allocate(pfn);
    }
}

/* Each page has this many references, but for `idle`, which has none. */
static void check_counts(int count, uint64_t idle)
{
    for (uint64_t pfn = FIRST; pfn < FIRST + PAGES; pfn++) {
        CHECK_EQ(page_count(page_of(pfn)), pfn == idle ? 0 : count, "pfn %u", (unsigned)pfn);
    }
}

static void fails_at_an_idle_page(enum memory_type type)
{
    struct file_rig rig;

    file_rig_set_up(&rig, type);
    allocate_run();
    for (uint64_t pfn = FIRST; pfn < FIRST + PAGES; pfn++) {
        put_page(page_of(pfn));
        CHECK_EQ(filemap_add_pages(&rig.file, 3, FIRST, PAGES), -EAGAIN);
        check_counts(1, pfn);
        CHECK_EQ(pgmap_nr_references(&rig.pgmap), PAGES - 1);
        CHECK_EQ(mapping_nr_pages(&rig.file), 0);
        CHECK_EQ(find_get_page(&rig.file, 3), NULL);
        allocate(pfn);
    }
    REQUIRE_EQ(filemap_add_pages(&rig.file, 3, FIRST, PAGES), 0);
    check_counts(1, UINT64_MAX);
    CHECK_EQ(pgmap_nr_references(&rig.pgmap), 2 * PAGES);
    file_rig_tear_down(&rig);
}

TEST_CASE(run, added_with_an_idle_page)
{
    fails_at_an_idle_page(MEMORY_DEVICE_PRIVATE);
    fails_at_an_idle_page(MEMORY_DEVICE_COHERENT);
}

/* Something is in the way of each page: in the file, or of the pfn. */
TEST_CASE(run, added_over_another)
{
    struct file_rig rig;
    struct address_space other;

    file_rig_set_up(&rig, MEMORY_DEVICE_FS_DAX);
    REQUIRE_EQ(address_space_init(&other, "other", NULL), 0);
    for (uint64_t i = 0; i < PAGES; i++) {
        REQUIRE_EQ(filemap_add_pages(&rig.file, 100 + i, 200, 1), 0);
        CHECK_EQ(filemap_add_pages(&rig.file, 100, FIRST, PAGES), -EEXIST);
        CHECK_EQ(truncate_inode_pages(&rig.file, 0), 0);
        REQUIRE_EQ(filemap_add_pages(&other, 0, FIRST + i, 1), 0);
        CHECK_EQ(filemap_add_pages(&rig.file, 100, FIRST, PAGES), -EBUSY);
        CHECK_EQ(pgmap_nr_references(&rig.pgmap), 1);
        CHECK_EQ(mapping_nr_pages(&rig.file), 0);
        CHECK_EQ(truncate_inode_pages(&other, 0), 0);
        CHECK_EQ(pgmap_nr_references(&rig.pgmap), 0);
    }
    REQUIRE_EQ(filemap_add_pages(&rig.file, 112, 200, 1), 0);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 99, 201, 1), 0);
    CHECK_EQ(filemap_add_pages(&rig.file, 100, FIRST, PAGES), 0, "between its neighbours");
    CHECK_EQ(address_space_destroy(&other), 0);
    file_rig_tear_down(&rig);
}

TEST_CASE(run, added_with_a_poisoned_page)
{
    struct file_rig rig;

    file_rig_set_up(&rig, MEMORY_DEVICE_FS_DAX);
    for (uint64_t i = 0; i < PAGES; i++) {
        REQUIRE_EQ(filemap_add_pages(&rig.file, 50, FIRST + i, 1), 0);
        CHECK_EQ(memory_failure(FIRST + i, 0), 0, "a page that is in a file");
        CHECK_EQ(truncate_inode_pages(&rig.file, 0), 0);
        CHECK_EQ(filemap_add_pages(&rig.file, 100, FIRST, PAGES), -EHWPOISON);
        CHECK_EQ(filemap_add_pages(&rig.file, 100, FIRST, i), i == 0 ? -EINVAL : 0, "up to it");
        CHECK_EQ(filemap_add_pages(&rig.file, 200, FIRST + i + 1, PAGES), 0, "and behind it");
        CHECK_EQ(pgmap_nr_references(&rig.pgmap), PAGES + i);
        CHECK_EQ(truncate_inode_pages(&rig.file, 0), 0);
        CHECK_EQ(pgmap_nr_references(&rig.pgmap), 0);
        CHECK_EQ(unpoison_memory(FIRST + i), 0);
    }
    file_rig_tear_down(&rig);
}

/* References that the file needs beside the caller's are given back, of each page of the run. */
static void fails_at_each_step(enum memory_type type)
{
    struct file_rig rig;
    unsigned step;
    bool all = false;

    file_rig_set_up(&rig, type);
    allocate_run();
    for (step = 1; !all; step++) {
        int error;

        (void)pm_fault_arm(step);
        error = filemap_add_pages(&rig.file, 3, FIRST, PAGES);
        all = pm_fault_arm(0) != 0;
        CHECK_EQ(error, all ? 0 : -ENOMEM);
        check_counts(1, UINT64_MAX);
        CHECK_EQ(pgmap_nr_references(&rig.pgmap), all ? 2 * PAGES : PAGES);
    }
    CHECK_GE(step, 2u);
    file_rig_tear_down(&rig);
}

TEST_CASE(run, added_with_a_failing_step)
{
    fails_at_each_step(MEMORY_DEVICE_PRIVATE);
    fails_at_each_step(MEMORY_DEVICE_COHERENT);
}

/* Of compound pages each page of the file holds a reference on the head. */
TEST_CASE(run, compound_pages_with_a_failing_step)
{
    struct file_rig rig;
    bool all = false;

    file_rig_set_up(&rig, MEMORY_DEVICE_COHERENT);
    file_rig_use_compound_pages(&rig);
    allocate(0);
    CHECK_EQ(filemap_add_pages(&rig.file, 0, 0, 2 * COMPOUND), -EAGAIN, "the second is idle");
    CHECK(page_count(page_of(0)) == 1 && page_count(page_of(COMPOUND)) == 0);
    allocate(COMPOUND);
    for (unsigned step = 1; !all; step++) {
        int error;

        (void)pm_fault_arm(step);
        error = filemap_add_pages(&rig.file, 0, 0, 2 * COMPOUND);
        all = pm_fault_arm(0) != 0;
        CHECK_EQ(error, all ? 0 : -ENOMEM);
        CHECK_EQ(page_count(page_of(0)), all ? COMPOUND : 1);
        CHECK_EQ(page_count(page_of(COMPOUND)), all ? COMPOUND : 1);
    }
    CHECK_EQ(truncate_inode_pages(&rig.file, 0), 0);
    CHECK(page_count(page_of(0)) == 0 && page_count(page_of(COMPOUND)) == 0);
    file_rig_tear_down(&rig);
}

/* What a view shows of a run up to its first page that is gone: exactly the pages that are returned are held. */
TEST_CASE(run, taken_by_address_up_to_a_hole)
{
    struct file_rig rig;
    char *view;

    file_rig_set_up(&rig, MEMORY_DEVICE_FS_DAX);
    view = file_rig_view(&rig, 0, PAGES);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, FIRST, PAGES), 0);
    for (uint64_t hole = 0; hole < PAGES; hole++) {
        struct page *pages[PAGES + 1] = {NULL};
        long taken;

        CHECK_EQ(truncate_inode_pages_range(&rig.file, hole * PAGE_SIZE, (hole + 1) * PAGE_SIZE - 1), 0);
        taken = get_user_pages((uintptr_t)view, PAGES, FOLL_WRITE, pages);
        CHECK_EQ(taken, hole == 0 ? -EFAULT : (long)hole);
        CHECK_EQ(pages[hole], NULL);
        for (uint64_t i = 0; i < PAGES; i++) {
            CHECK_EQ(page_count(page_of(FIRST + i)), i < hole, "page %u of %u", (unsigned)i, (unsigned)hole);
        }
        for (uint64_t i = 0; i < hole; i++) {
            CHECK_EQ(pages[i], page_of(FIRST + i));
            put_page(pages[i]);
        }
        REQUIRE_EQ(filemap_add_pages(&rig.file, hole, FIRST + hole, 1), 0);
    }
    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}
