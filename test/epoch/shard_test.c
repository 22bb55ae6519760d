// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a visit does to a shard, beside a model of it: each thing with its stamp, in one list. Epochs, sections, budgets
 * and things come at random; what is disposed of, in which order, and every count must be the model's.
 */
#include <pthread.h>
#include <stdlib.h>

#include "rangemap/epoch/reclaim.h"
#include "test/epoch/rig.h"
#include "test/shim/ctest.h"
#include "test/shim/prng.h"

enum { THINGS = 4000, BYTES = 600 };

enum where { INBOX, LIMBO, READY, ASKED, GONE };

/* A piece of garbage, and where the model has it. */
struct thing {
    struct rm_garbage garbage;
    unsigned left; /* things in it */
    unsigned number;
    enum where where;
    unsigned stamp;
};

static struct rig rig;
static struct thing thing[THINGS];
static unsigned things, first; /* those below `first` are gone */
static unsigned disposed[THINGS], disposed_count;

static bool dispose(struct rm_garbage *garbage, struct rm_thread *thread, unsigned *budget)
{
    struct thing *it = RM_CONTAINER_OF(garbage, struct thing, garbage);
    int cancel_state;

    REQUIRE_GT(*budget, 0u);
    CHECK_EQ(thread, rig.own);
    CHECK(thread->reclaiming && thread->busy == 1);
    CHECK_EQ(rm_load_relaxed(&thread->shard.claim), rm_pointer_bits(thread));
    CHECK(!rm_shard_is_empty(&thread->shard), "what is just being disposed of is none that is gone");
    (void)pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &cancel_state);
    CHECK_EQ(cancel_state, PTHREAD_CANCEL_DISABLE);
    (void)pthread_setcancelstate(cancel_state, NULL);
    for (; it->left > 0 && *budget > 0; it->left--, --*budget) {
    }
    if (it->left > 0) {
        return false;
    }
    disposed[disposed_count++] = it->number;
    it->garbage.link.next = &it->garbage.link; /* its memory is another's by now */
    return true;
}

static uint64_t bytes_of(const struct rm_garbage *garbage)
{
    return BYTES + RM_CONTAINER_OF(garbage, struct thing, garbage)->number % 100;
}

static const struct rm_garbage_kind kinds[] = {
    {dispose, bytes_of, false, false},
    {dispose, bytes_of, true, false},
    {dispose, NULL, false, false},
    {dispose, NULL, true, false},
};

static uint64_t bytes_in(enum where from, enum where to)
{
    uint64_t bytes = 0;

    for (unsigned i = first; i < things; i++) {
        bytes += thing[i].where >= from && thing[i].where <= to ? rm_garbage_bytes(&thing[i].garbage) : 0;
    }
    return bytes;
}

static bool any(enum where from, enum where to)
{
    for (unsigned i = first; i < things; i++) {
        if (thing[i].where >= from && thing[i].where <= to) {
            return true;
        }
    }
    return false;
}

static void submit(uint64_t random)
{
    struct thing *it = &thing[things];
    uint64_t work = rm_load_relaxed(&rig.domain->work), retired = rig.own->retired_since_visit;

    *it = (struct thing){.number = things, .left = random / 16 % 3 == 0 ? 4 : 1, .where = INBOX};
    it->garbage.kind = &kinds[random % 4];
    things++;
    rm_reclaim_submit(rig.own, &it->garbage, 3);
    CHECK_EQ(rig.own->retired_since_visit, retired + 3);
    CHECK_EQ(rm_load_relaxed(&rig.domain->work) - work,
             rig.domain->calls_back_when_asked && it->garbage.kind->calls_back);
    CHECK_EQ(rm_load_relaxed(&rig.own->shard.inbox.head), rm_pointer_bits(&it->garbage.link));
}

/* ---- the model ---- */

static void model_ripen(unsigned epoch, bool all)
{
    for (unsigned i = first; i < things; i++) {
        if (thing[i].where == LIMBO && (all || (int)(epoch - thing[i].stamp) >= 2)) {
            thing[i].where = READY;
        }
    }
}

static void model_admit(unsigned epoch)
{
    model_ripen(epoch, false);
    for (unsigned i = first; i < things; i++) {
        if (thing[i].where == INBOX) {
            thing[i].where = LIMBO;
            thing[i].stamp = epoch;
        }
    }
}

/* The one poll that a visit makes. Returns the epoch that is then. */
static unsigned model_poll(struct rm_work *work, unsigned epoch)
{
    bool is_open = rig.own->section.active != 0, is_blocked = is_open && rig.own->section.epoch != epoch;

    if (work->polls == 0 || !any(LIMBO, LIMBO)) {
        return epoch;
    }
    work->polls = is_blocked ? 0 : work->polls - 1;
    work->blocker = is_blocked ? rig.own : NULL;
    epoch += !is_blocked;
    model_ripen(epoch, !is_open);
    return epoch;
}

/* The parts that a budget allows; true: it is gone. */
static bool model_spend(struct thing *it, unsigned left, unsigned *budget)
{
    for (; left > 0 && *budget > 0; left--, --*budget) {
    }
    if (left == 0) {
        it->where = GONE;
    }
    return left == 0;
}

/* How many parts each has left must be known from before the visit. */
static unsigned left_before[THINGS];

static void model_dispose(struct rm_work *work, enum where queue)
{
    for (unsigned i = first; i < things; i++) {
        if (thing[i].where != queue) {
            continue;
        }
        if (queue == READY && thing[i].garbage.kind->calls_back && !work->calls_back) {
            thing[i].where = ASKED;
        } else if (work->budget == 0 || !model_spend(&thing[i], left_before[i], &work->budget)) {
            return;
        }
    }
}

static unsigned model_visit(struct rm_work *work, unsigned epoch)
{
    if (!any(INBOX, ASKED)) {
        return epoch;
    }
    model_admit(epoch);
    epoch = model_poll(work, epoch);
    if (bytes_in(LIMBO, READY) > RM_SHARD_BYTES) {
        work->budget += work->surplus;
        work->surplus = 0;
    }
    if (work->calls_back) {
        model_dispose(work, ASKED);
    }
    model_dispose(work, READY);
    return epoch;
}

/* ---- both ---- */

/* What was disposed of is what has gone in the model: each queue in its order. */
static void check_disposed(unsigned from, const enum where *where_before, unsigned things_before)
{
    unsigned at = from;

    for (unsigned turn = 0; turn < 2; turn++) { /* what was asked for comes first */
        for (unsigned i = first; i < things_before; i++) {
            if (thing[i].where == GONE && where_before[i] != GONE &&
                (where_before[i] == ASKED) == (turn == 0)) {
                REQUIRE_LT(at, disposed_count);
                CHECK_EQ(disposed[at], i);
                at++;
            }
        }
    }
    CHECK_EQ(at, disposed_count);
}

static void check_counts(void)
{
    struct rm_thread *own = rig.own;

    CHECK_EQ(own->shard.bytes, bytes_in(LIMBO, READY));
    CHECK_EQ(rm_load_relaxed(&own->shard.holds), any(LIMBO, ASKED));
    CHECK_EQ(rm_load_relaxed(&own->shard.claim), 0u);
    CHECK_EQ(rm_shard_is_empty(&own->shard), !any(INBOX, ASKED));
    CHECK_EQ(rm_reclaim_is_empty(rig.domain), !any(INBOX, ASKED));
    CHECK_EQ(rm_record_pending_bytes(rig.domain), bytes_in(INBOX, ASKED));
    CHECK_EQ(rm_load_relaxed(&rig.domain->pending_bytes),
             rm_domain_has_limit(rig.domain) ? bytes_in(INBOX, ASKED) : 0);
    CHECK_EQ(own->disposed, disposed_count);
    CHECK(!own->reclaiming && own->busy == 0);
}

static void visit(struct rm_work work)
{
    static enum where where_before[THINGS];
    struct rm_work expected = work;
    unsigned from = disposed_count, epoch;

    for (unsigned i = first; i < things; i++) {
        where_before[i] = thing[i].where;
        left_before[i] = thing[i].left;
    }
    epoch = model_visit(&expected, rig.domain->epoch.epoch);
    rm_store_relaxed(&rig.own->shard.visited_ns, 1);
    CHECK(rm_reclaim_visit(&rig.own->shard, &work));
    CHECK_EQ(work.budget, expected.budget);
    CHECK_EQ(work.surplus, expected.surplus);
    CHECK_EQ(work.polls, expected.polls);
    CHECK_EQ(work.blocker, expected.blocker);
    CHECK_EQ(rig.domain->epoch.epoch, epoch);
    check_disposed(from, where_before, things);
    check_counts();
    while (first < things && thing[first].where == GONE) {
        first++;
    }
}

static void change_section(uint64_t random)
{
    ck_epoch_record_t *section = &rig.own->section;

    section->active = random % 3 == 0;
    section->epoch = rig.domain->epoch.epoch - (random / 4 % 3 == 0);
}

static void play(unsigned round, const struct rangemap_domain_options *options)
{
    rig_begin(&rig, options, 0);
    things = first = disposed_count = 0;
    for (unsigned step = 0; things < THINGS - 20; step++) {
        uint64_t random = prng_mix(test_seed() * 1000003 + round * 100000 + step);
        bool is_ample = random % 64 < 12;

        for (uint64_t i = (random >> 8) % 12; i > 0; i--) {
            submit(prng_mix(random + i));
        }
        rig.domain->epoch.epoch += (random >> 16) % 8 == 0 ? (unsigned)(random >> 20) % 4 : 0;
        change_section(random >> 24);
        visit((struct rm_work){.thread = rig.own,
                               .now_ns = 5,
                               .budget = is_ample ? 500 : (unsigned)(random >> 32) % 9,
                               .surplus = (unsigned)(random >> 36) % 7,
                               .polls = (random >> 40) % 4 == 0 ? (unsigned)(random >> 42) % 4 : 0,
                               .calls_back = (random >> 48) % 2 != 0});
    }
    rig.own->section.active = 0;
    while (any(INBOX, ASKED)) {
        visit((struct rm_work){.thread = rig.own, .budget = 1000, .polls = 1, .calls_back = true});
    }
    CHECK_EQ(disposed_count, things);
    rig_end(&rig);
}

TEST_CASE(shard, visits_do_as_a_model)
{
    static const struct rangemap_domain_options options[] = {
        {.callbacks = RANGEMAP_CALLBACKS_ANYWHERE},
        {.soft_limit_bytes = UINT64_MAX},
        {.hard_limit_bytes = UINT64_MAX, .callbacks = RANGEMAP_CALLBACKS_WHEN_ASKED},
    };

    for (unsigned i = 0; i < 3 * test_scale(); i++) {
        play(i, &options[i % 3]);
    }
}

/* ---- who is at it ---- */

static unsigned ended;

static bool count_end(struct rm_garbage *garbage, struct rm_thread *thread, unsigned *budget)
{
    (void)garbage;
    (void)thread;
    --*budget;
    ended++;
    return true;
}

static const struct rm_garbage_kind counted = {count_end, NULL, false, false};

/* The test's thread hands something over: which shard gets it. */
static struct rm_shard *submit_one(struct rm_garbage *garbage)
{
    struct rm_shard *found = NULL;

    garbage->kind = &counted;
    rm_reclaim_submit(rig.own, garbage, 1);
    for (unsigned i = 0; i <= rig.others; i++) {
        struct rm_thread *thread = i == rig.others ? rig.own : rig.other[i];

        if (rm_load_relaxed(&thread->shard.inbox.head) != 0) {
            CHECK_EQ(found, NULL);
            found = &thread->shard;
            (void)rm_stack_take_all(&thread->shard.inbox);
        }
    }
    return found;
}

static void occupy(struct rm_thread *thread, const struct rm_thread *by)
{
    rm_store_relaxed(&thread->shard.claim, rm_pointer_bits(by));
}

/* Its own, unless another thread is at that; then one at which none is, and the same one as long as none comes. */
TEST_CASE(shard, things_go_where_no_other_thread_is)
{
    struct rm_garbage garbage;

    rig_begin(&rig, NULL, 3);
    CHECK_EQ(submit_one(&garbage), &rig.own->shard);
    occupy(rig.own, rig.own);
    CHECK_EQ(submit_one(&garbage), &rig.own->shard, "from a callback");
    occupy(rig.own, rig.other[2]);
    CHECK_EQ(submit_one(&garbage), &rig.other[0]->shard);
    CHECK_EQ(rig.own->elsewhere, &rig.other[0]->shard);
    occupy(rig.other[0], rig.other[2]);
    CHECK_EQ(submit_one(&garbage), &rig.other[1]->shard);
    occupy(rig.other[0], NULL);
    CHECK_EQ(submit_one(&garbage), &rig.other[1]->shard, "still");
    occupy(rig.other[0], rig.other[2]);
    occupy(rig.other[1], rig.own);
    CHECK_EQ(submit_one(&garbage), &rig.other[1]->shard, "where it is itself");
    occupy(rig.other[1], rig.other[2]);
    CHECK_EQ(submit_one(&garbage), &rig.other[2]->shard);
    occupy(rig.other[2], rig.other[2]);
    CHECK_EQ(submit_one(&garbage), &rig.own->shard, "there is none");
    occupy(rig.own, NULL);
    occupy(rig.other[0], NULL);
    CHECK_EQ(submit_one(&garbage), &rig.own->shard);
    occupy(rig.other[1], NULL);
    occupy(rig.other[2], NULL);
    rig_end(&rig);
}

/* Of two threads one visits: the other leaves all as it is. */
TEST_CASE(shard, is_visited_by_one_thread)
{
    struct rm_work work = {.now_ns = 9, .budget = 7, .surplus = 6, .polls = 5, .calls_back = true};
    struct rm_garbage garbage = {.kind = &counted};

    rig_begin(&rig, NULL, 1);
    work.thread = rig.own;
    CHECK(rm_reclaim_visit(&rig.own->shard, &work), "an empty one");
    CHECK(work.budget == 7 && work.surplus == 6 && work.polls == 5);
    CHECK_EQ(rm_load_relaxed(&rig.own->shard.visited_ns), 0u);
    rm_reclaim_submit(rig.own, &garbage, 1);
    for (unsigned i = 0; i < 2; i++) {
        occupy(rig.own, i == 0 ? rig.own : rig.other[0]);
        ended = 0;
        CHECK(!rm_reclaim_visit(&rig.own->shard, &work));
        CHECK(work.budget == 7 && work.surplus == 6 && work.polls == 5 && ended == 0);
        CHECK_EQ(rm_load_relaxed(&rig.own->shard.visited_ns), 0u);
        CHECK_NE(rm_load_relaxed(&rig.own->shard.claim), 0u);
        CHECK(!rig.own->reclaiming && rig.own->busy == 0);
    }
    occupy(rig.own, NULL);
    rig.own->reclaiming = true; /* from a callback */
    CHECK(rm_reclaim_visit(&rig.own->shard, &work));
    CHECK(rig.own->reclaiming && rig.own->busy == 0);
    CHECK_EQ(rm_load_relaxed(&rig.own->shard.visited_ns), 9u);
    CHECK_EQ(ended, 1u);
    rig.own->reclaiming = false;
    rig_end(&rig);
}
