// SPDX-License-Identifier: BSD-2-Clause
/*
 * Another thread comes before any access to a shared word of one that takes a record, has it placed, hands garbage over
 * or moves it on, and does all of its own there. None has what another one has, and what lost a race goes back. One
 * program has the hooks once: hence its length.
 */
#include "rangemap/base/fence.h"
#include "rangemap/epoch/light.h"
#include "rangemap/epoch/reclaim.h"
#include "test/memory/hooks.h"
#include "test/shim/ctest.h"

enum { RECORDS = 2 };

static struct rangemap_domain *domain;
static struct rm_thread *record[RECORDS];

static void make_domain(void)
{
    domain = rm_domain_new(NULL);
    REQUIRE(domain != NULL);
}

static void end_domain(void)
{
    rm_domain_free(domain);
    rm_record_unmap_all();
}

/* A record with a place, attached. */
static struct rm_thread *new_thread(void)
{
    struct rm_thread *thread = rm_record_take();

    REQUIRE(thread != NULL && rm_record_join(thread, domain));
    rm_roster_set_attached(&domain->roster, thread, true);
    rm_store_relaxed(&thread->standing, rm_standing(RM_THREAD_ATTACHED, 7, 1));
    return thread;
}

/* ---- records ---- */

static void nothing(void)
{
}

static void one_takes(void)
{
    record[0] = rm_record_take();
}

static void other_takes(void)
{
    record[1] = rm_record_take();
}

/* Each has one of its own, and there are no more. */
static void check_records(void)
{
    unsigned taken = record[1] != NULL ? 2 : 1;

    REQUIRE(record[0] != NULL);
    CHECK_NE(record[0], record[1]);
    CHECK_EQ(rm_record_numbers(), taken);
    CHECK_EQ(record[0]->number + (taken > 1 ? record[1]->number : 0), taken - 1);
    for (unsigned i = 0; i < taken; i++) {
        CHECK_EQ(rm_record_at(record[i]->number), record[i]);
        CHECK_EQ((unsigned)rm_standing_state(rm_load_relaxed(&record[i]->standing)),
                 (unsigned)RM_THREAD_MOVING);
    }
    record[0] = record[1] = NULL;
    rm_record_unmap_all();
}

static void two_are_free(void)
{
    struct rm_thread *thread[2] = {rm_record_take(), rm_record_take()};

    rm_record_free(thread[0]);
    rm_record_free(thread[1]);
}

static void one_is_free(void)
{
    rm_record_free(rm_record_take());
}

TEST_CASE(meeting, each_takes_a_record_of_its_own)
{
    meet(nothing, one_takes, other_takes, check_records);
    meet(one_is_free, one_takes, other_takes, check_records);
}

static struct rm_thread *freed;

/* The same one is first again, and the one behind it is not free any more. */
static void other_takes_two_and_gives_one(void)
{
    freed = rm_record_take();
    record[1] = rm_record_take();
    rm_record_free(freed);
}

static void check_two(void)
{
    struct rm_thread *third = rm_record_take();

    CHECK_NE(record[0], record[1]);
    CHECK(third != record[0] && third != record[1]);
    record[0] = record[1] = freed = NULL;
    rm_record_unmap_all();
}

TEST_CASE(meeting, a_record_that_is_first_again)
{
    meet(two_are_free, one_takes, other_takes_two_and_gives_one, check_two);
}

/* ---- who seizes it ---- */

static bool has_seized[2];

static void one_is_attached(void)
{
    record[0] = rm_record_take();
    rm_store_relaxed(&record[0]->standing, rm_standing(RM_THREAD_ATTACHED, 7, 1));
    has_seized[0] = has_seized[1] = false;
}

static void one_seizes(void)
{
    has_seized[0] = rm_record_seize(record[0], RM_THREAD_ATTACHED, 7);
}

static void other_seizes(void)
{
    has_seized[1] = rm_record_seize(record[0], RM_THREAD_ATTACHED, 7);
}

static void check_seized(void)
{
    CHECK_EQ(has_seized[0] + has_seized[1], 1, "one of them has it");
    record[0] = NULL;
    rm_record_unmap_all();
}

TEST_CASE(meeting, one_of_two_seizes_it)
{
    meet(one_is_attached, one_seizes, other_seizes, check_seized);
}

/* ---- places ---- */

static struct rm_thread *joiner[2];
static bool other_joined;

/* So many places are taken. */
static void prepare_places(unsigned places)
{
    make_domain();
    other_joined = false;
    for (unsigned i = 0; i < places; i++) {
        (void)new_thread();
    }
    joiner[0] = rm_record_take();
    joiner[1] = rm_record_take();
}

static void first_page_is_empty(void)
{
    prepare_places(0);
}

static void first_page_is_full(void)
{
    prepare_places(RM_ROSTER_PLACES);
}

static void one_joins(void)
{
    CHECK(rm_record_join(joiner[0], domain));
    rm_roster_set_attached(&domain->roster, joiner[0], true);
}

static void other_joins(void)
{
    other_joined = true;
    CHECK(rm_record_join(joiner[1], domain));
    rm_roster_set_attached(&domain->roster, joiner[1], true);
}

/* What is had of the domain's memory: pages of the roster alone. */
static void check_places(void)
{
    struct rm_roster_walk walk = rm_roster_begin(&domain->roster, false);
    uint64_t places = rm_load_relaxed(&domain->roster.places), seen = 0, bytes = 0;
    struct rm_thread *thread;

    while ((thread = rm_roster_next(&walk)) != NULL) {
        seen++;
        bytes += rm_load_relaxed(&thread->cache.live_bytes);
    }
    CHECK_EQ(seen, places);
    CHECK_EQ(rm_load_relaxed(&domain->roster.attached), places);
    CHECK_EQ(places % RM_ROSTER_PLACES, 1u + other_joined);
    CHECK(!other_joined || joiner[0]->page != joiner[1]->page || joiner[0]->place != joiner[1]->place);
    CHECK_EQ(bytes, (uint64_t)(places / RM_ROSTER_PLACES) * RM_ROSTER_LINES * RM_CACHE_LINE);
    end_domain();
}

TEST_CASE(meeting, each_has_a_place_of_its_own)
{
    meet(first_page_is_empty, one_joins, other_joins, check_places);
    meet(first_page_is_full, one_joins, other_joins, check_places);
}

/* ---- the default domain ---- */

static struct rangemap_domain *found[2];

static void one_finds_domain(void)
{
    found[0] = rm_domain_or_default(NULL);
}

static void other_finds_domain(void)
{
    found[1] = rm_domain_or_default(NULL);
}

static void check_default(void)
{
    CHECK(found[0] != NULL && (found[1] == NULL || found[1] == found[0]), "one for both");
    CHECK_EQ(rm_domain_others(), 0u, "none besides");
    CHECK(rm_domain_is_default(found[0]));
    found[0] = found[1] = NULL;
    rm_domain_drop_default();
}

TEST_CASE(meeting, one_default_domain_for_both)
{
    meet(nothing, one_finds_domain, other_finds_domain, check_default);
}

/* ---- garbage ---- */

static struct thing {
    struct rm_garbage garbage;
    bool is_handed_over, is_gone;
} thing[2]; /* of each thread one */

static bool dispose(struct rm_garbage *garbage, struct rm_thread *thread, unsigned *budget)
{
    struct thing *it = RM_CONTAINER_OF(garbage, struct thing, garbage);

    (void)thread;
    CHECK(!it->is_gone, "once");
    it->is_gone = true;
    --*budget;
    return true;
}

static const struct rm_garbage_kind kind = {dispose, NULL, false, false};

static void submit(unsigned i)
{
    thing[i].garbage.kind = &kind;
    thing[i].is_handed_over = true;
    rm_reclaim_submit_to(record[i], &record[0]->shard, &thing[i].garbage);
}

static void two_threads(void)
{
    make_domain();
    record[0] = new_thread();
    record[1] = new_thread();
    thing[0] = thing[1] = (struct thing){.is_gone = false};
}

static void something_waits(void)
{
    two_threads();
    submit(0);
}

static void visit(struct rm_thread *thread)
{
    struct rm_work work = {.thread = thread, .budget = 10, .polls = 2, .calls_back = true};

    (void)rm_reclaim_visit(&record[0]->shard, &work);
}

static void one_visits(void)
{
    visit(record[0]);
}

static void other_visits(void)
{
    visit(record[1]);
}

static void one_submits(void)
{
    submit(0);
}

static void other_submits(void)
{
    submit(1);
}

/* At every instant what is not gone is seen by who asks whether anything is left. */
static void other_asks(void)
{
    CHECK(thing[0].is_gone || !rm_reclaim_is_empty(domain), "it waits, and is not seen");
}

static void check_garbage(void)
{
    for (unsigned i = 0; i < 4; i++) {
        one_visits();
    }
    for (unsigned i = 0; i < 2; i++) {
        CHECK_EQ(thing[i].is_gone, thing[i].is_handed_over, "thing %u", i);
    }
    CHECK(rm_reclaim_is_empty(domain));
    CHECK_EQ(rm_load_relaxed(&record[0]->shard.claim), 0u);
    CHECK_EQ(record[0]->disposed + record[1]->disposed, 0u + thing[0].is_gone + thing[1].is_gone);
    record[0] = record[1] = NULL;
    end_domain();
}

TEST_CASE(meeting, what_is_handed_over_goes_once)
{
    meet(two_threads, one_submits, other_submits, check_garbage);
    meet(two_threads, one_submits, other_visits, check_garbage);
    meet(something_waits, one_visits, other_visits, check_garbage);
    meet(something_waits, one_visits, other_submits, check_garbage);
}

TEST_CASE(meeting, what_waits_is_seen_at_every_instant)
{
    meet(something_waits, one_visits, other_asks, check_garbage);
}

/* ---- light sections ---- */

static void one_is_light(void)
{
    two_threads();
    rm_fence_prepare();
    REQUIRE(rm_fence_is_asymmetric());
    rm_store_relaxed(&record[1]->light, 5 * RM_LIGHT_EARNED + RM_LIGHT);
    record[1]->account.light_since_ns = 1;
}

static void one_revokes(void)
{
    CHECK(rm_light_revoke_all(domain));
}

static void other_reviews_if_taken(void)
{
    if (!rm_light(record[1])) {
        rm_light_review(record[1]);
    }
}

/* It is taken away, and earned anew: which the fence before was not for. */
static void other_earns_anew_if_taken(void)
{
    other_reviews_if_taken();
    if (!rm_light(record[1])) {
        rm_light_review(record[1]);
    }
}

static void check_light(void)
{
    uint64_t light = rm_load_relaxed(&record[1]->light);

    CHECK(light == 5 * RM_LIGHT_EARNED || light == 6 * RM_LIGHT_EARNED ||
              light == 6 * RM_LIGHT_EARNED + RM_LIGHT,
          "%u", (unsigned)light);
    CHECK_NE(light & RM_LIGHT_STATE, (uint64_t)RM_LIGHT_TAKEN);
    record[0] = record[1] = NULL;
    end_domain();
}

TEST_CASE(meeting, light_is_taken_from_who_reviews)
{
    meet(one_is_light, one_revokes, one_revokes, check_light);
    meet(one_is_light, one_revokes, other_reviews_if_taken, check_light);
    meet(one_is_light, one_revokes, other_earns_anew_if_taken, check_light);
}

/* ---- nodes that go to other threads ---- */

enum { NODES = 50 };

static unsigned given;

/* In the child of a fork at that instant the cache is of no use: that is told by its thread's being busy. */
static void check_busy(const rm_word *word)
{
    const struct rm_extent *extent = domain->pool.tables->extent;

    if (word >= extent->free && word < extent->free + RM_EXTENT_SLABS) {
        CHECK_GT(record[0]->busy, 0u);
        given++;
    }
}

TEST_CASE(meeting, a_cache_in_motion_is_busy)
{
    void *node[NODES];

    make_domain();
    for (unsigned i = 0; i < RECORDS; i++) {
        record[i] = new_thread();
        (void)rm_roster_note_update(&domain->roster, record[i], 1);
    }
    for (unsigned i = 0; i < NODES; i++) {
        node[i] = rm_thread_alloc(record[0], RM_LINES_MAX);
        REQUIRE(node[i] != NULL);
    }
    for (unsigned i = 0; i < NODES; i++) {
        rm_thread_free(record[0], node[i], RM_LINES_MAX);
    }
    given = 0;
    before_update = check_busy;
    rm_thread_separate(record[0], 1);
    before_update = NULL;
    CHECK_GT(given, 0u);
    CHECK_EQ(record[0]->busy, 0u);
    rm_cache_flush(&record[0]->cache, &domain->pool);
    record[0] = record[1] = NULL;
    end_domain();
}
