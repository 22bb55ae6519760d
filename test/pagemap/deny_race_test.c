// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a view denies for want of memory grows, and at each instruction around that a signal handler asks for a page
 * that was denied before: it never gets it.
 */
#define _GNU_SOURCE /* REG_EFL */
#include <errno.h>

#include "pagemap/view/view.h"
#include "test/pagemap/faults.h"
#include "test/pagemap/file_rig.h"
#include "test/pagemap/sanitized.h"
#include "test/shim/step.h"

enum { PAGES = 8, LOW = 2, DENIED = 5, BEFORE = SANITIZED ? 100 : 30, BEHIND = SANITIZED ? 100 : 30 };

static struct file_rig rig;
static char *view;
static bool has_grown; /* when the handler ran */
static unsigned granted, early, late;

static const struct pm_view *view_there(void)
{
    const struct pm_view *there = NULL;

    REQUIRE_EQ(pagemap_read_lock(), 0);
    there = pm_view_at(pm_vpn(view));
    pagemap_read_unlock();
    return there;
}

/* The third step that may fail is to take them out of the page table. */
static void deny(uint64_t first, uint64_t nr_pages)
{
    (void)pm_fault_arm(3);
    unmap_mapping_pages(&rig.file, first, nr_pages, false);
    CHECK_EQ(pm_fault_arm(0), 0);
}

static void deny_more(void)
{
    deny(LOW, DENIED - LOW + 1);
}

static void ask(void)
{
    struct page *page;

    has_grown = view_there()->denied_vpn == pm_vpn(view) + LOW;
    if (get_user_pages_fast_only((uintptr_t)view + DENIED * PAGE_SIZE, 1, 0, &page) == 1) {
        put_page(page);
        granted++;
    }
}

/* One page is denied again. */
static void check(void)
{
    CHECK_EQ(view_there()->denied_pages, DENIED - LOW + 1);
    CHECK_EQ(map_mapping_range(&rig.file, 0, PAGES * PAGE_SIZE), 0);
    deny(DENIED, 1);
    early += step_was_asked() && !has_grown;
    late += step_was_asked() && has_grown;
}

static void set_up(void)
{
    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(pagemap_set_revocation(PAGEMAP_REVOKE_OVERLAY), 0);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 0, PAGES), 0);
    view = file_rig_view(&rig, 0, PAGES);
    deny(DENIED, 1);
    step.in_handler = true;
    step.act = deny_more;
    step.interfere = ask;
    step.check = check;
    step_prepare();
}

TEST_CASE(deny_race, a_page_that_is_denied_stays_so)
{
    uint64_t first, instructions;

    if (!STEP_WORKS) {
        TEST_SKIP("only x86-64 traps after each instruction");
    }
    set_up();
    (void)step_once(UINT64_MAX); /* what a first time does */
    instructions = step_count();
    first = step_first(instructions, &has_grown);
    granted = early = late = 0;
    for (uint64_t at = first > BEFORE ? first - BEFORE : 0; at < first + BEHIND && at < instructions; at++) {
        (void)step_once(at);
    }
    CHECK_EQ(granted, 0);
    CHECK_GT(early, 10u);
    CHECK_GT(late, 10u);
    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}
