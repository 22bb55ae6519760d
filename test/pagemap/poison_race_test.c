// SPDX-License-Identifier: BSD-2-Clause
/*
 * A page is marked as poisoned before any one instruction of a get, of a pin and of an allocation: it is refused, and
 * nothing is counted, or it is held, and counted once. As step_test has it of memory_failure(), but by the mark alone,
 * in a signal handler of the same thread, and only around the instruction from which on it comes too late.
 */
#define _GNU_SOURCE /* REG_EFL, sched_getcpu */
#include <errno.h>

#include "pagemap/page/marks.h"
#include "pagemap/page/page.h"
#include "test/pagemap/file_rig.h"
#include "test/pagemap/sanitized.h"
#include "test/shim/step.h"

enum { PFN = 600, BEFORE = SANITIZED ? 100 : 30, BEHIND = 8 };

static struct file_rig rig;
static struct page *page;
static bool got;
static unsigned refused_by_mark, granted;
static uint64_t others; /* references of somebody else on the page */

static void mark(void)
{
    CHECK(pm_poison_mark(pfn_to_page(PFN), true));
}

static void mend(void)
{
    CHECK(pm_poison_mark(pfn_to_page(PFN), false));
}

static void get(void)
{
    page = pagemap_get_page(PFN);
    got = page != NULL;
}

/* Its caller may have locks: the driver is told only as what was refused goes back. */
static void get_many(bool pin)
{
    const uint64_t freed = rig_freed;
    struct page *refused;

    got = pm_pages_get(&rig.pgmap, PFN, 1, pin, &page, &refused) == 1;
    CHECK_EQ(rig_freed, freed);
    pm_pages_refuse(refused, pin);
}

static void get_plain(void)
{
    get_many(false);
}

static void pin(void)
{
    get_many(true);
}

static void allocate(void)
{
    int error = zone_device_page_init(pfn_to_page(PFN));

    CHECK(error == 0 || error == -EHWPOISON);
    got = error == 0;
    page = pfn_to_page(PFN);
}

static void check(void)
{
    const struct page *head = compound_head(pfn_to_page(PFN));
    const uint64_t weight = step.act == pin ? pm_pin_weight(&rig.pgmap) : 1;

    REQUIRE_EQ(head->_refcount, others + (got ? weight : 0), "instruction %lu", (unsigned long)step.at);
    REQUIRE_EQ(pgmap_nr_references(&rig.pgmap), others > 0 || got, "instruction %lu", (unsigned long)step.at);
    CHECK(got || step_was_asked());
    refused_by_mark += !got;
    granted += got && step_was_asked();
    if (!got) {
        return;
    }
    CHECK_EQ(page, pfn_to_page(PFN));
    if (step.act == pin) {
        pm_pages_put(&page, 1, true);
    } else {
        if (step.act == allocate) {
            unlock_page(page);
        }
        put_page(page);
    }
}

static void set_up(enum memory_type type, unsigned order)
{
    file_rig_set_up(&rig, type);
    REQUIRE_EQ(memunmap_pages(&rig.pgmap), 0);
    rig.pgmap.vmemmap_shift = order;
    REQUIRE_EQ(rig_map(&rig.pgmap), 0);
    pagemap_fill_pages(&rig.pgmap, 0, 1023); /* a mark is for a page that was touched */
    memset(&step, 0, sizeof step);
    step.in_handler = true;
    step.interfere = mark;
    step.restore = mend;
    step.check = check;
    step_prepare();
}

/* Around the instruction from which on the mark comes too late. */
static void step_through_some(void (*act)(void))
{
    uint64_t first, instructions;

    step.act = act;
    (void)step_once(UINT64_MAX); /* what a first time does */
    instructions = step_count();
    first = step_first(instructions, &got);
    granted = refused_by_mark = 0;
    rig_freed = 0;
    for (uint64_t at = first > BEFORE ? first - BEFORE : 0; at < first + BEHIND && at < instructions; at++) {
        (void)step_once(at);
    }
    CHECK_GT(granted, 3u, "the mark came too late");
    CHECK_GT(refused_by_mark, 15u, "it came in time");
}

static void step_through_all(void (*act)(void), uint64_t held)
{
    others = held;
    for (uint64_t i = 0; i < held; i++) {
        REQUIRE_NE(pagemap_get_page(PFN), NULL);
    }
    step_through_some(act);
    if (held ==
        0) { /* at least once it was counted already, and the driver is told that it went idle again */
        CHECK_GT(rig_freed, granted);
    }
    put_page_many(pfn_to_page(PFN), held);
    CHECK_EQ(pgmap_nr_references(&rig.pgmap), 0);
}

static void skip_where_nothing_traps(void)
{
    if (!STEP_WORKS) {
        TEST_SKIP("only x86-64 traps after each instruction");
    }
}

TEST_CASE(poison_race, a_get)
{
    skip_where_nothing_traps();
    set_up(MEMORY_DEVICE_FS_DAX, 0);
    step_through_all(get, 0);
    step_through_all(get, 3);
    step_through_all(get_plain, 1);
    file_rig_tear_down(&rig);
}

TEST_CASE(poison_race, a_pin)
{
    skip_where_nothing_traps();
    for (unsigned order = 0; order < 2; order++) {
        set_up(MEMORY_DEVICE_FS_DAX, order);
        step_through_all(pin, 0);
        file_rig_tear_down(&rig);
    }
}

TEST_CASE(poison_race, an_allocation)
{
    skip_where_nothing_traps();
    set_up(MEMORY_DEVICE_FS_DAX, 0);
    step_through_all(allocate, 0);
    file_rig_tear_down(&rig);
}

/* ---- by address ---- */

static char *view;

static void free_outside(struct page *freed)
{
    CHECK(!pagemap_read_lock_held(), "no lock of the library, and no section");
    rig_page_free(freed);
}

static void pin_by_address(void)
{
    long pinned = pin_user_pages((uintptr_t)view, 1, 0, &page);

    CHECK(pinned == 1 || pinned == -EFAULT);
    got = pinned == 1;
}

static void check_by_address(void)
{
    refused_by_mark += !got;
    granted += got && step_was_asked();
    if (got) {
        unpin_user_page(page);
    }
    REQUIRE_EQ(page_count(pfn_to_page(PFN)), 0, "instruction %lu", (unsigned long)step.at);
}

TEST_CASE(poison_race, the_driver_is_told_outside_of_a_pin)
{
    static const struct dev_pagemap_ops ops = {free_outside, NULL, NULL, NULL};

    skip_where_nothing_traps();
    set_up(MEMORY_DEVICE_FS_DAX, 0);
    rig.pgmap.ops = &ops;
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, PFN, 1), 0);
    view = file_rig_view(&rig, 0, 1);
    step.check = check_by_address;
    step_through_some(pin_by_address);
    CHECK_GT(rig_freed, granted);
    CHECK_EQ(vm_munmap(view, PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}
