// SPDX-License-Identifier: BSD-2-Clause
/* The first file of a process, which makes the library's maps: at each step that fails, and what is said before it. */
#include <errno.h>
#include <string.h>

#include "pagemap/mapping/tables.h"
#include "test/pagemap/child.h"
#include "test/pagemap/faults.h"
#include "test/pagemap/file_rig.h"

/* Pages are in no file, addresses in no view. */
static void before_any_file(void)
{
    struct range range = rig_range(0, 2 * RIG_MB);
    struct dev_pagemap pgmap = rig_pgmap(MEMORY_DEVICE_GENERIC, &range, 1);
    struct pagemap_memory *memory = rig_plug(0, 2 * RIG_MB);
    struct page *page;

    warnings_count();
    REQUIRE_EQ(rig_map(&pgmap), 0);
    CHECK(pm_tables() == NULL);
    CHECK_EQ(page_index(pfn_to_page(3)), UINT64_MAX);
    REQUIRE_EQ(pagemap_read_lock(), 0);
    CHECK_EQ(page_mapping(pfn_to_page(3)), NULL);
    pagemap_read_unlock();
    CHECK_EQ(pagemap_view_revocation(&range), PAGEMAP_REVOKE_AUTO);
    CHECK_EQ(vm_munmap(&range, PAGE_SIZE), -EINVAL);
    CHECK_EQ(get_user_pages((uintptr_t)&range, 1, 0, &page), -EFAULT);
    CHECK_EQ(warnings_take(), 0);
    CHECK_EQ(memunmap_pages(&pgmap), 0);
    rig_unplug(memory);
}

TEST_CASE(first_file, what_there_is_before_it)
{
    child_run(before_any_file);
}

/*
 * What was made before a step that failed stays, so that the next attempt has fewer steps. Then one is made, which is a
 * whole one: runs can be cut in it.
 */
static void each_step(void)
{
    static const unsigned steps[] = {1, 2, 2, 3, 3, 2, 1}; /* the file; three maps, one by one */
    struct address_space file;
    struct file_rig rig;

    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        (void)pm_fault_arm(steps[i]);
        CHECK_EQ(address_space_init(&file, "first", NULL), -ENOMEM, "attempt %zu", i);
        CHECK_EQ(pm_fault_arm(0), 0u, "attempt %zu", i);
        CHECK(pm_tables() == NULL, "attempt %zu", i);
    }
    REQUIRE_EQ(address_space_init(&file, "first", NULL), 0);
    REQUIRE(pm_tables() != NULL);
    CHECK_EQ(address_space_destroy(&file), 0);
    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, 16), 0);
    CHECK_EQ(truncate_inode_pages_range(&rig.file, 7 * PAGE_SIZE, 8 * PAGE_SIZE - 1), 0);
    for (uint64_t i = 0; i < 16; i++) {
        CHECK_EQ(page_index(pfn_to_page(i)), i == 7 ? UINT64_MAX : i);
    }
    file_rig_tear_down(&rig);
}

TEST_CASE(first_file, each_step_may_fail)
{
    child_run(each_step);
}

/* A step that fails costs nothing of what was made before it. */
static void one_step_at_a_time(void)
{
    const struct pm_tables *tables;
    struct address_space file, second;

    REQUIRE_EQ(address_space_init(&file, "first", NULL), 0);
    tables = pm_tables();
    for (unsigned step = 1; step < 8; step++) {
        struct pm_tables before = *tables;

        (void)pm_fault_arm(step);
        if (address_space_init(&second, "second", NULL) == 0) {
            CHECK_EQ(address_space_destroy(&second), 0);
        }
        (void)pm_fault_arm(0);
        CHECK_EQ(pm_tables(), tables);
        CHECK(memcmp(&before, tables, sizeof before) == 0, "they are made once");
    }
    CHECK_EQ(address_space_destroy(&file), 0);
}

TEST_CASE(first_file, maps_are_made_once)
{
    child_run(one_step_at_a_time);
}
