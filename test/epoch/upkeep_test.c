// SPDX-License-Identifier: BSD-2-Clause
/*
 * What an update does for its domain: whether it polls, which shards it visits, and how much it disposes of. The clock
 * stands but for the test; garbage is counted.
 */
#include "test/epoch/things.h"

enum { POLL = 64, BLOCKED_MAX = 1024 };

/* ---- when an update polls ---- */

/* It has handed over so many things since its last poll, in this tick; so many threads are attached. */
static bool polls(uint64_t retired, uint64_t attached, bool was_blocked)
{
    uint64_t before = rm_load_relaxed(&rig.domain->roster.attached);
    unsigned epoch = rig.domain->epoch.epoch;

    hand_over(&rig.own->shard, 1, 1, false);
    rig.own->counted_epoch = epoch;
    rig.own->retired_since_poll = retired;
    rig.own->retired_since_visit = VISIT;
    rig.own->was_blocked = was_blocked;
    rm_store_relaxed(&rig.domain->roster.attached, attached);
    rm_upkeep_share(rig.own);
    rm_store_relaxed(&rig.domain->roster.attached, before);
    CHECK_EQ(rig.own->retired_since_visit, 0u);
    CHECK_EQ(rig.own->retired_since_poll, rig.domain->epoch.epoch != epoch ? 0 : retired);
    CHECK_EQ(rig.own->was_blocked, was_blocked && rig.domain->epoch.epoch == epoch, "a poll has not been");
    return rig.domain->epoch.epoch != epoch;
}

TEST_CASE(upkeep, polls_after_so_many_things)
{
    static const uint64_t attached[] = {1, 15, 16, 17, 100, 255, 256, 257, 1000};

    begin(NULL, 0);
    for (unsigned i = 0; i < sizeof attached / sizeof *attached; i++) {
        uint64_t blocked = 4 * attached[i] < POLL ? POLL : 4 * attached[i];

        blocked = blocked < BLOCKED_MAX ? blocked : BLOCKED_MAX;
        CHECK(!polls(POLL - 1, attached[i], false));
        CHECK(polls(POLL, attached[i], false));
        CHECK(!polls(blocked - 1, attached[i], true), "%u", (unsigned)attached[i]);
        CHECK(polls(blocked, attached[i], true), "%u", (unsigned)attached[i]);
    }
    end();
}

/* A count that is due, the epoch having moved so often since the last one: whether the thread polls. */
static bool polls_at_count(unsigned moved)
{
    unsigned epoch = rig.domain->epoch.epoch;

    hand_over(&rig.own->shard, 1, 1, false);
    rig.own->counted_epoch = epoch - moved;
    rig.own->retired_since_poll = POLL;
    rig.own->retired_since_visit = VISIT;
    rm_upkeep_share(rig.own);
    CHECK_EQ(rig.own->retired_since_poll, 0u, "it begins anew");
    CHECK_EQ(rig.own->counted_epoch, epoch);
    return rig.domain->epoch.epoch != epoch;
}

/*
 * Others' polls have served it if the epoch has moved by two since it counted. By one, and it leaves the epoch to whom
 * is there already, but not an epoch that it has found at its last count, too.
 */
TEST_CASE(upkeep, polls_unless_others_do)
{
    begin(NULL, 0);
    for (unsigned moved = 0; moved < 4; moved++) {
        for (unsigned others = 0; others < 2; others++) {
            unsigned epoch = rig.domain->epoch.epoch;
            uint64_t before = others != 0 ? epoch : epoch - 1;
            bool polls = moved == 0 || (moved == 1 && others == 0);

            rm_store_relaxed(&rig.domain->polled, before);
            CHECK_EQ(polls_at_count(moved), polls, "moved by %u, others %u", moved, others);
            CHECK_EQ(rm_load_relaxed(&rig.domain->polled), moved == 1 ? epoch : before, "it says so");
        }
    }
    end();
}

/* With each tick, and above the soft limit. */
TEST_CASE(upkeep, polls_when_it_is_time)
{
    static const struct rangemap_domain_options options = {.soft_limit_bytes = 1000};

    begin(&options, 0);
    for (unsigned i = 0; i < 4; i++) {
        bool ticks = i == 1, is_above = i == 2;
        unsigned epoch = rig.domain->epoch.epoch;

        hand_over(&rig.own->shard, 1, is_above ? 1001 : 1000, false);
        if (ticks) {
            kernel_tick();
        }
        rig.own->counted_epoch = epoch - 2;
        rig.own->retired_since_visit = 1;
        rm_upkeep_share(rig.own);
        CHECK_EQ(rig.domain->epoch.epoch - epoch, ticks || is_above, "case %u", i);
        CHECK_EQ(rig.own->retired_since_visit, ticks || is_above ? 0u : 1u);
        rm_upkeep_barrier(rig.own);
    }
    end();
}

/* ---- how much a share is ---- */

/* Handed over and put in, together; below that no shard is looked at. */
TEST_CASE(upkeep, a_share_is_due_after_a_bag)
{
    begin(NULL, 0);
    for (unsigned built = 0; built <= VISIT + 1; built++) {
        for (unsigned retired = 0; retired <= VISIT + 1; retired++) {
            bool is_due = built + retired >= VISIT;

            hand_over(&rig.own->shard, 1, 1, false);
            rig.own->retired_since_visit = retired;
            rig.own->built_since_visit = built;
            rm_upkeep_share(rig.own);
            CHECK_EQ(rig.own->retired_since_visit, is_due ? 0 : retired);
            CHECK_EQ(rig.own->built_since_visit, is_due ? 0 : built);
            CHECK_EQ(rm_load_relaxed(&rig.own->shard.inbox.head) == 0, is_due);
            rm_upkeep_barrier(rig.own);
        }
    }
    end();
}

/* What it disposes of, by what waits, by what it has handed over and put in, and in a tick. */
static void check_share(uint64_t bytes_each, unsigned retired, unsigned built, bool ticks)
{
    enum { WAIT = 500 };
    bool is_much = bytes_each * WAIT > RM_SHARD_BYTES;
    unsigned expected = retired + (ticks ? RM_TICK_ENTRIES : 0) + (is_much ? 2 * retired + built : 0);

    begin(NULL, 0);
    fill_ready(&rig.own->shard, WAIT, bytes_each);
    rig.own->retired_since_visit = retired;
    rig.own->built_since_visit = built;
    if (ticks) {
        kernel_tick();
        rm_store_relaxed(&rig.own->shard.visited_ns, kernel.clock_ns); /* not for a second time */
    }
    CHECK_EQ(gone_in_share(), expected, "%u, %u, tick %d", retired, built, ticks);
    end();
}

TEST_CASE(upkeep, a_share_is_what_was_handed_over_or_more)
{
    for (unsigned retired = VISIT; retired < 60; retired += 13) {
        for (unsigned built = 0; built < 60; built += 29) {
            for (unsigned ticks = 0; ticks < 2; ticks++) {
                check_share(1, retired, built, ticks != 0);
                check_share(RM_SHARD_BYTES / 500 + 1, retired, built, ticks != 0);
            }
        }
    }
}

TEST_CASE(upkeep, a_share_is_more_above_the_soft_limit)
{
    static const struct rangemap_domain_options options = {.soft_limit_bytes = 100};

    begin(&options, 0);
    fill_ready(&rig.own->shard, 600, 1);
    rig.own->retired_since_visit = VISIT;
    CHECK_EQ(gone_in_share(), (unsigned)VISIT + RM_PRESSED_ENTRIES);
    rig.own->retired_since_visit = VISIT;
    CHECK_EQ(gone_in_share(), (unsigned)VISIT + RM_PRESSED_ENTRIES);
    rig.own->retired_since_visit = VISIT;
    CHECK_EQ(gone_in_share(), (unsigned)VISIT, "it is below now");
    end();
}

/* Somebody is at it: what it has handed over counts with the next share. */
TEST_CASE(upkeep, a_share_in_vain_is_added_to_the_next)
{
    begin(NULL, 1);
    fill_ready(&rig.own->shard, 300, 1);
    rm_store_relaxed(&rig.own->shard.claim, rm_pointer_bits(rig.other[0]));
    rig.own->retired_since_visit = VISIT + 1;
    rig.own->built_since_visit = 7;
    CHECK_EQ(gone_in_share(), 0u);
    CHECK_EQ(rig.own->retired_since_visit, (unsigned)VISIT + 1);
    CHECK_EQ(rig.own->built_since_visit, 7u);
    rm_store_relaxed(&rig.own->shard.claim, 0);
    CHECK_EQ(gone_in_share(), (unsigned)VISIT + 1);
    CHECK_EQ(rig.own->retired_since_visit, 0u);
    CHECK_EQ(rig.own->built_since_visit, 0u);
    end();
}

/* Where it hands things over elsewhere, it goes on there until nothing is left. */
TEST_CASE(upkeep, a_share_goes_on_elsewhere)
{
    begin(NULL, 2);
    fill_ready(&rig.other[1]->shard, 60, 1);
    rig.own->elsewhere = &rig.other[1]->shard;
    rig.own->retired_since_visit = 40;
    CHECK_EQ(gone_in_share(), 40u);
    CHECK_EQ(rig.own->elsewhere, &rig.other[1]->shard);
    rm_store_relaxed(&rig.other[1]->shard.claim, rm_pointer_bits(rig.other[0]));
    rig.own->retired_since_visit = 40;
    CHECK_EQ(gone_in_share(), 0u, "another is at it");
    CHECK_EQ(rig.own->elsewhere, &rig.other[1]->shard);
    rm_store_relaxed(&rig.other[1]->shard.claim, 0);
    rig.own->retired_since_visit = 40;
    CHECK_EQ(gone_in_share(), 20u);
    CHECK_EQ(rig.own->elsewhere, NULL);
    fill_ready(&rig.other[1]->shard, 60, 1);
    rig.own->retired_since_visit = 40;
    CHECK_EQ(gone_in_share(), 0u, "it is others' now");
    end();
}

/* What is disposed of there is handed over elsewhere again. */
static unsigned hops;

static bool hop(struct rm_garbage *garbage, struct rm_thread *thread, unsigned *budget)
{
    (void)garbage;
    --*budget;
    hops++;
    thread->elsewhere = &rig.other[hops]->shard;
    return true;
}

/* It follows for so many steps, not further. */
TEST_CASE(upkeep, a_share_follows_sixteen_times)
{
    enum { OTHERS = 20 };
    static const struct rm_garbage_kind hopping = {hop, NULL, false, false};
    static struct rm_garbage garbage[OTHERS - 1];
    struct rm_work work = {.now_ns = 0};

    begin(NULL, OTHERS);
    work.thread = rig.own;
    hops = 0;
    for (unsigned i = 0; i < OTHERS - 1; i++) {
        garbage[i].kind = &hopping;
        rm_reclaim_submit_to(rig.own, &rig.other[i]->shard, &garbage[i]);
        CHECK(rm_reclaim_visit(&rig.other[i]->shard, &work));
    }
    rig.domain->epoch.epoch += 2;
    rig.own->elsewhere = &rig.other[0]->shard;
    rig.own->retired_since_visit = VISIT;
    rm_upkeep_share(rig.own);
    CHECK_EQ(hops, (unsigned)RM_TEND_RECORDS);
    CHECK_EQ(rig.own->elsewhere, &rig.other[hops]->shard);
    end();
}

/* More is disposed of at once where more waits than is due to grace periods: to the very byte. */
TEST_CASE(upkeep, a_surplus_is_for_what_is_above_the_bound)
{
    enum { SMALL = 9, BUDGET = 2, SURPLUS = 3 };

    for (unsigned more = 0; more < 3; more++) {
        struct rm_work work = {.budget = BUDGET, .surplus = SURPLUS};
        bool is_much = more == 2;

        begin(NULL, 0);
        work.thread = rig.own;
        hand_over(&rig.own->shard, 1, RM_SHARD_BYTES - 1 + more - SMALL, false);
        fill_ready(&rig.own->shard, SMALL, 1);
        CHECK(rm_reclaim_visit(&rig.own->shard, &work));
        CHECK_EQ(gone, (unsigned)BUDGET + (is_much ? SURPLUS : 0));
        CHECK_EQ(work.budget, 0u);
        CHECK_EQ(work.surplus, is_much ? 0u : SURPLUS);
        end();
    }
}

/* ---- once a tick ---- */

/* How many shards of others a share has visited. */
static unsigned visited(unsigned others)
{
    unsigned count = 0;

    for (unsigned i = 0; i < others; i++) {
        count += rm_load_relaxed(&rig.other[i]->shard.visited_ns) == kernel.clock_ns;
    }
    return count;
}

/* Of sixteen others a tick, in turn. Only shards that nobody has visited since the tick before. */
TEST_CASE(upkeep, a_tick_sees_to_sixteen_others)
{
    enum { OTHERS = 39, PLACES = OTHERS + 1 };
    unsigned seen = 0;

    begin(NULL, OTHERS);
    for (unsigned i = 0; i < OTHERS; i++) {
        hand_over(&rig.other[i]->shard, 1, 1, false);
    }
    for (unsigned tick = 0; tick < 5; tick++) { /* at two and a half all have been */
        for (unsigned i = 0; i < OTHERS; i++) {
            hand_over(&rig.other[i]->shard, 1, 1, false);
        }
        kernel_tick();
        rig.own->retired_since_visit = 1;
        rm_upkeep_share(rig.own);
        CHECK_EQ(rig.own->tended_ns, kernel.clock_ns);
        CHECK_GE(visited(OTHERS), (unsigned)RM_TEND_RECORDS - 1, "one place is its own");
        CHECK_LE(visited(OTHERS), (unsigned)RM_TEND_RECORDS);
        seen += visited(OTHERS);
        rm_upkeep_share(rig.own);
        CHECK_LE(visited(OTHERS), (unsigned)RM_TEND_RECORDS, "not twice in a tick");
    }
    CHECK_EQ(seen, 5u * RM_TEND_RECORDS - 2, "its own place comes twice in so many");
    end();
}

/* The pool looks itself whenever sixteen slabs have become idle: what is too much after the last look is a tick's. */
TEST_CASE(upkeep, a_tick_gives_back_what_is_idle)
{
    enum { SLABS = 79, KEPT = 2 * 32 };
    static struct rm_slab *slab[SLABS];
    struct rm_pool *pool;

    begin(NULL, 0);
    pool = &rig.domain->pool;
    for (unsigned i = 0; i < SLABS; i++) {
        slab[i] = rm_pool_take_slab(pool, 0);
        REQUIRE(slab[i] != NULL);
    }
    rm_store_relaxed(&pool->idled, 0);
    for (unsigned i = 0; i < SLABS; i++) {
        rm_pool_give_slab(pool, slab[i]);
    }
    kernel_tick();
    rig.own->retired_since_visit = 1;
    rm_upkeep_share(rig.own);
    CHECK_GT(rm_load_relaxed(&pool->dirty_slabs), (uint64_t)KEPT, "needed lately");
    kernel.clock_ns += RM_PEAK_MAPPED_NS;
    rig.own->retired_since_visit = 1;
    rm_upkeep_share(rig.own);
    CHECK_LE(rm_load_relaxed(&pool->dirty_slabs), (uint64_t)KEPT);
    end();
}

TEST_CASE(upkeep, a_tick_leaves_shards_alone_that_are_seen_to)
{
    begin(NULL, 3);
    for (unsigned i = 0; i < 3; i++) {
        fill_ready(&rig.other[i]->shard, 10, 1);
        rm_store_relaxed(&rig.other[i]->shard.visited_ns, kernel.clock_ns - 1 + i);
    }
    kernel_tick();
    rig.own->retired_since_visit = 1;
    CHECK_EQ(gone_in_share(), 20u, "of two: visited in the tick before, or at its time");
    CHECK(!rm_shard_is_empty(&rig.other[2]->shard));
    end();
}

/* Of a tick's own budget none is left here; of others' it disposes of so many, of the whole together. */
TEST_CASE(upkeep, a_tick_disposes_of_some_of_others)
{
    begin(NULL, 2);
    fill_ready(&rig.own->shard, 300, 1);
    fill_ready(&rig.other[0]->shard, 50, 1);
    fill_ready(&rig.other[1]->shard, 50, 1);
    for (unsigned i = 0; i < 2; i++) {
        rm_store_relaxed(&rig.other[i]->shard.visited_ns, 0);
    }
    kernel_tick();
    rig.own->retired_since_visit = 9;
    CHECK_EQ(gone_in_share(), 9u + RM_TICK_ENTRIES + RM_TEND_ENTRIES);
    CHECK(rm_shard_is_empty(&rig.other[0]->shard));
    end();
}
