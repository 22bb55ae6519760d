// SPDX-License-Identifier: BSD-2-Clause
/* Who leaves while a callback of it runs, who reads beside invalidations of its own, and children that go on. */
#include <errno.h>
#include <string.h>

#include "pagemap/notifier/notifier.h"
#include "test/pagemap/child.h"
#include "test/pagemap/notifier_rig.h"

enum { FIRST = 0x20000, END = 0x30000 };

static void set(uint64_t *flag)
{
    (void)__atomic_exchange_n(flag, 1, __ATOMIC_SEQ_CST);
}

static void await(const uint64_t *flag)
{
    while (__atomic_load_n(flag, __ATOMIC_SEQ_CST) == 0) {
        (void)usleep(100);
    }
}

/* ---- leaving while a callback runs ---- */

/* Of a subscription whose callback, the one at the start or at the end, stays until it may leave. */
static struct {
    struct mmu_interval_notifier subscription;
    bool at_end;
    uint64_t is_inside, may_leave, has_called, may_end;
} held;

static void stay(void)
{
    set(&held.is_inside);
    await(&held.may_leave);
}

static bool held_begin(struct mmu_interval_notifier *subscription, const struct mmu_notifier_range *range,
                       unsigned long seq)
{
    (void)range;
    mmu_interval_set_seq(subscription, seq);
    if (!held.at_end) {
        stay();
    }
    return true;
}

static void held_end(struct mmu_interval_notifier *subscription, const struct mmu_notifier_range *range)
{
    (void)subscription;
    (void)range;
    stay();
}

/* Nothing wakes anybody after the callback: a start whose end is far away, or an end that is the last of all. */
static void bracket_slowly(void *context)
{
    struct mmu_notifier_range range = bracket(FIRST, END);

    (void)context;
    mmu_notifier_invalidate_range_start(&range);
    set(&held.has_called);
    if (!held.at_end) {
        await(&held.may_end);
    }
    mmu_notifier_invalidate_range_end(&range);
}

static void leave_held(void *context)
{
    (void)context;
    CHECK_EQ(mmu_interval_notifier_remove(&held.subscription), 0);
}

static void leave_during(bool at_end)
{
    static const struct mmu_interval_notifier_ops ops = {held_begin, held_end};
    struct waiter invalidator, leaver;

    memset(&held, 0, sizeof held);
    held.at_end = at_end;
    REQUIRE_EQ(mmu_interval_notifier_insert(&held.subscription, NULL, FIRST, 1, &ops), 0);
    waiter_start(&invalidator, bracket_slowly, NULL);
    await(&held.is_inside);
    waiter_start(&leaver, leave_held, NULL);
    CHECK(!waiter_is_done_after(&leaver, 1000), "its callback runs");
    set(&held.may_leave);
    waiter_join(&leaver); /* and not at the end of the invalidation */
    set(&held.may_end);
    waiter_join(&invalidator);
}

TEST_CASE(notifier, who_leaves_waits_for_a_callback_and_no_longer)
{
    leave_during(false);
    leave_during(true);
}

/* ---- reading beside invalidations of one's own ---- */

static struct recorder disturbed;
static struct pm_told_space *own_space;
static uint64_t own_start;

/* Within an invalidation of this thread that is none of the interval. */
static void read_within_own(void *context)
{
    struct mmu_notifier_range own = bracket(own_start, own_start + PAGE_SIZE);

    (void)context;
    pm_invalidate_start(own_space, &own);
    (void)mmu_interval_read_begin(&disturbed.subscription);
    pm_invalidate_end(&own);
}

static void check_waits(struct pm_told_space *space, uint64_t start)
{
    struct mmu_notifier_range range = bracket(FIRST, END);
    struct waiter reader;

    own_space = space;
    own_start = start;
    mmu_notifier_invalidate_range_start(&range);
    waiter_start(&reader, read_within_own, NULL);
    CHECK(!waiter_is_done_after(&reader, 1000), "another thread invalidates it");
    CHECK_EQ(warnings_take(), 0);
    mmu_notifier_invalidate_range_end(&range);
    waiter_join(&reader);
    CHECK_EQ(warnings_take(), 0);
}

TEST_CASE(notifier, own_invalidations_of_others_do_not_keep_from_waiting)
{
    warnings_count();
    recorder_watch(&disturbed, false, FIRST, END - FIRST);
    check_waits(&pm_told_addresses, END);
    check_waits(&pm_told_addresses, FIRST - PAGE_SIZE);
    check_waits(&pm_told_physical, FIRST);
    recorder_leave(&disturbed);
}

/* ---- a child that returns from the callback it was forked in ---- */

static struct recorder kinds[2][3];
static pid_t forked;
static unsigned forked_at;

static void fork_here(struct recorder *recorder)
{
    (void)recorder;
    (void)fflush(NULL);
    forked = fork();
}

static void insert_all(struct recorder (*all)[3])
{
    for (unsigned kind = 0; kind < 2; kind++) {
        for (unsigned i = 0; i < 3; i++) {
            recorder_watch(&all[kind][i], kind == 1, FIRST, END - FIRST);
        }
    }
}

static void invalidate(unsigned kind)
{
    struct mmu_notifier_range range = bracket(FIRST, END);

    pm_invalidate_start(kind == 1 ? &pm_told_physical : &pm_told_addresses, &range);
    pm_invalidate_end(&range);
}

/* The parent's are called no more, and can be removed, while those that it makes are as in any process. */
static void go_on_in_child(unsigned kind, struct mmu_notifier_range *range)
{
    static struct recorder own[2][3];
    unsigned long seq;

    for (unsigned i = 0; i < 3; i++) {
        CHECK_EQ(kinds[kind][i].begun, i <= forked_at, "client %u of the parent's", i);
    }
    insert_all(own);
    (void)mmu_interval_read_begin(&own[kind][0].subscription); /* what was under way is the parent's */
    (void)mmu_interval_read_begin(&kinds[kind][0].subscription);
    invalidate(kind);
    CHECK_EQ(own[kind][2].begun, 1u, "not within what the parent was telling");
    pm_invalidate_end(range);
    for (unsigned i = 0; i < 3; i++) {
        CHECK_EQ(own[kind][i].ended, 1u);
        CHECK_EQ(kinds[kind][i].ended, 0u);
        recorder_leave(&kinds[0][i]);
        recorder_leave(&kinds[1][i]);
    }
    seq = mmu_interval_read_begin(&own[kind][1].subscription);
    for (unsigned each = 0; each < 2; each++) {
        invalidate(each);
        CHECK_EQ(own[each][1].begun, each == kind ? 2u : 1u);
    }
    CHECK(mmu_interval_read_retry(&own[kind][1].subscription, seq));
    for (unsigned i = 0; i < 3; i++) {
        recorder_leave(&own[0][i]);
        recorder_leave(&own[1][i]);
    }
    invalidate(kind);
    CHECK_EQ(own[kind][1].begun, 2u, "it has left");
    (void)fflush(NULL);
    _exit(test_has_failed() ? 1 : 0);
}

static void fork_at(unsigned kind, unsigned client)
{
    struct mmu_notifier_range range = bracket(FIRST, END);
    int status = 0;

    insert_all(kinds);
    for (unsigned i = 0; i < 3; i++) { /* the order of equals is the library's */
        kinds[kind][i].then = i == client ? fork_here : NULL;
    }
    pm_invalidate_start(kind == 1 ? &pm_told_physical : &pm_told_addresses, &range);
    if (forked == 0) {
        unsigned begun = 0;

        for (unsigned i = 0; i < 3; i++) {
            begun += kinds[kind][i].begun;
        }
        forked_at = client;
        REQUIRE(begun >= 1);
        go_on_in_child(kind, &range);
    }
    REQUIRE_EQ(waitpid(forked, &status, 0), forked);
    CHECK_EQ(status, 0, "kind %u, in the callback of client %u", kind, client);
    pm_invalidate_end(&range);
    for (unsigned i = 0; i < 3; i++) {
        recorder_check(&kinds[kind][i], MMU_NOTIFY_CLEAR, FIRST, END - FIRST);
        recorder_leave(&kinds[0][i]);
        recorder_leave(&kinds[1][i]);
    }
}

/* Each in a process of its own: without threads, which a child does not have. */
static void fork_in_each_callback(void)
{
    for (unsigned kind = 0; kind < 2; kind++) {
        for (unsigned client = 0; client < 3; client++) {
            fork_at(kind, client);
        }
    }
}

TEST_CASE(notifier, a_child_returns_from_the_callback_it_was_forked_in)
{
    child_run(fork_in_each_callback);
}
