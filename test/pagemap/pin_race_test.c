// SPDX-License-Identifier: BSD-2-Clause
/*
 * Another pin of a compound page comes before any one instruction of a pin and its end, or of a get and its put: it is
 * counted, and ends as any other, whatever went idle meanwhile. (With a sanitizer, before one in some.)
 */
#define _GNU_SOURCE /* REG_EFL, sched_getcpu */
#include "pagemap/page/page.h"
#include "test/pagemap/file_rig.h"
#include "test/shim/step.h"

enum { PFN = 600 };

static struct file_rig rig;
static struct page *refused; /* none is */
static bool ours_is_pin;
static struct page *others;

static void take_and_put(void)
{
    struct page *page = NULL;

    CHECK_EQ(pm_pages_get(&rig.pgmap, PFN, 1, ours_is_pin, &page, &refused), 1);
    pm_pages_put(&page, 1, ours_is_pin);
}

static void pin(void)
{
    CHECK_EQ(pm_pages_get(&rig.pgmap, PFN, 1, true, &others, &refused), 1);
}

static void check(void)
{
    if (step_was_asked()) {
        CHECK(page_maybe_dma_pinned(others), "instruction %lu", (unsigned long)step.at);
        CHECK_EQ(page_count(others), 1);
        pm_pages_put(&others, 1, true);
    }
    REQUIRE_EQ(warnings_take(), 0, "instruction %lu", (unsigned long)step.at);
    REQUIRE_EQ(page_count(pfn_to_page(PFN)), 0);
    REQUIRE(!page_maybe_dma_pinned(pfn_to_page(PFN)));
}

static void step_through_all(bool is_pin)
{
    ours_is_pin = is_pin;
    step_everywhere();
    REQUIRE_EQ(pgmap_nr_references(&rig.pgmap), 1, "ours");
}

TEST_CASE(pin_race, of_a_compound_page)
{
    if (!STEP_WORKS) {
        TEST_SKIP("only x86-64 traps after each instruction");
    }
    file_rig_set_up(&rig, MEMORY_DEVICE_FS_DAX);
    REQUIRE_EQ(memunmap_pages(&rig.pgmap), 0);
    rig.pgmap.vmemmap_shift = 1;
    REQUIRE_EQ(rig_map(&rig.pgmap), 0);
    memset(&step, 0, sizeof step);
    step.act = take_and_put;
    step.interfere = pin;
    step.check = check;
    step.in_handler = true;
    step_prepare();
    REQUIRE_EQ(get_dev_pagemap(PFN, NULL), &rig.pgmap);
    step_through_all(true);
    step_through_all(false);
    put_dev_pagemap(&rig.pgmap);
    file_rig_tear_down(&rig);
}

/* Pins that put_page() ended are forgotten when the page goes idle, and not counted as the next one's. */
TEST_CASE(pin_race, what_was_not_unpinned)
{
    struct page *pages[3];

    file_rig_set_up(&rig, MEMORY_DEVICE_FS_DAX);
    REQUIRE_EQ(memunmap_pages(&rig.pgmap), 0);
    rig.pgmap.vmemmap_shift = 1;
    REQUIRE_EQ(rig_map(&rig.pgmap), 0);
    REQUIRE_EQ(get_dev_pagemap(PFN, NULL), &rig.pgmap);
    for (unsigned i = 0; i < 3; i++) {
        REQUIRE_EQ(pm_pages_get(&rig.pgmap, PFN, 1, i < 2, &pages[i], &refused), 1);
    }
    CHECK_EQ(page_count(pages[0]), 3);
    pm_pages_put(pages, 1, true);
    put_page(pages[1]);
    CHECK_EQ(warnings_take(), 0, "one pin, one reference: as far as anybody can tell");
    put_page(pages[2]);
    CHECK_EQ(warnings_take(), 1, "it was pinned");
    CHECK(!page_maybe_dma_pinned(pages[0]));
    unpin_user_page(pages[0]);
    CHECK_EQ(warnings_take(), 1, "it is idle");
    REQUIRE_EQ(pm_pages_get(&rig.pgmap, PFN, 1, false, &pages[0], &refused), 1);
    unpin_user_page(pages[0]);
    CHECK_EQ(warnings_take(), 1, "not pinned");
    put_page_many(pages[0], (UINT64_C(1) << 32) + 1);
    CHECK_EQ(warnings_take(), 1, "nobody has so many");
    CHECK_EQ(page_count(pages[0]), 1);
    put_page(pages[0]);
    CHECK_EQ(warnings_take(), 0);
    put_dev_pagemap(&rig.pgmap);
    file_rig_tear_down(&rig);
}
