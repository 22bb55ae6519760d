// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is done with a reference while a switch of it waits for its grace period: it waits too, or, where that cannot
 * end, does nothing and says so. And references that nobody is told of, and very many of them.
 */
#define _GNU_SOURCE /* sched_getcpu */
#include <errno.h>

#include "pagemap/percpu_ref.h"
#include "test/pagemap/file_rig.h"

static struct percpu_ref ref;
static unsigned released, confirmed;

static void note_release(struct percpu_ref *which)
{
    CHECK_EQ(which, &ref);
    (void)__atomic_fetch_add(&released, 1, __ATOMIC_SEQ_CST);
}

static void note_confirm(struct percpu_ref *which)
{
    CHECK_EQ(which, &ref);
    (void)__atomic_fetch_add(&confirmed, 1, __ATOMIC_SEQ_CST);
}

/* Two references more than its own, in percpu mode. */
static void set_up(void)
{
    warnings_count();
    released = confirmed = 0;
    REQUIRE_EQ(percpu_ref_init(&ref, note_release, PERCPU_REF_ALLOW_REINIT), 0);
    percpu_ref_get_many(&ref, 2);
}

/* ---- the calls ---- */

static void call_exit(void *unused)
{
    (void)unused;
    percpu_ref_exit(&ref);
}

static void call_kill(void *unused)
{
    (void)unused;
    percpu_ref_kill(&ref);
}

static void call_switch_to_percpu(void *unused)
{
    (void)unused;
    percpu_ref_switch_to_percpu(&ref);
}

static void call_switch_to_atomic(void *unused)
{
    (void)unused;
    percpu_ref_switch_to_atomic(&ref, note_confirm);
}

static void call_resurrect(void *unused)
{
    (void)unused;
    percpu_ref_resurrect(&ref);
}

static void call_reinit(void *unused)
{
    (void)unused;
    percpu_ref_reinit(&ref);
}

static void (*const calls[])(void *) = {
    call_exit, call_kill, call_switch_to_percpu, call_switch_to_atomic, call_resurrect, call_reinit};

enum { CALLS = sizeof calls / sizeof *calls };

/* ---- inside of the section that the switch waits for ---- */

static void check_refused(void (*call)(void *))
{
    set_up();
    REQUIRE_EQ(pagemap_read_lock(), 0);
    percpu_ref_kill_and_confirm(&ref, note_confirm);
    CHECK_EQ(warnings_take(), 0);
    call(NULL);
    CHECK_EQ(warnings_take(), call == call_exit ? 2 : 1, "it would wait for itself");
    CHECK_NE(ref.data, NULL);
    CHECK(percpu_ref_is_dying(&ref));
    CHECK_EQ(percpu_ref_count(&ref), 3, "and the switch has one");
    CHECK_EQ(confirmed, 0u);
    pagemap_read_unlock();
    CHECK_EQ(pagemap_barrier(), 0);
    CHECK_EQ(confirmed, 1u);
    CHECK_EQ(percpu_ref_count(&ref), 2);
    CHECK(percpu_ref_is_dying(&ref));
    percpu_ref_put_many(&ref, 2);
    CHECK_EQ(released, 1u);
    percpu_ref_exit(&ref);
    CHECK_EQ(ref.data, NULL);
    CHECK_EQ(warnings_take(), 0);
}

TEST_CASE(percpu_flight, refused_inside_of_a_section)
{
    for (unsigned i = 0; i < CALLS; i++) {
        check_refused(calls[i]);
    }
}

/* ---- beside it: the call comes back when the section has ended, and has done its part ---- */

static void check_waits(void (*call)(void *))
{
    struct waiter waiter;

    set_up();
    REQUIRE_EQ(pagemap_read_lock(), 0);
    percpu_ref_kill_and_confirm(&ref, note_confirm);
    waiter_start(&waiter, call, NULL);
    CHECK(!waiter_is_done_after(&waiter, 3000));
    CHECK_EQ(percpu_ref_count(&ref), 3);
    CHECK(percpu_ref_is_dying(&ref));
    pagemap_read_unlock();
    waiter_join(&waiter);
    CHECK_EQ(pagemap_barrier(), 0);
    CHECK_GE(confirmed, 1u);
    if (call == call_exit) {
        CHECK_GE(warnings_take(), 1);
        CHECK_EQ(ref.data, NULL);
        CHECK_EQ(percpu_ref_count(&ref), 2, "what was left");
        return;
    }
    CHECK_EQ(warnings_take(), call == call_kill || call == call_reinit, "it is dying, and not zero");
    CHECK_EQ(percpu_ref_is_dying(&ref), call != call_resurrect);
    CHECK_EQ(percpu_ref_count(&ref), call == call_resurrect ? 3 : 2);
    CHECK_EQ(confirmed, call == call_switch_to_atomic ? 2u : 1u);
    if (call == call_resurrect) {
        percpu_ref_kill(&ref);
    }
    percpu_ref_put_many(&ref, 2);
    CHECK_EQ(released, 1u);
    percpu_ref_exit(&ref);
    CHECK_EQ(warnings_take(), 0);
}

TEST_CASE(percpu_flight, waits_beside_a_section)
{
    for (unsigned i = 0; i < CALLS; i++) {
        check_waits(calls[i]);
    }
}

/* ---- nobody is told, and very many ---- */

TEST_CASE(percpu_flight, nobody_is_told)
{
    for (unsigned flags = 0; flags < 8; flags++) {
        REQUIRE_EQ(percpu_ref_init(&ref, NULL, flags), 0);
        if (percpu_ref_is_dying(&ref)) {
            percpu_ref_resurrect(&ref);
        }
        percpu_ref_get_many(&ref, 2);
        percpu_ref_kill(&ref);
        percpu_ref_put(&ref);
        CHECK_EQ(percpu_ref_count(&ref), 1);
        percpu_ref_put(&ref);
        CHECK(percpu_ref_is_zero(&ref));
        percpu_ref_exit(&ref);
        CHECK(percpu_ref_is_zero(&ref));
    }
    CHECK_EQ(pagemap_barrier(), 0);
}

TEST_CASE(percpu_flight, very_many)
{
    warnings_count();
    for (unsigned bits = 0; bits < 62; bits++) {
        const uint64_t many = UINT64_C(1) << bits;

        REQUIRE_EQ(percpu_ref_init(&ref, NULL, PERCPU_REF_INIT_ATOMIC), 0);
        percpu_ref_get_many(&ref, many);
        CHECK_EQ(percpu_ref_count(&ref), many + 1, "2^%u", bits);
        CHECK(!percpu_ref_is_zero(&ref));
        CHECK(percpu_ref_tryget_many(&ref, 3));
        CHECK_EQ(percpu_ref_count(&ref), many + 4);
        percpu_ref_put_many(&ref, many + 3);
        CHECK_EQ(percpu_ref_count(&ref), 1);
        percpu_ref_kill(&ref);
        percpu_ref_exit(&ref);
    }
    CHECK_EQ(pagemap_barrier(), 0);
    CHECK_EQ(warnings_take(), 0);
}
