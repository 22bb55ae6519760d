// SPDX-License-Identifier: BSD-2-Clause
/* Numbers of invalidations, what a range had in it before, what callbacks are given, and quiet invalidations. */
#include <errno.h>

#include "pagemap/notifier/notifier.h"
#include "test/pagemap/child.h"
#include "test/pagemap/faults.h"
#include "test/pagemap/notifier_rig.h"

enum { FIRST = 0x20000, END = 0x30000 };

static void invalidate(uint64_t start, uint64_t end)
{
    struct mmu_notifier_range range = bracket(start, end);

    mmu_notifier_invalidate_range_start(&range);
    mmu_notifier_invalidate_range_end(&range);
}

/* ---- numbers ---- */

/*
 * Invalidated so often while it is there, and so often while it is not: a number read before is stale in both cases,
 * also when it is inserted again.
 */
static void check_inserted_again(unsigned there, unsigned away)
{
    struct recorder recorder;
    unsigned long seq;

    recorder_watch(&recorder, false, FIRST, END - FIRST);
    for (unsigned i = 0; i < there; i++) {
        invalidate(FIRST, END);
    }
    seq = mmu_interval_read_begin(&recorder.subscription);
    CHECK(!mmu_interval_read_retry(&recorder.subscription, seq));
    recorder_leave(&recorder);
    for (unsigned i = 0; i < away; i++) {
        invalidate(FIRST, END);
    }
    recorder_watch(&recorder, false, FIRST, END - FIRST);
    CHECK(mmu_interval_read_retry(&recorder.subscription, seq), "%u there, %u away", there, away);
    recorder_leave(&recorder);
}

TEST_CASE(notifier, numbers_of_an_earlier_insertion_are_stale)
{
    for (unsigned there = 0; there < 4; there++) {
        for (unsigned away = 1; away < 4; away++) {
            check_inserted_again(there, away);
        }
    }
}

/* What a reader gets in a callback, or of what is not there, is no number: neither now nor later. */
static unsigned long got;

static void read_in_callback(struct recorder *recorder)
{
    recorder->then = NULL;
    got = mmu_interval_read_begin(&recorder->subscription);
    CHECK_EQ(warnings_take(), 1);
}

TEST_CASE(notifier, what_is_no_number_never_becomes_one)
{
    struct recorder recorder;
    unsigned long newest = 0, none;

    warnings_count();
    recorder_watch(&recorder, false, FIRST, END - FIRST);
    recorder_leave(&recorder);
    none = mmu_interval_read_begin(&recorder.subscription);
    CHECK_EQ(warnings_take(), 1);
    CHECK(mmu_interval_read_retry(&recorder.subscription, none));
    recorder_watch(&recorder, false, FIRST, END - FIRST);
    recorder.then = read_in_callback;
    for (unsigned i = 0; i < 6; i++) {
        invalidate(FIRST, END);
        CHECK(mmu_interval_read_retry(&recorder.subscription, got), "after %u more", i);
        CHECK(mmu_interval_read_retry(&recorder.subscription, none), "after %u more", i);
        CHECK_GT(recorder.seq, newest);
        newest = recorder.seq;
    }
    recorder_leave(&recorder);
}

/* ---- what a range had in it before ---- */

/* A thread's own notes in a range that was never used, or used before, are not believed. */
TEST_CASE(notifier, ranges_are_set_up_anew)
{
    struct recorder recorder;
    struct mmu_notifier_range range = bracket(0, FIRST);

    recorder_watch(&recorder, false, FIRST, END - FIRST);
    range._running = &recorder.subscription;
    mmu_notifier_invalidate_range_start(&range);
    CHECK_EQ(recorder.begun, 0u);
    recorder_leave(&recorder); /* no callback of it runs */
    mmu_notifier_invalidate_range_end(&range);
    recorder_watch(&recorder, false, FIRST, END - FIRST);
    for (unsigned i = 0; i < 3; i++) {
        struct mmu_notifier_range again = bracket(FIRST, END);

        mmu_notifier_invalidate_range_start(&again);
        mmu_notifier_invalidate_range_end(&again);
        recorder_check(&recorder, MMU_NOTIFY_CLEAR, FIRST, END - FIRST);
        mmu_notifier_invalidate_range_start(&again);
        mmu_notifier_invalidate_range_end(&again);
        recorder_check(&recorder, MMU_NOTIFY_CLEAR, FIRST, END - FIRST);
    }
    recorder_leave(&recorder);
}

/* While it is told for the second time it is told no more than at the first. */
static struct mmu_notifier_range *used;
static unsigned inner_calls;

static void begin_inside(struct recorder *recorder)
{
    unsigned before = recorder->begun;

    recorder->then = NULL;
    invalidate(used->start, used->end);
    inner_calls += recorder->begun - before;
}

TEST_CASE(notifier, a_range_used_again_is_not_told_yet)
{
    struct recorder recorder;
    struct mmu_notifier_range range = bracket(FIRST, END);

    recorder_watch(&recorder, false, FIRST, END - FIRST);
    used = &range;
    inner_calls = 0;
    for (unsigned i = 1; i <= 3; i++) {
        recorder.then = begin_inside;
        mmu_notifier_invalidate_range_start(&range);
        mmu_notifier_invalidate_range_end(&range);
        CHECK_EQ(inner_calls, i);
    }
    recorder_leave(&recorder);
}

/* ---- what callbacks are given ---- */

static char processes[2];
static void *given[4];
static unsigned nr_given;

static void note_given(const struct mmu_notifier_range *range)
{
    given[nr_given++ % 4] = (void *)range->mm;
}

static bool note_begin(struct mmu_interval_notifier *subscription, const struct mmu_notifier_range *range,
                       unsigned long seq)
{
    mmu_interval_set_seq(subscription, seq);
    note_given(range);
    return true;
}

static void note_end(struct mmu_interval_notifier *subscription, const struct mmu_notifier_range *range)
{
    (void)subscription;
    note_given(range);
}

TEST_CASE(notifier, each_is_given_its_own_mm)
{
    static const struct mmu_interval_notifier_ops ops = {note_begin, note_end};
    struct mmu_interval_notifier subscriptions[2];

    nr_given = 0;
    for (unsigned i = 0; i < 2; i++) {
        REQUIRE_EQ(mmu_interval_notifier_insert(&subscriptions[i], (struct mm_struct *)(void *)&processes[i],
                                                FIRST + i, 1, &ops),
                   0);
    }
    invalidate(FIRST, END);
    CHECK_EQ(nr_given, 4u);
    for (unsigned i = 0; i < 4; i++) {
        CHECK_EQ(given[i], (void *)&processes[i % 2], "call %u", i);
    }
    for (unsigned i = 0; i < 2; i++) {
        CHECK_EQ(mmu_interval_notifier_remove(&subscriptions[i]), 0);
    }
}

/* ---- quiet ones ---- */

static const struct {
    uint64_t start, end;
    bool is_quiet;
} QUIET[] = {{0, FIRST, true},
             {0, FIRST + 1, false},
             {FIRST, FIRST + 1, false},
             {END - 1, END, false},
             {END, END + 1, true},
             {FIRST - 1, FIRST, true},
             {FIRST + 1, END - 1, false},
             {FIRST - 1, END + 1, false},
             {END, UINT64_MAX, true}};

/* Whether it was quiet; if so it is there: within it nothing is told, and a reader would wait. */
static bool is_quiet(uint64_t start, uint64_t end)
{
    struct mmu_notifier_range range = bracket(start, end);
    bool quiet = pm_invalidate_quietly(&pm_told_addresses, &range);
    struct recorder late;

    if (quiet) {
        recorder_watch(&late, false, start, end - start);
        invalidate(start, end);
        CHECK_EQ(late.begun, 0u, "nested");
        (void)mmu_interval_read_begin(&late.subscription);
        CHECK_EQ(warnings_take(), 1, "this thread invalidates it");
        pm_invalidate_end(&range);
        CHECK_EQ(late.ended, 0u);
        (void)mmu_interval_read_begin(&late.subscription);
        invalidate(start, end);
        CHECK_EQ(late.begun, 1u, "it has ended");
        recorder_leave(&late);
    }
    CHECK_EQ(warnings_take(), 0);
    return quiet;
}

TEST_CASE(notifier, quiet_where_nobody_is_concerned)
{
    struct recorder recorder;

    warnings_count();
    CHECK(is_quiet(FIRST, END));
    recorder_watch(&recorder, false, FIRST, END - FIRST);
    for (size_t i = 0; i < sizeof QUIET / sizeof *QUIET; i++) {
        CHECK_EQ(is_quiet(QUIET[i].start, QUIET[i].end), QUIET[i].is_quiet, "row %zu", i);
    }
    recorder_leave(&recorder);
    CHECK(is_quiet(FIRST, END));
}

TEST_CASE(notifier, quiet_within_what_is_told)
{
    struct mmu_notifier_range outer = bracket(FIRST, END), inner = bracket(FIRST + 1, END);
    struct recorder recorder;

    recorder_watch(&recorder, false, FIRST, END - FIRST);
    mmu_notifier_invalidate_range_start(&outer);
    CHECK(pm_invalidate_quietly(&pm_told_addresses, &inner), "it was told of");
    pm_invalidate_end(&inner);
    mmu_notifier_invalidate_range_end(&outer);
    recorder_check(&recorder, MMU_NOTIFY_CLEAR, FIRST, END - FIRST);
    recorder_leave(&recorder);
}

/* ---- widened ---- */

/* Hiding a page where mappings are short takes the whole view: clients of all of it are told, wherever the page is. */
static void check_widened(uint64_t index, bool with_clients)
{
    struct recorder of_page[PAGES];
    unsigned nr = with_clients ? PAGES : 0;

    file_rig_set_up(&rig, MEMORY_DEVICE_GENERIC);
    REQUIRE_EQ(pagemap_set_revocation(PAGEMAP_REVOKE_OVERLAY), 0);
    REQUIRE_EQ(filemap_add_pages(&rig.file, 0, 100, PAGES), 0);
    view = file_rig_view(&rig, 0, PAGES);
    for (unsigned i = 0; i < nr; i++) {
        recorder_watch(&of_page[i], false, at(i), PAGE_SIZE);
    }
    (void)pm_fault_arm(1);
    unmap_mapping_pages(&rig.file, index, 1, false);
    CHECK_EQ(pm_fault_arm(0), 0u);
    for (unsigned i = 0; i < PAGES; i++) {
        check_absent(i);
    }
    for (unsigned i = 0; i < nr; i++) {
        CHECK_EQ(of_page[i].begun, i == index ? 2u : 1u, "page %u of %u", i, (unsigned)index);
        CHECK_EQ(of_page[i].ended, of_page[i].begun);
        (void)mmu_interval_read_begin(&of_page[i].subscription); /* nothing is under way */
        recorder_leave(&of_page[i]);
    }
    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
    file_rig_tear_down(&rig);
}

TEST_CASE(notifier, all_that_is_hidden_was_told_of)
{
    for (uint64_t index = 0; index < PAGES; index++) {
        check_widened(index, true);
        check_widened(index, false);
    }
}
