// SPDX-License-Identifier: BSD-2-Clause
/* Intervals and invalidations at each other's edges: who is called, what is told already, and who would wait. */
#include <errno.h>

#include "test/pagemap/notifier_rig.h"

enum { FIRST = 0x20000, LAST = 0x2ffff };

static struct recorder recorder;

/* Of the addresses [start, end): whether the interval [FIRST, LAST] has any. */
static const struct {
    uint64_t start, end;
    bool concerns;
} EDGES[] = {
    {0, FIRST, false},         {0, FIRST + 1, true},        {FIRST, FIRST + 1, true},
    {LAST, LAST + 1, true},    {LAST + 1, LAST + 2, false}, {0, UINT64_MAX, true},
    {FIRST, LAST + 1, true},   {LAST, UINT64_MAX, true},    {0, 1, false},
    {LAST - 1, LAST, true},    {FIRST + 5, LAST, true},     {LAST + 1, UINT64_MAX, false},
    {FIRST - 1, FIRST, false}, {FIRST - 1, LAST + 2, true},
};

enum { NR_EDGES = sizeof EDGES / sizeof *EDGES };

TEST_CASE(notifier, edges_of_intervals_and_invalidations)
{
    warnings_count();
    recorder_watch(&recorder, false, FIRST, LAST - FIRST + 1);
    for (unsigned i = 0; i < NR_EDGES; i++) {
        struct mmu_notifier_range range = bracket(EDGES[i].start, EDGES[i].end);
        unsigned long seq = mmu_interval_read_begin(&recorder.subscription), again;

        mmu_notifier_invalidate_range_start(&range);
        CHECK_EQ(mmu_interval_read_retry(&recorder.subscription, seq), EDGES[i].concerns, "row %u", i);
        again = mmu_interval_read_begin(&recorder.subscription);
        CHECK_EQ(warnings_take(), EDGES[i].concerns, "row %u: this thread invalidates it", i);
        CHECK_EQ(mmu_interval_read_retry(&recorder.subscription, again), EDGES[i].concerns, "row %u", i);
        CHECK_EQ(recorder.ended, 0u);
        mmu_notifier_invalidate_range_end(&range);
        again = mmu_interval_read_begin(&recorder.subscription);
        CHECK(!mmu_interval_read_retry(&recorder.subscription, again), "row %u", i);
        CHECK_EQ(warnings_take(), 0, "row %u", i);
        recorder_check(&recorder, MMU_NOTIFY_CLEAR, EDGES[i].start,
                       EDGES[i].concerns ? EDGES[i].end - EDGES[i].start : 0);
    }
    recorder_leave(&recorder);
}

/* Within [FIRST, LAST + 1), which was told of. */
static const struct {
    uint64_t start, end;
    bool is_told_again;
} WITHIN[] = {
    {FIRST, LAST + 1, false}, {FIRST + 1, LAST, false},    {FIRST - 1, LAST + 1, true},
    {FIRST, LAST + 2, true},  {FIRST - 1, LAST + 2, true}, {FIRST, FIRST + 1, false},
    {LAST, LAST + 1, false},  {LAST, LAST + 2, true},      {FIRST - 1, FIRST + 1, true},
};

enum { NR_WITHIN = sizeof WITHIN / sizeof *WITHIN };

/* Whether a bracket calls the client. */
static bool calls(uint64_t start, uint64_t end)
{
    struct mmu_notifier_range range = bracket(start, end);
    unsigned before = recorder.begun, ended = recorder.ended;

    mmu_notifier_invalidate_range_start(&range);
    mmu_notifier_invalidate_range_end(&range);
    CHECK_EQ(recorder.ended - ended, recorder.begun - before);
    return recorder.begun > before;
}

TEST_CASE(notifier, edges_of_what_is_told_already)
{
    recorder_watch(&recorder, false, 0, UINT64_MAX);
    for (unsigned i = 0; i < NR_WITHIN; i++) {
        struct mmu_notifier_range outer = bracket(FIRST, LAST + 1), middle = bracket(FIRST + 8, FIRST + 16);

        mmu_notifier_invalidate_range_start(&outer);
        CHECK_EQ(calls(WITHIN[i].start, WITHIN[i].end), WITHIN[i].is_told_again, "row %u", i);
        mmu_notifier_invalidate_range_start(&middle);
        CHECK_EQ(calls(WITHIN[i].start, WITHIN[i].end), WITHIN[i].is_told_again, "row %u, by the outermost",
                 i);
        mmu_notifier_invalidate_range_end(&middle);
        CHECK_EQ(calls(WITHIN[i].start, WITHIN[i].end), WITHIN[i].is_told_again, "row %u, once more", i);
        mmu_notifier_invalidate_range_end(&outer);
        CHECK(calls(WITHIN[i].start, WITHIN[i].end), "row %u: what has ended tells of nothing", i);
    }
    recorder_leave(&recorder);
}

/* While clients are being told of an invalidation, not all of them know of it. */
static bool was_called_again;

static void call_again(struct recorder *of)
{
    unsigned before = of->begun;
    struct mmu_notifier_range range = bracket(FIRST, FIRST + 1);

    of->then = NULL;
    mmu_notifier_invalidate_range_start(&range);
    was_called_again = of->begun > before;
    mmu_notifier_invalidate_range_end(&range);
}

TEST_CASE(notifier, what_is_being_told_is_not_told_yet)
{
    recorder_watch(&recorder, false, 0, UINT64_MAX);
    recorder.then = call_again;
    was_called_again = false;
    CHECK(calls(FIRST, LAST));
    CHECK(was_called_again);
    recorder_leave(&recorder);
}

/* Addresses of views and of devices are two kinds, with the same numbers. */
TEST_CASE(notifier, kinds_do_not_mix)
{
    struct mmu_notifier_range outer = bracket(0, UINT64_MAX);

    set_up();
    mmu_notifier_invalidate_range_start(&outer);
    by_address.begun = 0;
    (void)mmu_interval_read_begin(&by_page.subscription);
    CHECK_EQ(warnings_take(), 0, "not waited for: of the other kind");
    CHECK_EQ(truncate_inode_pages_range(&rig.file, 0, PAGE_SIZE - 1), 0);
    recorder_check(&by_page, MMU_NOTIFY_CLEAR, 100 * PAGE_SIZE, PAGE_SIZE);
    CHECK_EQ(by_address.begun, 0u, "told already");
    mmu_notifier_invalidate_range_end(&outer);
    by_address.begun = by_address.ended = 0;
    CHECK_EQ(vm_munmap(view, PAGES * PAGE_SIZE), 0);
    tear_down();
}

/* ---- clients that come and go between a start and its end ---- */

TEST_CASE(notifier, who_comes_later_is_not_called_at_the_end)
{
    struct mmu_notifier_range range = bracket(FIRST, LAST);
    struct recorder before, after;

    recorder_watch(&before, false, 0, UINT64_MAX);
    mmu_notifier_invalidate_range_start(&range);
    recorder_watch(&after, false, 0, UINT64_MAX);
    mmu_notifier_invalidate_range_end(&range);
    recorder_check(&before, MMU_NOTIFY_CLEAR, FIRST, LAST - FIRST);
    recorder_check(&after, MMU_NOTIFY_CLEAR, 0, 0);
    mmu_notifier_invalidate_range_start(&range);
    recorder_leave(&before);
    mmu_notifier_invalidate_range_end(&range);
    recorder_check(&after, MMU_NOTIFY_CLEAR, FIRST, LAST - FIRST);
    CHECK_EQ(before.begun, 1u);
    CHECK_EQ(before.ended, 0u, "it has left");
    recorder_leave(&after);
}

/* Of other threads', which end in any order. */
static void begin_bracket(void *range)
{
    mmu_notifier_invalidate_range_start(range);
}

static void start_elsewhere(struct mmu_notifier_range *range)
{
    struct waiter waiter;

    waiter_start(&waiter, begin_bracket, range);
    waiter_join(&waiter);
}

static void begin_reading(void *of)
{
    (void)mmu_interval_read_begin(&((struct recorder *)of)->subscription);
}

/* Three, the first, second or third of which ends first: who reads waits until none of its interval is left. */
static void end_in_order(const unsigned order[3])
{
    struct mmu_notifier_range ranges[3];
    struct waiter readers[3];
    struct recorder each[3];

    for (unsigned i = 0; i < 3; i++) {
        recorder_watch(&each[i], false, FIRST + i, 1);
        ranges[i] = bracket(FIRST + i, FIRST + i + 1);
    }
    for (unsigned i = 0; i < 3; i++) {
        start_elsewhere(&ranges[i]);
        waiter_start(&readers[i], begin_reading, &each[i]);
    }
    for (unsigned i = 0; i < 3; i++) {
        for (unsigned k = i; k < 3; k++) {
            CHECK(!waiter_is_done_after(&readers[order[k]], 0));
        }
        mmu_notifier_invalidate_range_end(&ranges[order[i]]);
        waiter_join(&readers[order[i]]);
    }
    for (unsigned i = 0; i < 3; i++) {
        recorder_check(&each[i], MMU_NOTIFY_CLEAR, FIRST + i, 1);
        recorder_leave(&each[i]);
    }
}

TEST_CASE(notifier, ends_in_any_order)
{
    static const unsigned orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

    for (unsigned i = 0; i < sizeof orders / sizeof *orders; i++) {
        end_in_order(orders[i]);
    }
}

/* ---- what a client's functions say ---- */

static bool refuse_to_wait(struct mmu_interval_notifier *subscription, const struct mmu_notifier_range *range,
                           unsigned long seq)
{
    (void)range;
    mmu_interval_set_seq(subscription, seq);
    return false;
}

TEST_CASE(notifier, clients_that_say_no_or_have_no_end)
{
    static const struct mmu_interval_notifier_ops ops = {.invalidate = refuse_to_wait};
    struct mmu_notifier_range range = bracket(FIRST, LAST);
    struct mmu_interval_notifier subscription;

    warnings_count();
    REQUIRE_EQ(mmu_interval_notifier_insert(&subscription, NULL, FIRST, 1, &ops), 0);
    mmu_notifier_invalidate_range_start(&range);
    CHECK_EQ(warnings_take(), 1, "it may wait, and so may not refuse");
    mmu_notifier_invalidate_range_end(&range);
    CHECK_EQ(warnings_take(), 0);
    CHECK_EQ(mmu_interval_notifier_remove(&subscription), 0);
}
