// SPDX-License-Identifier: BSD-2-Clause
/* Nodes of threads that update come to lie apart: what each learns with a tick, and what it gives away. */
#include "test/epoch/things.h"

enum { UPDATERS = 5, NODES = 50 };

static struct rm_thread *updater(unsigned i)
{
    return i == 0 ? rig.own : rig.other[i - 1];
}

static void share_of(unsigned i)
{
    updater(i)->retired_since_visit = 1;
    rm_upkeep_share(updater(i));
}

static void check_stripe(unsigned i, unsigned rank, unsigned threads)
{
    struct rm_stripe stripe = rm_stripe_of(rank, threads);

    CHECK_EQ(updater(i)->cache.seeker.stripe.own, stripe.own, "updater %u of %u", i, threads);
    CHECK_EQ(updater(i)->cache.seeker.stripe.last, stripe.last, "updater %u of %u", i, threads);
}

static void hold_free_nodes(struct rm_thread *thread)
{
    void *node[NODES];

    for (unsigned i = 0; i < NODES; i++) {
        node[i] = rm_thread_alloc(thread, RM_LINES_MAX);
        REQUIRE(node[i] != NULL);
    }
    for (unsigned i = 0; i < NODES; i++) {
        rm_thread_free(thread, node[i], RM_LINES_MAX);
    }
    CHECK_EQ(thread->cache.magazine[RM_SIZES - 1].count, (unsigned)NODES);
}

/* Each learns with a tick how many update, and parts with what is better off with others; who only reads is none. */
TEST_CASE(separate, a_tick_keeps_nodes_of_threads_apart)
{
    begin(NULL, UPDATERS + 2);
    for (unsigned i = 0; i < UPDATERS; i++) {
        hold_free_nodes(updater(i));
        updater(i)->tended_ns = kernel.clock_ns;
        share_of(i);
        check_stripe(i, 0, 1);
    }
    for (unsigned round = 0; round < 3; round++) {
        kernel_tick();
        for (unsigned i = 0; i < UPDATERS; i++) {
            share_of(i);
            check_stripe(i, i, round == 0 ? i + 1 : UPDATERS);
        }
    }
    for (unsigned i = 0; i < UPDATERS; i++) {
        CHECK_LT(updater(i)->cache.magazine[RM_SIZES - 1].count, (unsigned)NODES, "updater %u", i);
    }
    end();
}

/* Who does not update any more is forgotten: those that do are told apart, whatever places they have. */
TEST_CASE(separate, threads_that_rest_have_no_stripe)
{
    begin(NULL, UPDATERS - 1);
    for (unsigned i = 0; i < UPDATERS; i++) {
        kernel_tick();
        share_of(i);
    }
    for (unsigned ticks = 0; ticks < 300; ticks++) {
        kernel_tick();
        share_of(1);
        share_of(3);
        if (ticks < 100) {
            CHECK_EQ(rm_load_relaxed(&rig.domain->roster.updated) |
                         rm_load_relaxed(&rig.domain->roster.updating),
                     (UINT64_C(1) << UPDATERS) - 1, "not yet");
        }
    }
    check_stripe(1, 0, 2);
    check_stripe(3, 1, 2);
    for (unsigned ticks = 0; ticks < 300; ticks++) {
        kernel_tick();
        share_of(3);
    }
    check_stripe(3, 0, 1);
    end();
}

/* It has read its clock before another thread did, which has begun the span. */
TEST_CASE(separate, a_clock_that_is_behind_ends_nothing)
{
    struct rm_roster *roster;
    uint64_t now_ns = UINT64_C(10000000000), both;

    begin(NULL, 1);
    roster = &rig.domain->roster;
    both = UINT64_C(1) << updater(0)->place | UINT64_C(1) << updater(1)->place;
    (void)rm_roster_note_update(roster, updater(0), now_ns);
    (void)rm_roster_note_update(roster, updater(1), now_ns);
    (void)rm_roster_note_update(roster, updater(0), now_ns - 1);
    CHECK_EQ(rm_load_relaxed(&roster->span_ns), now_ns);
    CHECK_EQ(rm_load_relaxed(&roster->updating), both);
    CHECK_EQ(rm_load_relaxed(&roster->updated), 0u);
    end();
}
