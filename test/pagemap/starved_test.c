// SPDX-License-Identifier: BSD-2-Clause
/*
 * A thread for whose record there is no memory at first: what it cannot read is not taken for what is not there. Its
 * reads, and its ways into the domain, are ours; attach_test has a thread that really gets none.
 */
#include <errno.h>

#include "pagemap/core/domain.h"
#include "pagemap/poison.h"
#include "test/pagemap/file_rig.h"

enum { PAGES = 4, REFUSALS = 3 };

static struct file_rig rig;
static _Thread_local unsigned refusals; /* of the next ways in; nothing is read before them */

#define OURS(function, parameters, arguments, refuses)                                                       \
    int __real_##function parameters;                                                                        \
    int __wrap_##function parameters;                                                                        \
    int __wrap_##function parameters                                                                         \
    {                                                                                                        \
        if (refusals > 0) {                                                                                  \
            refusals -= refuses;                                                                             \
            return -ENOMEM;                                                                                  \
        }                                                                                                    \
        return __real_##function arguments;                                                                  \
    }

OURS(rangemap_domain_attach, (struct rangemap_domain * domain), (domain), 1)
OURS(rangemap_domain_barrier, (struct rangemap_domain * domain), (domain), 1)
OURS(rangemap_domain_synchronize, (struct rangemap_domain * domain), (domain), 1)
OURS(rangemap_domain_read_begin, (struct rangemap_domain * domain), (domain), 0)
OURS(rangemap_read_begin, (const struct rangemap *map), (map), 0)
OURS(rangemap_lookup, (const struct rangemap *map, uint64_t key, void **value), (map, key, value), 0)
OURS(rangemap_find, (const struct rangemap *map, uint64_t key, struct rangemap_entry *entry),
     (map, key, entry), 0)
OURS(rangemap_overlap,
     (const struct rangemap *map, uint64_t start, uint64_t last, struct rangemap_entry *entry),
     (map, start, last, entry), 0)
OURS(rangemap_cursor_next, (struct rangemap_cursor * cursor, struct rangemap_entry *entry), (cursor, entry),
     0)

static void begin(enum memory_type type)
{
    file_rig_set_up(&rig, type);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, PAGES), 0);
}

static void put_soon(void *page)
{
    (void)usleep(20000);
    put_page(page);
}

TEST_CASE(starved, truncation_leaves_nothing)
{
    begin(MEMORY_DEVICE_FS_DAX);
    refusals = REFUSALS;
    CHECK_EQ(truncate_inode_pages(&rig.file, 0), 0);
    CHECK_EQ(refusals, 0u);
    CHECK_EQ(mapping_nr_pages(&rig.file), 0u);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, PAGES), 0);
    refusals = REFUSALS;
    CHECK_EQ(filemap_remove_pages(&rig.file, 0, UINT64_MAX), 0);
    CHECK_EQ(mapping_nr_pages(&rig.file), 0u);
    file_rig_tear_down(&rig);
}

TEST_CASE(starved, pages_in_use_are_found_and_waited_for)
{
    struct page *page;
    struct waiter waiter;

    begin(MEMORY_DEVICE_FS_DAX);
    page = find_get_page(&rig.file, 2);
    REQUIRE_NE(page, NULL);
    refusals = REFUSALS;
    CHECK_EQ(dax_layout_busy_page_range(&rig.file, 0, UINT64_MAX), page);
    waiter_start(&waiter, put_soon, page);
    refusals = REFUSALS;
    dax_break_layout(&rig.file, 0, UINT64_MAX);
    CHECK_EQ(page_count(page), 0u);
    waiter_join(&waiter);
    page = find_get_page(&rig.file, 2);
    waiter_start(&waiter, put_soon, page);
    refusals = REFUSALS;
    wait_on_page_idle(page);
    CHECK_EQ(page_count(page), 0u);
    waiter_join(&waiter);
    file_rig_tear_down(&rig);
}

TEST_CASE(starved, views_say_so)
{
    char *view;

    begin(MEMORY_DEVICE_FS_DAX);
    view = file_rig_view(&rig, 0, PAGES);
    unmap_mapping_pages(&rig.file, 0, 1, false);
    refusals = REFUSALS;
    CHECK_EQ(map_mapping_range(&rig.file, 0, 0), -ENOMEM);
    refusals = 0;
    CHECK_EQ(touch_read(view, NULL), SIGBUS);
    CHECK_EQ(touch_read(view + PAGE_SIZE, NULL), 0, "what was present is");
    CHECK_EQ(map_mapping_range(&rig.file, 0, 0), 0);
    CHECK_EQ(touch_read(view, NULL), 0);
    refusals = REFUSALS;
    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), -ENOMEM);
    refusals = 0;
    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

TEST_CASE(starved, files_say_so)
{
    begin(MEMORY_DEVICE_FS_DAX);
    refusals = REFUSALS;
    CHECK_EQ(filemap_add_pages(&rig.file, PAGES, PAGES, 1), -ENOMEM);
    refusals = REFUSALS;
    CHECK_EQ(filemap_replace_page(&rig.file, 0, pfn_to_page(0), pfn_to_page(PAGES)), -ENOMEM);
    refusals = 0;
    CHECK_EQ(mapping_nr_pages(&rig.file), (uint64_t)PAGES);
    file_rig_tear_down(&rig);
}

TEST_CASE(starved, a_broken_page_is_marked)
{
    begin(MEMORY_DEVICE_FS_DAX);
    REQUIRE_NE(find_get_page(&rig.file, 1), NULL);
    refusals = REFUSALS;
    CHECK_EQ(memory_failure(1, MF_COUNT_INCREASED), 0);
    CHECK_EQ(page_count(pfn_to_page(1)), 0u, "the caller's is put");
    CHECK(PageHWPoison(pfn_to_page(1)));
    refusals = REFUSALS;
    CHECK_EQ(unpoison_memory(1), 0);
    CHECK(!PageHWPoison(pfn_to_page(1)));
    file_rig_tear_down(&rig);
}
