// SPDX-License-Identifier: BSD-2-Clause
/*
 * Threads that are gone in the midst of a section, with a bag half full: who finds them, when, and how many at a time.
 * A thread that is there blocks, and is left alone.
 */
#include "rangemap/epoch/retire.h"
#include "rangemap/epoch/upkeep.h"
#include "test/epoch/rig.h"
#include "test/shim/ctest.h"

enum { POLL = 64, REAP_AT_ONCE = 64 };

static struct rig rig;
static unsigned runs;

static bool run(struct rm_garbage *garbage, struct rm_thread *thread, unsigned *budget)
{
    (void)garbage;
    (void)thread;
    --*budget;
    runs++;
    return true;
}

static const struct rm_garbage_kind kind = {run, NULL, false, false};

static bool is_parked(const struct rm_thread *thread)
{
    return rm_standing_state(rm_load_relaxed(&thread->standing)) == RM_THREAD_PARKED;
}

/* Nobody looks for ended threads by the clock. */
static void begin(unsigned others)
{
    rig_begin(&rig, NULL, others);
    rig.own->tended_ns = kernel.clock_ns;
    rm_store_relaxed(&rig.domain->roster.reaped_ns, kernel.clock_ns);
    runs = 0;
}

/* Something waits, and a section of an older epoch is open. */
static void block(struct rm_garbage *garbage)
{
    garbage->kind = &kind;
    rm_reclaim_submit(rig.own, garbage, POLL);
    rig.other[1]->section.active = 1;
    rig.other[1]->section.epoch = rig.domain->epoch.epoch - 1;
}

/* To ask about a thread takes system calls: once in a tick. */
static void share(void)
{
    rm_upkeep(rig.own);
    CHECK(rig.own->was_blocked);
    CHECK(!is_parked(rig.other[1]), "in a tick of its last look");
    kernel_tick();
    rm_store_relaxed(&rig.domain->roster.reaped_ns, kernel.clock_ns);
    rm_upkeep_share(rig.own);
}

static void poll(void)
{
    CHECK(rm_upkeep_poll(rig.own, 100));
}

static void try_to_get_below_the_limit(void)
{
    CHECK(rm_upkeep_below_limit(rig.own));
}

static void wait_grace(void)
{
    if (kernel.gone != 0) {
        rm_upkeep_wait_grace(rig.own);
    }
}

/* By who is blocked, that one alone. */
TEST_CASE(blocked, by_a_thread_that_is_gone_or_not)
{
    static void (*const acts[])(void) = {share, poll, try_to_get_below_the_limit, wait_grace};

    for (unsigned i = 0; i < 8; i++) {
        struct rm_garbage garbage;
        bool is_gone = i % 2 != 0;

        begin(3);
        block(&garbage);
        kernel.gone = is_gone ? rm_record_tid(rig.other[1]) : 0;
        acts[i / 2]();
        CHECK_EQ(is_parked(rig.other[1]), is_gone, "case %u", i);
        CHECK_EQ(rig.other[1]->section.active, !is_gone);
        CHECK(!is_parked(rig.other[0]) && !is_parked(rig.other[2]));
        CHECK_EQ(runs, 0u);
        rig.other[1]->section.active = 0;
        rm_upkeep_barrier(rig.own);
        CHECK_EQ(runs, 1u);
        rig_end(&rig);
    }
}

/* The last poll was blocked until one is not; a share without a poll changes nothing. */
TEST_CASE(blocked, is_remembered_until_the_next_poll)
{
    struct rm_garbage garbage[3] = {{.kind = &kind}, {.kind = &kind}, {.kind = &kind}};

    begin(2);
    block(&garbage[0]);
    rm_upkeep(rig.own);
    CHECK(rig.own->was_blocked);
    rig.other[1]->section.active = 0;
    rm_reclaim_submit(rig.own, &garbage[1], POLL - 1);
    rm_upkeep(rig.own);
    CHECK(rig.own->was_blocked, "it has not polled");
    rm_reclaim_submit(rig.own, &garbage[2], POLL);
    rm_upkeep(rig.own);
    CHECK(!rig.own->was_blocked);
    rm_upkeep_barrier(rig.own);
    CHECK_EQ(runs, 3u);
    rig_end(&rig);
}

/* A section that began since holds up no grace period, a barrier needs two, a wait one if no section is open. */
TEST_CASE(blocked, so_many_epochs_are_waited_for)
{
    struct rm_garbage garbage = {.kind = &kind};
    unsigned epoch;

    begin(1);
    epoch = rig.domain->epoch.epoch;
    rm_upkeep_wait_grace(rig.own);
    CHECK_EQ(rig.domain->epoch.epoch, epoch + 1);
    rm_upkeep_barrier(rig.own);
    CHECK_EQ(rig.domain->epoch.epoch, epoch + 1, "there is nothing to wait for");
    rm_reclaim_submit(rig.own, &garbage, 1);
    rm_upkeep_barrier(rig.own);
    CHECK_EQ(rig.domain->epoch.epoch, epoch + 3);
    CHECK_EQ(runs, 1u);
    rig_end(&rig);
}

static void let_go_at_the_third_pause(void)
{
    if (kernel.pauses == 3) {
        rig.other[1]->section.active = 0;
        rm_store_relaxed(&rig.other[1]->shard.claim, 0);
    }
}

/* Four yields, then longer and longer sleeps: for a section, and for a thread that is at a shard. */
TEST_CASE(blocked, who_waits_sleeps)
{
    for (unsigned i = 0; i < 3; i++) {
        struct rm_garbage garbage = {.kind = &kind};

        begin(3);
        if (i < 2) {
            block(&garbage);
        } else {
            rm_reclaim_submit_to(rig.own, &rig.other[1]->shard, &garbage);
            rm_store_relaxed(&rig.other[1]->shard.claim, rm_pointer_bits(rig.other[2]));
        }
        kernel.at_pause = let_go_at_the_third_pause;
        (i == 0 ? rm_upkeep_wait_grace : rm_upkeep_barrier)(rig.own);
        CHECK_EQ(kernel.yields, 4u, "case %u", i);
        CHECK_EQ(kernel.pauses, 3u);
        CHECK_EQ(kernel.paused_ns, 1000 + 2000 + 4000);
        kernel.at_pause = NULL;
        rm_upkeep_barrier(rig.own);
        CHECK_EQ(runs, 1u);
        rig_end(&rig);
    }
}

/* What it had not handed over yet is of before the barrier, too. */
TEST_CASE(blocked, a_barrier_ends_what_ended_threads_had)
{
    begin(3);
    for (unsigned i = 0; i < 3; i++) {
        void *node = rm_thread_alloc(rig.other[i], RM_LINES_MIN);

        REQUIRE(node != NULL && rm_retire_has_room(rig.other[i]));
        rm_retire_node(rig.other[i], node, RM_LINES_MIN);
    }
    kernel.gone = rm_record_tid(rig.other[1]);
    rm_upkeep_barrier(rig.own);
    CHECK(is_parked(rig.other[1]) && !is_parked(rig.other[0]));
    CHECK_EQ(rig.other[1]->bag, NULL);
    CHECK_NE(rig.other[0]->bag, NULL);
    CHECK(rm_reclaim_is_empty(rig.domain));
    for (unsigned i = 0; i < 3; i += 2) {
        rm_retire_close(rig.other[i]);
    }
    rig_end(&rig);
}

static unsigned parked(void)
{
    unsigned count = 0;

    for (unsigned i = 0; i < rig.others; i++) {
        count += is_parked(rig.other[i]);
    }
    return count;
}

static void share_in_a_tick(void)
{
    rig.own->retired_since_visit = 1;
    rm_upkeep(rig.own);
}

static void poll_in_vain(void)
{
    CHECK(!rm_upkeep_poll(rig.own, 100));
}

/* By the clock: once a tick, by whoever comes first, 64 are looked at. */
TEST_CASE(blocked, ended_threads_are_looked_for_once_a_tick)
{
    static void (*const acts[])(void) = {share_in_a_tick, poll_in_vain, try_to_get_below_the_limit};

    for (unsigned i = 0; i < 3; i++) {
        begin(CREW_MAX);
        kernel.others_are_gone = true;
        acts[i]();
        CHECK_EQ(parked(), 0u, "it was done in this tick");
        kernel_tick();
        rm_store_relaxed(&rig.domain->roster.looked, 0);
        acts[i]();
        CHECK_EQ(rm_load_relaxed(&rig.domain->roster.looked), (unsigned)REAP_AT_ONCE);
        CHECK_EQ(parked(), (unsigned)REAP_AT_ONCE - 1, "and its own");
        CHECK_EQ(rm_load_relaxed(&rig.domain->roster.reaped_ns), kernel.clock_ns);
        kernel_tick();
        acts[i]();
        CHECK_EQ(parked(), (unsigned)CREW_MAX);
        rig_end(&rig);
    }
}

/* A share is due when something was handed over, or put in; not in a callback that a share or an update makes. */
TEST_CASE(blocked, no_share_without_a_reason)
{
    for (unsigned i = 0; i < 8; i++) {
        bool retired = (i & 1) != 0, built = (i & 2) != 0, is_inside = (i & 4) != 0;

        for (unsigned ranges = 0; ranges < 2; ranges++) {
            begin(0);
            kernel_tick();
            rig.own->retired_since_visit = retired;
            rig.own->built_since_visit = built;
            rig.own->busy = is_inside;
            if (ranges != 0) {
                rm_upkeep_built(rig.own, 1);
            } else {
                rm_upkeep(rig.own);
            }
            CHECK_EQ(rig.own->tended_ns == kernel.clock_ns, !is_inside && (retired || ranges != 0), "case %u",
                     i);
            CHECK_EQ(rig.own->built_since_visit == 0,
                     rig.own->tended_ns == kernel.clock_ns || (!built && ranges == 0));
            rig.own->busy = 0;
            rig_end(&rig);
        }
    }
}
