// SPDX-License-Identifier: BSD-2-Clause
/* What is done above a limit, and on demand: how much, of whose, and who is told. Garbage is counted. */
#include "test/epoch/things.h"

/* ---- limits ---- */

static unsigned told, told_bytes;
static bool told_inside;

static void note_pressure(struct rangemap_domain *domain, const struct rangemap_blocker *blocker,
                          void *context)
{
    CHECK_EQ(domain, rig.domain);
    CHECK_EQ(context, &rig);
    told_inside = rig.own->reclaiming && rig.own->busy > 0;
    told_bytes = (unsigned)blocker->pending_bytes;
    told++;
}

static void share_with(uint64_t bytes)
{
    rm_store_relaxed(&rig.domain->pending_bytes, bytes);
    rm_store_relaxed(&rig.own->retired_bytes, bytes);
    rig.own->retired_since_visit = VISIT;
    rm_upkeep_share(rig.own);
    CHECK_EQ(rm_load_relaxed(&rig.domain->above_soft_limit), bytes > 100);
}

/* Once for each time that it is crossed; with exactly the limit it is not. */
TEST_CASE(upkeep, pressure_is_told_once_a_crossing)
{
    struct rangemap_domain_options options = {
        .soft_limit_bytes = 100, .pressure = note_pressure, .context = &rig};

    for (unsigned i = 0; i < 2; i++) {
        begin(&options, 0);
        told = 0;
        share_with(100);
        CHECK_EQ(told, 0u);
        share_with(101);
        share_with(500);
        share_with(101);
        CHECK_EQ(told, i == 0 ? 1u : 0u);
        CHECK(told == 0 || (told_inside && told_bytes == 101));
        share_with(100);
        share_with(100);
        share_with(102);
        CHECK_EQ(told, i == 0 ? 2u : 0u);
        share_with(0);
        CHECK(!rig.own->reclaiming && rig.own->busy == 0);
        end();
        options.pressure = NULL;
    }
}

/* Not in an update, where callbacks are made when asked: those who wait are woken instead; a poll tells. */
TEST_CASE(upkeep, pressure_is_told_when_asked)
{
    struct rangemap_domain_options options = {.soft_limit_bytes = 100,
                                              .pressure = note_pressure,
                                              .context = &rig,
                                              .callbacks = RANGEMAP_CALLBACKS_WHEN_ASKED};

    begin(&options, 0);
    told = 0;
    for (unsigned bytes = 100; bytes <= 101; bytes++) {
        uint64_t work = rm_load_relaxed(&rig.domain->work);

        rm_store_relaxed(&rig.domain->pending_bytes, bytes);
        rm_store_relaxed(&rig.own->retired_bytes, bytes);
        rig.own->retired_since_visit = VISIT;
        rm_upkeep_share(rig.own);
        CHECK_EQ(told, 0u);
        CHECK_EQ(rm_load_relaxed(&rig.domain->work) - work, bytes > 100);
    }
    (void)rm_upkeep_poll(rig.own, 10);
    (void)rm_upkeep_poll(rig.own, 10);
    CHECK_EQ(told, 1u);
    rm_store_relaxed(&rig.domain->pending_bytes, 0);
    rm_store_relaxed(&rig.own->retired_bytes, 0);
    end();
}

/* By a hard limit an update is refused at that very byte; before that it disposes of some, of whomever. */
TEST_CASE(upkeep, below_the_hard_limit_or_not)
{
    enum { WAIT = 150, LIMIT = 2 * WAIT - RM_PRESSED_ENTRIES };
    struct rangemap_domain_options options = {.hard_limit_bytes = LIMIT};

    for (unsigned more = 0; more < 2; more++) {
        options.hard_limit_bytes = LIMIT + more;
        begin(&options, 3);
        fill_ready(&rig.other[0]->shard, WAIT, 1);
        fill_ready(&rig.other[2]->shard, WAIT, 1);
        CHECK_EQ(rm_upkeep_below_limit(rig.own), more != 0);
        CHECK_EQ(gone, (unsigned)RM_PRESSED_ENTRIES);
        CHECK(rm_upkeep_below_limit(rig.own));
        CHECK_EQ(gone, things);
        end();
    }
    options.hard_limit_bytes = LIMIT;
    begin(&options, 0);
    fill_ready(&rig.own->shard, WAIT, 1);
    rig.own->reclaiming = true;
    CHECK(!rm_upkeep_below_limit(rig.own));
    CHECK_EQ(gone, 0u, "in a callback of its own");
    rig.own->reclaiming = false;
    end();
}

/* ---- on demand ---- */

/* All shards, by one budget; what it answers is whether anything is left. */
TEST_CASE(upkeep, a_poll_goes_over_all_shards)
{
    enum { OTHERS = 3, EACH = 20, ALL = (OTHERS + 1) * EACH };

    for (unsigned budget = 0; budget <= ALL + 1; budget += budget < ALL - 2 ? 13 : 1) {
        unsigned done = budget < ALL ? budget : ALL;

        begin(NULL, OTHERS);
        for (unsigned i = 0; i <= OTHERS; i++) {
            fill_ready(i == OTHERS ? &rig.own->shard : &rig.other[i]->shard, EACH, 1);
        }
        CHECK_EQ(rm_upkeep_poll(rig.own, budget), done < ALL);
        CHECK_EQ(gone, done);
        rig.own->busy = 1;
        CHECK(rm_upkeep_poll(rig.own, ALL), "in a callback of its own");
        CHECK_EQ(gone, done);
        rig.own->busy = 0;
        end();
    }
}

/* Eight grace periods begin and end in one poll, not more. */
TEST_CASE(upkeep, a_poll_moves_the_epoch_eight_times)
{
    enum { OTHERS = 20, POLLS_AT_ONCE = 8 };
    unsigned epoch;

    begin(NULL, OTHERS);
    for (unsigned i = 0; i < OTHERS; i++) {
        hand_over(&rig.other[i]->shard, 1, 1, false);
    }
    epoch = rig.domain->epoch.epoch;
    CHECK(rm_upkeep_poll(rig.own, 0));
    CHECK_EQ(rig.domain->epoch.epoch, epoch + POLLS_AT_ONCE);
    end();
}

/* What is deferred waits until it is asked for; the barrier asks. */
TEST_CASE(upkeep, a_barrier_ends_all)
{
    struct rangemap_domain_options options = {.callbacks = RANGEMAP_CALLBACKS_WHEN_ASKED};

    begin(&options, 5);
    for (unsigned i = 0; i < 5; i++) {
        hand_over(&rig.other[i]->shard, 400, 1, i % 2 != 0);
    }
    rig.own->retired_since_visit = VISIT;
    kernel_tick();
    rm_upkeep_share(rig.own);
    CHECK_LT(gone, things);
    rm_upkeep_barrier(rig.own);
    CHECK_EQ(gone, things);
    CHECK(rm_reclaim_is_empty(rig.domain));
    end();
}
