// SPDX-License-Identifier: BSD-2-Clause
/*
 * How threads come to their records and leave them: whose record a new thread gets, what is left of its last thread,
 * how many are looked at for that, and what a domain's end makes of them. The kernel says which threads are gone as the
 * test wants it.
 */
#include <errno.h>
#include <limits.h>

#include "rangemap/epoch/retire.h"
#include "rangemap/epoch/section.h"
#include "test/epoch/rig.h"
#include "test/shim/ctest.h"

enum { OTHERS = 30, LOOKS = 8, NS_PER_RECORD = 10000 };

static struct rig rig;

static enum rm_thread_state state_of(const struct rm_thread *thread)
{
    return rm_standing_state(rm_load_relaxed(&thread->standing));
}

static bool is_in_roster(const struct rm_thread *thread)
{
    return (rm_load_relaxed(&thread->page->attached) >> thread->place & 1) != 0;
}

/* None of the others is gone, and nobody looks for such by the clock. */
static void begin(unsigned others)
{
    rig_begin(&rig, NULL, others);
    rm_store_relaxed(&rig.domain->roster.reaped_all_ns, kernel.clock_ns);
    rm_store_relaxed(&rig.domain->roster.looked, 0);
}

static unsigned parked(void)
{
    unsigned count = 0;

    for (unsigned i = 0; i < rig.others; i++) {
        count += state_of(rig.other[i]) == RM_THREAD_PARKED;
        CHECK_EQ(is_in_roster(rig.other[i]), state_of(rig.other[i]) == RM_THREAD_ATTACHED);
    }
    CHECK_EQ(rm_load_relaxed(&rig.domain->roster.attached), rig.others + 1 - count);
    return count;
}

/* ---- leaving ---- */

TEST_CASE(attach, detaching_in_the_middle_is_refused)
{
    for (unsigned middle = 0; middle < 8; middle++) {
        begin(0);
        rig.own->section.active = middle & 1;
        rig.own->reclaiming = (middle & 2) != 0;
        rig.own->busy = (middle & 4) != 0;
        CHECK_EQ(rm_thread_detach(rig.domain), middle != 0 ? -EBUSY : 0, "case %u", middle);
        CHECK_EQ(rm_thread_existing(rig.domain), middle != 0 ? rig.own : NULL);
        CHECK_EQ((unsigned)state_of(rig.own),
                 (unsigned)(middle != 0 ? RM_THREAD_ATTACHED : RM_THREAD_PARKED));
        CHECK_EQ(is_in_roster(rig.own), middle != 0);
        CHECK_EQ(rm_thread_detach(rig.domain), middle != 0 ? -EBUSY : 0);
        rig.own->section.active = 0;
        rig.own->reclaiming = false;
        rig.own->busy = 0;
        rig_end(&rig);
    }
}

/* A node in its cache, and one that waits in its bag. */
static void give_something(struct rm_thread *thread)
{
    void *spare = rm_thread_alloc(thread, RM_LINES_MIN), *node = rm_thread_alloc(thread, RM_LINES_MIN);

    REQUIRE(spare != NULL && node != NULL && rm_retire_has_room(thread));
    rm_retire_node(thread, node, RM_LINES_MIN);
    rm_thread_free(thread, spare, RM_LINES_MIN);
    rm_store_relaxed(&thread->light, RM_LIGHT_EARNED + RM_LIGHT);
    thread->account.fences_to_earn = 1 << 20;
    thread->section.active = 3;
    thread->reclaiming = true;
}

static unsigned cached(const struct rm_thread *thread)
{
    unsigned nodes = 0;

    for (unsigned i = 0; i < RM_SIZES; i++) {
        nodes += thread->cache.magazine[i].count + rm_bits_count(thread->cache.magazine[i].slice.nodes);
    }
    return nodes;
}

/* What was in motion may be half moved, and is forgotten; what was not goes to the shard and to the pool. */
static void check_left(struct rm_thread *thread, bool was_busy)
{
    CHECK_EQ((unsigned)state_of(thread), (unsigned)RM_THREAD_PARKED);
    CHECK_EQ(thread->section.active, 0u);
    CHECK_EQ(rm_load_relaxed(&thread->light), (uint64_t)RM_LIGHT_EARNED);
    CHECK_EQ(thread->account.fences_to_earn, 1u << 10);
    CHECK(thread->busy == 0 && !thread->reclaiming);
    CHECK(thread->bag == NULL && thread->committed_bag == NULL && thread->committed == 0);
    CHECK_EQ(rm_shard_is_empty(&thread->shard), was_busy);
    CHECK_EQ(cached(thread), 0u);
    CHECK_EQ(rm_load_relaxed(&thread->retired_bytes) != 0, !was_busy);
    CHECK(!is_in_roster(thread));
}

TEST_CASE(attach, what_an_ended_thread_leaves)
{
    for (unsigned busy = 0; busy < 3; busy++) {
        struct rm_thread *thread;

        begin(1);
        thread = rig.other[0];
        give_something(thread);
        CHECK_GT(cached(thread), 0u);
        thread->busy = busy;
        rm_thread_reap_if_gone(thread);
        CHECK_EQ((unsigned)state_of(thread), (unsigned)RM_THREAD_ATTACHED, "it is not gone");
        CHECK_EQ(thread->section.active, 3u);
        kernel.gone = rm_record_tid(rig.own);
        rm_thread_reap_if_gone(rig.own);
        CHECK_EQ((unsigned)state_of(rig.own), (unsigned)RM_THREAD_ATTACHED, "it is the caller's");
        kernel.gone = rm_record_tid(thread);
        for (unsigned i = 0; i < 2; i++) {
            rm_thread_reap_if_gone(thread);
            check_left(thread, busy != 0);
        }
        CHECK_EQ(rm_record_pop_parked(rig.domain), thread, "once");
        CHECK_EQ(rm_record_pop_parked(rig.domain), NULL);
        rm_record_push_parked(thread);
        rig_end(&rig);
    }
}

/* ---- looking for ended threads ---- */

/* So many a time, going on where the last look ended; the caller's own is one of those looked at. */
TEST_CASE(attach, so_many_are_looked_at)
{
    for (unsigned records = 0; records <= OTHERS + 2; records++) {
        unsigned expected = records <= OTHERS ? records : OTHERS + 1;

        begin(OTHERS);
        kernel.others_are_gone = true;
        rm_thread_reap(rig.domain, records);
        CHECK_LE(parked(), expected);
        CHECK_GE(parked() + 1, expected);
        CHECK_EQ(rm_load_relaxed(&rig.domain->roster.looked), records <= OTHERS ? records : 0u,
                 "all: no turn");
        rm_thread_reap(rig.domain, UINT_MAX);
        CHECK_EQ(parked(), (unsigned)OTHERS);
        rig_end(&rig);
    }
}

TEST_CASE(attach, looks_come_by_all)
{
    begin(OTHERS);
    for (unsigned i = 0; i < OTHERS + 1; i += 7) {
        rm_thread_reap(rig.domain, 7);
    }
    CHECK_EQ(parked(), 0u);
    kernel.others_are_gone = true;
    for (unsigned last = 0; parked() < OTHERS; last++) {
        rm_thread_reap(rig.domain, 7);
        REQUIRE_LT(last, (unsigned)OTHERS);
    }
    rig_end(&rig);
}

/* ---- whose record a thread gets ---- */

static struct rm_thread *got;

static void attach_once(unsigned index, void *context)
{
    (void)index;
    (void)context;
    got = rm_thread_current(rig.domain);
    CHECK_EQ(rm_thread_existing(rig.domain), got);
    CHECK_EQ(got->domain, rig.domain);
    CHECK_EQ(got->section.active, 0u);
    CHECK(got->busy == 0 && !got->reclaiming && !rm_light(got));
    CHECK(is_in_roster(got));
    CHECK_EQ((unsigned)state_of(got), (unsigned)RM_THREAD_ATTACHED);
    CHECK_EQ(rm_record_tid(got), rm_thread_number());
}

/* The next thread that comes to the domain, which then ends. */
static struct rm_thread *next_gets(void)
{
    got = NULL;
    crew_run(1, attach_once, NULL);
    return got;
}

static unsigned records(void)
{
    return (unsigned)rm_load_relaxed(&rig.domain->roster.places);
}

/* One that is parked; else one whose thread is gone, as that left it; else a new one. */
TEST_CASE(attach, a_parked_record_an_ended_threads_or_a_new_one)
{
    struct rm_thread *parked_one, *abandoned, *made;
    uint64_t attaches;

    begin(3);
    rm_store_relaxed(&rig.domain->roster.looked, 0);
    parked_one = rig.other[2];
    abandoned = rig.other[1];
    kernel.gone = rm_record_tid(parked_one);
    rm_thread_reap_if_gone(parked_one);
    kernel.gone = rm_record_tid(abandoned);
    give_something(abandoned);
    attaches = rm_standing_attached(rm_load_relaxed(&parked_one->standing));
    CHECK_EQ(next_gets(), parked_one);
    CHECK_EQ(rm_standing_attached(rm_load_relaxed(&parked_one->standing)), attaches + 1);
    rm_record_set_state(parked_one, RM_THREAD_MOVING); /* out of the way */
    CHECK_EQ(next_gets(), abandoned);
    CHECK_NE(abandoned->bag, NULL, "it has what the last thread had");
    CHECK_EQ(rm_load_relaxed(&abandoned->light) & RM_LIGHT_STATE, 0u);
    rm_record_set_state(abandoned, RM_THREAD_MOVING);
    kernel.gone = 0;
    CHECK_EQ(records(), 4u);
    made = next_gets();
    CHECK(made != rig.own && made != rig.other[0] && made != parked_one && made != abandoned);
    CHECK_EQ(records(), 5u);
    rm_record_set_state(parked_one, RM_THREAD_ATTACHED);
    rm_record_set_state(abandoned, RM_THREAD_ATTACHED);
    rm_thread_reap(rig.domain, UINT_MAX);
    CHECK_EQ(rm_load_relaxed(&rig.domain->roster.attached), 2u, "the caller and one other");
    rig_end(&rig);
}

/* A number is one thread's at a time: who has the caller's, and is not the caller, is gone. */
TEST_CASE(attach, whoever_had_the_callers_number_is_gone)
{
    struct rm_thread *namesake;

    begin(2);
    namesake = rig.other[1];
    rm_store_relaxed(&namesake->standing, rm_standing(RM_THREAD_ATTACHED, rm_record_tid(rig.own), 7));
    rm_thread_reap_if_gone(rig.own);
    rm_thread_reap_if_gone(rig.other[0]);
    CHECK_EQ((unsigned)rm_standing_state(rm_load_relaxed(&rig.own->standing)), (unsigned)RM_THREAD_ATTACHED);
    CHECK_EQ(rm_load_relaxed(&rig.domain->roster.attached), 3u);
    rm_thread_reap_if_gone(namesake);
    CHECK_EQ((unsigned)rm_standing_state(rm_load_relaxed(&namesake->standing)), (unsigned)RM_THREAD_PARKED);
    CHECK_EQ(rm_load_relaxed(&rig.domain->roster.attached), 2u);
    rig_end(&rig);
}

static void other_parks_them(void)
{
    rm_thread_reap(rig.domain, UINT_MAX);
}

/* Neither parked nor abandoned at the moment when this thread looks for such: none is made all the same. */
TEST_CASE(attach, another_thread_parks_what_is_looked_for)
{
    struct rm_thread *thread;

    begin(2);
    kernel.gone = rm_record_tid(rig.other[1]);
    kernel.at_gone = other_parks_them;
    thread = next_gets();
    CHECK(kernel.at_gone == NULL);
    CHECK_EQ(thread, rig.other[1]);
    CHECK_EQ(records(), 3u);
    CHECK(is_in_roster(thread));
    rig_end(&rig);
}

/* Eight are looked at, from where the last look ended. */
TEST_CASE(attach, an_ended_thread_is_looked_for_among_eight)
{
    for (unsigned looked = 0; looked <= LOOKS; looked++) {
        struct rm_thread *target = NULL;
        struct rm_roster_walk walk;

        begin(OTHERS);
        walk = rm_roster_begin(&rig.domain->roster, false);
        rm_roster_skip(&walk, 5);
        for (unsigned i = 0; i <= looked; i++) {
            target = rm_roster_next(&walk);
        }
        rm_store_relaxed(&rig.domain->roster.looked, 5);
        kernel.gone = rm_record_tid(target);
        CHECK_EQ(next_gets() == target, looked < LOOKS, "the %u. look", looked + 1);
        CHECK_EQ(rm_load_relaxed(&rig.domain->roster.looked), 5u + LOOKS);
        rig_end(&rig);
    }
}

/* All of them, if that was not done for ten microseconds a record. */
TEST_CASE(attach, all_are_looked_at_when_it_is_due)
{
    for (unsigned more = 0; more < 3; more++) {
        begin(OTHERS);
        kernel.clock_ns += (OTHERS + 1) * NS_PER_RECORD + more - 1;
        rm_store_relaxed(&rig.domain->roster.looked, 100);
        kernel.others_are_gone = true;
        kernel.gone = 0;
        (void)next_gets();
        CHECK_EQ(rm_load_relaxed(&rig.domain->roster.reaped_all_ns) == kernel.clock_ns, more == 2);
        kernel.others_are_gone = false;
        rig_end(&rig);
    }
}

/* ---- the end of a domain ---- */

/* Parked records and those of ended threads are free; of others it is left to their threads. */
TEST_CASE(attach, what_a_domains_end_makes_of_records)
{
    begin(3);
    kernel.gone = rm_record_tid(rig.other[0]);
    rm_thread_reap_if_gone(rig.other[0]);
    kernel.gone = rm_record_tid(rig.other[1]);
    rm_thread_release_all(rig.domain);
    CHECK_EQ((unsigned)state_of(rig.other[0]), (unsigned)RM_THREAD_FREE);
    CHECK_EQ((unsigned)state_of(rig.other[1]), (unsigned)RM_THREAD_FREE);
    CHECK_EQ((unsigned)state_of(rig.other[2]), (unsigned)RM_THREAD_ORPHAN);
    CHECK_EQ((unsigned)state_of(rig.own), (unsigned)RM_THREAD_ORPHAN);
    for (unsigned i = 0; i < 3; i++) {
        CHECK_EQ(rig.other[i]->section.global, NULL);
    }
    CHECK_EQ(rm_thread_existing(rig.domain), NULL);
    rm_domain_free(rig.domain);
    kernel_reset();
    CHECK_EQ(rangemap_domain_detach(NULL), 0);
    CHECK_EQ((unsigned)state_of(rig.own), (unsigned)RM_THREAD_FREE);
    guests_leave(&rig.guests);
    kernel.clock_ns = 0;
}
