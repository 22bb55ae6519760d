// SPDX-License-Identifier: BSD-2-Clause
/*
 * Changes of a file during which, from some step on, everything fails, also what takes back. They fail as a whole:
 * nobody sees or pins what is not in the file, and what is hidden beside it can be shown again.
 */
#include <errno.h>
#include <string.h>

#include "test/pagemap/faults.h"
#include "test/pagemap/file_rig.h"

enum { VIEWS = 3, PAGES = 16, STEPS_MAX = 200 };

static const enum pagemap_revocation HOW[] = {PAGEMAP_REVOKE_AUTO, PAGEMAP_REVOKE_OVERLAY};

static struct file_rig rig;
static char *views[VIEWS];

/* Views of places 0.., 2.. and 4.., and a page at 5 and at 6. */
static void set_up(enum pagemap_revocation how)
{
    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(pagemap_set_revocation(how), 0);
    for (uint64_t i = 0; i < VIEWS; i++) {
        views[i] = file_rig_view(&rig, 2 * i, PAGES);
    }
    REQUIRE_EQ(filemap_add_pages(&rig.file, 5, 5, 2), 0);
}

static void tear_down(void)
{
    for (unsigned i = 0; i < VIEWS; i++) {
        CHECK_EQ(vm_munmap(views[i], PAGES * PAGE_SIZE), 0);
    }
    (void)warnings_take(); /* of views that could be hidden by no means but one */
    file_rig_tear_down(&rig);
}

static char *address_of(unsigned view, uint64_t index)
{
    return views[view] + (index - 2 * view) * PAGE_SIZE;
}

/* The page that can be pinned there; NULL: none. It can be touched, if it can be pinned. */
static struct page *pinned_at(const char *address)
{
    struct page *page = NULL;
    long got = get_user_pages((uintptr_t)address, 1, 0, &page);

    if (got != 1) {
        CHECK_EQ(got, -EFAULT);
        return NULL;
    }
    CHECK_EQ(touch_read(address, NULL), 0);
    put_page(page);
    return page;
}

/* What is at `index` in all views: of this pfn, or, if `may_hide`, nothing. */
static void check_place(uint64_t index, uint64_t pfn, bool may_hide)
{
    for (unsigned i = 0; i < VIEWS; i++) {
        struct page *page = pinned_at(address_of(i, index));

        CHECK(page == pfn_to_page(pfn) || (page == NULL && may_hide), "at %u of view %u", (unsigned)index, i);
    }
}

static void check_hole(uint64_t index)
{
    for (unsigned i = 0; i < VIEWS; i++) {
        CHECK_EQ(pinned_at(address_of(i, index)), NULL);
        CHECK_NE(touch_read(address_of(i, index), NULL), 0, "at %u of view %u", (unsigned)index, i);
    }
}

/* Holes at 7.. and at 10.., of which `first` is one. */
static void check_failed_insertion(void)
{
    for (uint64_t index = 7; index < 12; index++) {
        check_hole(index);
        CHECK_EQ(page_index(pfn_to_page(index + 100)), UINT64_MAX);
    }
    check_place(5, 5, true);
    check_place(6, 6, true);
    CHECK_EQ(mapping_nr_pages(&rig.file), 2);
    CHECK_EQ(pgmap_nr_references(&rig.pgmap), 2);
    CHECK_EQ(map_mapping_range(&rig.file, 0, 0), 0);
    check_place(5, 5, false);
    check_place(6, 6, false);
    check_hole(7);
}

static void insertions(enum pagemap_revocation how)
{
    unsigned step = 0;
    int error;

    set_up(how);
    do {
        pm_fault_arm_from(++step);
        error = filemap_add_pages(&rig.file, 7, 107, 5);
        (void)pm_fault_arm(0);
        if (error != 0) {
            CHECK_EQ(error, -ENOMEM);
            check_failed_insertion();
        }
    } while (error != 0 && step < STEPS_MAX);
    CHECK_GT(step, 5u);
    for (uint64_t index = 7; index < 12; index++) {
        check_place(index, 100 + index, false);
    }
    tear_down();
}

TEST_CASE(file, insertions_while_everything_fails)
{
    for (unsigned i = 0; i < 2; i++) {
        insertions(HOW[i]);
    }
}

static void check_failed_replacement(void)
{
    check_place(5, 5, true);
    check_place(6, 6, true);
    CHECK_EQ(page_index(pfn_to_page(5)), 5);
    CHECK_EQ(page_index(pfn_to_page(50)), UINT64_MAX);
    CHECK_EQ(pgmap_nr_references(&rig.pgmap), 2);
    CHECK_EQ(map_mapping_range(&rig.file, 0, 0), 0);
    check_place(5, 5, false);
    check_place(6, 6, false);
}

static void replacements(enum pagemap_revocation how)
{
    unsigned step = 0;
    int error;

    set_up(how);
    do {
        pm_fault_arm_from(++step);
        error = filemap_replace_page(&rig.file, 5, pfn_to_page(5), pfn_to_page(50));
        (void)pm_fault_arm(0);
        if (error != 0) {
            CHECK_EQ(error, -ENOMEM);
            check_failed_replacement();
        }
    } while (error != 0 && step < STEPS_MAX);
    CHECK_GT(step, 5u);
    check_place(5, 50, false);
    check_place(6, 6, false);
    tear_down();
}

TEST_CASE(file, replacements_while_everything_fails)
{
    for (unsigned i = 0; i < 2; i++) {
        replacements(HOW[i]);
    }
}

/* ---- truncation: one step that fails is made again; where all do, the rest is hidden, and still there ---- */

static int truncate_with(unsigned step, bool all)
{
    int error;

    if (all) {
        pm_fault_arm_from(step);
    } else {
        (void)pm_fault_arm(step);
    }
    error = truncate_inode_pages_range(&rig.file, 6 * PAGE_SIZE, 100 * PAGE_SIZE - 1);
    (void)pm_fault_arm(0);
    return error;
}

/* Each of the first steps of taking two runs out; what hides may fail as well. */
static void truncations(enum pagemap_revocation how)
{
    set_up(how);
    for (unsigned step = 1; step <= 12; step++) {
        REQUIRE_EQ(filemap_add_pages(&rig.file, 10, 200, 3), 0);
        CHECK_EQ(truncate_with(step, false), 0);
        CHECK_EQ(mapping_nr_pages(&rig.file), 1);
        check_hole(6);
        check_hole(10);
        REQUIRE_EQ(filemap_add_pages(&rig.file, 6, 6, 1), 0);
        CHECK_EQ(map_mapping_range(&rig.file, 0, 0), 0);
        check_place(5, 5, false);
    }
    CHECK_EQ(pgmap_nr_references(&rig.pgmap), 2);
    tear_down();
}

TEST_CASE(file, truncations_of_which_a_step_fails)
{
    for (unsigned i = 0; i < 2; i++) {
        truncations(HOW[i]);
    }
}

TEST_CASE(file, truncations_without_memory)
{
    for (unsigned i = 0; i < 2; i++) {
        set_up(HOW[i]);
        CHECK_EQ(truncate_with(1, true), -ENOMEM);
        CHECK_EQ(mapping_nr_pages(&rig.file), 2);
        CHECK_EQ(page_index(pfn_to_page(6)), 6, "it is still there");
        check_hole(6);
        check_place(5, 5, true);
        CHECK_EQ(truncate_with(0, false), 0);
        CHECK_EQ(mapping_nr_pages(&rig.file), 1);
        tear_down();
    }
}
