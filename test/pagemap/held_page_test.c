// SPDX-License-Identifier: BSD-2-Clause
/* A page that is held can be got once more, whether its device lives or dies; an idle one of a dying device cannot. */
#include "test/pagemap/file_rig.h"

enum { HELD = 1023, WAS_HELD = 1022, NEVER = 3 };

static struct file_rig rig;

static bool is_allocated(enum memory_type type)
{
    return type == MEMORY_DEVICE_PRIVATE || type == MEMORY_DEVICE_COHERENT;
}

static void hold(uint64_t pfn)
{
    if (is_allocated(rig.pgmap.type)) {
        REQUIRE_EQ(zone_device_page_init(pfn_to_page(pfn)), 0);
    } else {
        REQUIRE_NE(pagemap_get_page(pfn), NULL);
    }
}

static void check_got(struct page *got, uint64_t pfn)
{
    const uint64_t before = page_count(pfn_to_page(pfn));

    CHECK_EQ(got, pfn_to_page(pfn));
    if (got != NULL) {
        put_page(got);
        CHECK_EQ(page_count(pfn_to_page(pfn)), before - 1);
    }
}

static void check_live(void)
{
    struct page *idle = pagemap_get_held_page(NEVER);

    check_got(pagemap_get_held_page(HELD), HELD);
    CHECK_EQ(idle, is_allocated(rig.pgmap.type) ? NULL : pfn_to_page(NEVER), "as pagemap_get_page()");
    if (idle != NULL) {
        put_page(idle);
    }
}

static void check_dying(void)
{
    CHECK_EQ(pagemap_get_page(HELD), NULL);
    check_got(pagemap_get_held_page(HELD), HELD);
    check_got(pagemap_get_held_page(HELD - rig.pgmap.vmemmap_shift), HELD - rig.pgmap.vmemmap_shift);
    CHECK_EQ(pagemap_get_held_page(NEVER), NULL);
    CHECK_EQ(pagemap_get_held_page(WAS_HELD - 512), NULL);
    CHECK_EQ(pagemap_get_held_page(1024), NULL, "no page");
    CHECK_EQ(pgmap_nr_references(&rig.pgmap), 1, "the page's own");
}

static void live_and_die(enum memory_type type, bool compound)
{
    file_rig_set_up(&rig, type);
    if (compound) {
        file_rig_use_compound_pages(&rig);
    }
    hold(WAS_HELD - 512);
    put_page(pfn_to_page(WAS_HELD - 512));
    hold(HELD);
    check_live();
    REQUIRE_EQ(kill_dev_pagemap(&rig.pgmap), 0);
    check_dying();
    put_page(pfn_to_page(HELD));
    CHECK_EQ(pagemap_get_held_page(HELD), NULL, "idle");
    CHECK_EQ(resurrect_dev_pagemap(&rig.pgmap), 0);
    file_rig_tear_down(&rig);
    CHECK_EQ(pagemap_get_held_page(HELD), NULL, "unmapped");
}

TEST_CASE(held_page, of_each_type)
{
    for (unsigned i = 0; i < RIG_NR_TYPES; i++) {
        live_and_die(RIG_TYPES[i], false);
        live_and_die(RIG_TYPES[i], true);
    }
}

TEST_CASE(held_page, in_a_file)
{
    file_rig_set_up(&rig, MEMORY_DEVICE_FS_DAX);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 5, HELD - 1, 2), 0);
    hold(HELD);
    check_got(find_get_held_page(&rig.file, 6), HELD);
    REQUIRE_EQ(kill_dev_pagemap(&rig.pgmap), 0);
    CHECK_EQ(find_get_page(&rig.file, 6), NULL);
    check_got(find_get_held_page(&rig.file, 6), HELD);
    CHECK_EQ(find_get_held_page(&rig.file, 5), NULL,
             "idle: the file has a reference on the dev_pagemap alone");
    CHECK_EQ(find_get_held_page(&rig.file, 7), NULL, "a hole");
    put_page(pfn_to_page(HELD));
    CHECK_EQ(resurrect_dev_pagemap(&rig.pgmap), 0);
    file_rig_tear_down(&rig);
}

TEST_CASE(held_page, poisoned)
{
    file_rig_set_up(&rig, MEMORY_DEVICE_FS_DAX);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 5, HELD, 1), 0);
    hold(HELD);
    REQUIRE_EQ(memory_failure(HELD, 0), 0);
    CHECK_EQ(pagemap_get_held_page(HELD), NULL);
    REQUIRE_EQ(kill_dev_pagemap(&rig.pgmap), 0);
    CHECK_EQ(pagemap_get_held_page(HELD), NULL);
    CHECK_EQ(page_count(pfn_to_page(HELD)), 1);
    put_page(pfn_to_page(HELD));
    CHECK_EQ(resurrect_dev_pagemap(&rig.pgmap), 0);
    file_rig_tear_down(&rig);
}
