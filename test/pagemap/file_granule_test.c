// SPDX-License-Identifier: BSD-2-Clause
/*
 * Files of memory that is cut along larger pages only: what fits in. The memory says so, and is an ordinary one, so
 * that this needs no huge pages.
 */
#include <errno.h>

#include "pagemap/backend/backend.h"
#include "test/pagemap/file_rig.h"

enum { GRANULE = 8 };

static struct file_rig rig, small;

/* Pages 0 .. 1023 in pieces of 8, and those from 1 GiB on one by one. */
static void set_up(void)
{
    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    rig.memory->granule = GRANULE * PAGE_SIZE;
    small.memory = rig_plug(RIG_GB, 4 * RIG_MB);
    small.range = rig_range(RIG_GB, 4 * RIG_MB);
    small.pgmap = rig_pgmap(MEMORY_DEVICE_GENERIC, &small.range, 1);
    REQUIRE_EQ(rig_map(&small.pgmap), 0);
}

static void tear_down(void)
{
    CHECK_EQ(truncate_inode_pages(&rig.file, 0), 0);
    CHECK_EQ(memunmap_pages(&small.pgmap), 0);
    rig_unplug(small.memory);
    rig.memory->granule = PAGE_SIZE;
    file_rig_tear_down(&rig);
}

TEST_CASE(file, larger_pages_go_in_as_a_whole)
{
    set_up();
    for (uint64_t i = 1; i < GRANULE; i++) {
        CHECK_EQ(filemap_add_pages(&rig.file, i, 0, GRANULE), -EINVAL, "index %u", (unsigned)i);
        CHECK_EQ(filemap_add_pages(&rig.file, 0, i, GRANULE), -EINVAL, "pfn %u", (unsigned)i);
        CHECK_EQ(filemap_add_pages(&rig.file, 0, 0, i), -EINVAL, "%u pages", (unsigned)i);
        CHECK_EQ(filemap_add_pages(&rig.file, 0, 0, GRANULE + i), -EINVAL, "%u pages",
                 (unsigned)(GRANULE + i));
    }
    CHECK_EQ(filemap_add_pages(&rig.file, GRANULE, 3 * GRANULE, 2 * GRANULE), 0);
    CHECK_EQ(
        filemap_replace_page(&rig.file, GRANULE, pfn_to_page(3 * GRANULE), pfn_to_page(PHYS_PFN(RIG_GB))),
        -EINVAL);
    tear_down();
}

/* And back: once the last of its pages and views are gone it takes any, whichever went first. */
TEST_CASE(file, empty_files_change_over_to_smaller_pages)
{
    const uint64_t pfn = PHYS_PFN(RIG_GB);
    char *view;

    for (unsigned pages_first = 0; pages_first < 2; pages_first++) {
        set_up();
        REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, GRANULE), 0);
        view = file_rig_view(&rig, 0, GRANULE);
        if (pages_first) {
            CHECK_EQ(truncate_inode_pages(&rig.file, 0), 0);
            CHECK_EQ(filemap_add_pages(&rig.file, 1, pfn, 1), -EINVAL, "it has a view");
        }
        CHECK_EQ(vm_munmap(view, GRANULE * PAGE_SIZE), 0);
        if (!pages_first) {
            CHECK_EQ(filemap_add_pages(&rig.file, GRANULE + 1, pfn, 1), -EINVAL, "it has pages");
            CHECK_EQ(truncate_inode_pages(&rig.file, 0), 0);
        }
        view = file_rig_view(&rig, 1, 1);
        CHECK_EQ(filemap_add_pages(&rig.file, 1, pfn, 1), 0);
        CHECK_EQ(touch_read(view, NULL), 0);
        CHECK_EQ(filemap_replace_page(&rig.file, 1, pfn_to_page(pfn), pfn_to_page(pfn + 1)), 0);
        CHECK_EQ(vm_munmap(view, PAGE_SIZE), 0);
        tear_down();
    }
}

/* Only an empty one without views changes over to larger ones; then all that goes in fits them. */
TEST_CASE(file, empty_files_change_over_to_larger_pages)
{
    const uint64_t pfn = PHYS_PFN(RIG_GB);
    char *view;

    set_up();
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, pfn, 1), 0);
    CHECK_EQ(filemap_add_pages(&rig.file, GRANULE, 0, GRANULE), -EINVAL, "it has a page");
    CHECK_EQ(filemap_replace_page(&rig.file, 0, pfn_to_page(pfn), pfn_to_page(0)), -EINVAL);
    CHECK_EQ(truncate_inode_pages(&rig.file, 0), 0);
    view = file_rig_view(&rig, 0, GRANULE);
    CHECK_EQ(filemap_add_pages(&rig.file, GRANULE, 0, GRANULE), -EINVAL, "it has a view");
    CHECK_EQ(vm_munmap(view, GRANULE * PAGE_SIZE), 0);
    CHECK_EQ(filemap_add_pages(&rig.file, GRANULE, 0, GRANULE), 0);
    for (uint64_t i = 1; i < GRANULE; i++) {
        CHECK_EQ(filemap_add_pages(&rig.file, 4 * GRANULE + i, pfn, GRANULE), -EINVAL);
        CHECK_EQ(filemap_add_pages(&rig.file, 4 * GRANULE, pfn, i), -EINVAL);
    }
    CHECK_EQ(filemap_add_pages(&rig.file, 4 * GRANULE, pfn + 1, GRANULE), 0, "small ones, together");
    CHECK_EQ(pgmap_nr_references(&rig.pgmap), GRANULE);
    CHECK_EQ(pgmap_nr_references(&small.pgmap), GRANULE);
    tear_down();
}
