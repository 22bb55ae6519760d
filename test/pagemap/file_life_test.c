// SPDX-License-Identifier: BSD-2-Clause
/* The end of a file: what it waits for, what it refuses, and that a file that was refused is one as before. */
#include <errno.h>

#include "pagemap/mapping/mapping.h"
#include "test/pagemap/file_rig.h"

/* It takes pages, and gives them back. */
static void check_works(struct file_rig *rig)
{
    struct page *page;

    CHECK_EQ(filemap_add_pages(&rig->file, 0, 7, 2), 0);
    page = find_get_page(&rig->file, 1);
    CHECK_EQ(page, pfn_to_page(8));
    put_page(page);
    CHECK_EQ(mapping_nr_pages(&rig->file), 2);
    CHECK_EQ(address_space_destroy(&rig->file), -EBUSY, "it has pages");
    CHECK_EQ(truncate_inode_pages(&rig->file, 0), 0);
    CHECK_EQ(mapping_nr_pages(&rig->file), 0);
}

TEST_CASE(file, ends_that_are_refused)
{
    struct address_space none = {.name = "never made"};
    struct file_rig rig;
    char *view;

    file_rig_set_up(&rig, MEMORY_DEVICE_FS_DAX);
    CHECK_EQ(address_space_destroy(NULL), -EINVAL);
    CHECK_EQ(address_space_destroy(&none), -EINVAL);
    CHECK_EQ(warnings_take(), 2);
    check_works(&rig);
    view = file_rig_view(&rig, 0, 1);
    CHECK_EQ(address_space_destroy(&rig.file), -EBUSY, "it has a view");
    CHECK_EQ(vm_munmap(view, PAGE_SIZE), 0);
    for (unsigned i = 0; i < 3; i++) {
        REQUIRE_EQ(pagemap_read_lock(), 0);
        CHECK_EQ(address_space_destroy(&rig.file), -EDEADLK, "nobody would ever see it end");
        pagemap_read_unlock();
        CHECK_EQ(warnings_take(), 1);
        check_works(&rig);
    }
    file_rig_tear_down(&rig);
}

static void destroy(void *file)
{
    CHECK_EQ(address_space_destroy(file), 0);
}

/* Who found it by a page or an address has it until it lets go of it. */
TEST_CASE(file, its_end_waits_for_who_has_it)
{
    struct waiter waiter;
    struct file_rig rig;

    file_rig_set_up(&rig, MEMORY_DEVICE_FS_DAX);
    CHECK(pm_mapping_tryget(&rig.file));
    CHECK(pm_mapping_tryget(&rig.file));
    waiter_start(&waiter, destroy, &rig.file);
    CHECK(!waiter_is_done_after(&waiter, 1000));
    pm_mapping_put(&rig.file);
    CHECK(!waiter_is_done_after(&waiter, 1000), "one of two");
    pm_mapping_put(&rig.file);
    waiter_join(&waiter);
    CHECK(!pm_mapping_tryget(&rig.file));
    REQUIRE_EQ(address_space_init(&rig.file, "file", NULL), 0);
    check_works(&rig);
    file_rig_tear_down(&rig);
}
