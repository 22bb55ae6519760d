// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the child of a fork makes of the records of threads that it has not: by each state that they may be in, and by
 * what waits in which queue of their shards, whether they were at it or not.
 */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rangemap/epoch/fork.h"
#include "rangemap/epoch/retire.h"
#include "test/epoch/rig.h"
#include "test/shim/ctest.h"

enum { OTHERS = 12, QUEUES = 5 };

static struct rig rig;

static enum rm_thread_state state_of(const struct rm_thread *thread)
{
    return rm_standing_state(rm_load_relaxed(&thread->standing));
}

static void in_a_child(void (*body)(void))
{
    int status = 0;
    pid_t child;

    (void)fflush(NULL);
    child = fork();
    if (child == 0) {
        body();
        (void)fflush(NULL);
        _exit(test_has_failed());
    }
    REQUIRE_EQ(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "in the child; its status is %#x", (unsigned)status);
}

/* ---- records ---- */

/* Of the numbered record: half of them are busy, and each state comes with both. */
static bool is_busy(unsigned i)
{
    return i % 2 != 0;
}

static enum rm_thread_state state_before(unsigned i)
{
    static const enum rm_thread_state states[] = {RM_THREAD_ATTACHED, RM_THREAD_MOVING, RM_THREAD_PARKED};

    return states[i / 2 % 3];
}

static void fill_records(void)
{
    for (unsigned i = 0; i < OTHERS; i++) {
        struct rm_thread *thread = rig.other[i];
        void *node = rm_thread_alloc(thread, RM_LINES_MIN);

        REQUIRE(node != NULL && rm_retire_has_room(thread));
        rm_retire_node(thread, node, RM_LINES_MIN);
        thread->section.active = 2;
        thread->busy = is_busy(i) ? 2 : 0;
        if (state_before(i) == RM_THREAD_PARKED) {
            rm_roster_set_attached(&rig.domain->roster, thread, false);
            rm_record_push_parked(thread);
        } else {
            rm_record_set_state(thread, state_before(i));
        }
    }
}

static void check_record(unsigned i)
{
    struct rm_thread *thread = rig.other[i];
    bool was_parked = state_before(i) == RM_THREAD_PARKED;
    bool is_lost = !was_parked && (is_busy(i) || state_before(i) == RM_THREAD_MOVING);

    CHECK_EQ((unsigned)state_of(thread), (unsigned)RM_THREAD_PARKED);
    CHECK_EQ(thread->section.active, was_parked ? 2u : 0u, "record %u", i);
    CHECK_EQ(thread->busy, was_parked && is_busy(i) ? 2u : 0u);
    CHECK_EQ(thread->bag == NULL, is_lost);
    CHECK_EQ(thread->committed_bag == NULL, is_lost);
    CHECK_EQ(thread->committed, is_lost ? 0u : 1u);
    CHECK_EQ(rm_load_relaxed(&thread->page->attached) >> thread->place & 1, 0u);
}

static void check_records(void)
{
    unsigned count = 0;

    for (unsigned i = 0; i < OTHERS; i++) {
        check_record(i);
    }
    CHECK_EQ((unsigned)state_of(rig.own), (unsigned)RM_THREAD_ATTACHED);
    CHECK_EQ(rm_record_tid(rig.own), (int)getpid());
    CHECK(rig.own->section.active == 1 && rig.own->busy == 1 && rig.own->bag != NULL);
    CHECK_EQ(rm_load_relaxed(&rig.domain->roster.attached), 1u);
    while (rm_record_pop_parked(rig.domain) != NULL) {
        REQUIRE_LE(++count, (unsigned)OTHERS);
    }
    CHECK_EQ(count, (unsigned)OTHERS, "each once");
}

static void undo_records(void)
{
    while (rm_record_pop_parked(rig.domain) != NULL) {
    }
    for (unsigned i = 0; i < OTHERS; i++) {
        rig.other[i]->section.active = rig.other[i]->busy = 0;
        rm_record_set_state(rig.other[i], RM_THREAD_ATTACHED);
        rm_roster_set_attached(&rig.domain->roster, rig.other[i], true);
        rm_retire_close(rig.other[i]);
    }
}

TEST_CASE(fork, parks_the_records_of_others)
{
    rig_begin(&rig, NULL, OTHERS);
    fill_records();
    REQUIRE(rm_retire_has_room(rig.own));
    rig.own->section.active = rig.own->busy = 1;
    in_a_child(check_records);
    CHECK_EQ((unsigned)state_of(rig.other[2]), (unsigned)RM_THREAD_MOVING, "the parent's are as they were");
    rig.own->section.active = rig.own->busy = 0;
    rm_retire_close(rig.own);
    undo_records();
    rig_end(&rig);
}

/* As a thread leaves it that is about to make it its own: popped, and attached by the roster. */
static void check_adopted(void)
{
    CHECK(!rm_roster_is_attached(rig.other[1]));
    CHECK_EQ(rm_load_relaxed(&rig.domain->roster.attached), 1u);
    CHECK_EQ(rm_record_pop_parked(rig.domain), rig.other[1]);
    CHECK_EQ(rm_record_pop_parked(rig.domain), rig.other[0]);
    CHECK(rm_record_pop_parked(rig.domain) == NULL);
}

TEST_CASE(fork, parks_what_another_was_taking_over)
{
    rig_begin(&rig, NULL, 2);
    rm_record_set_state(rig.other[1], RM_THREAD_PARKED);
    in_a_child(check_adopted);
    rm_record_set_state(rig.other[1], RM_THREAD_ATTACHED);
    rig_end(&rig);
}

/* Threads had popped one, and not attached it; or set another one's bit, and not counted it. */
static void check_found(void)
{
    CHECK_EQ(rm_load_relaxed(&rig.domain->roster.attached), 1u);
    for (unsigned i = 0; i < 3; i++) {
        CHECK(rm_record_pop_parked(rig.domain) != NULL, "%u of three", i);
    }
    CHECK(rm_record_pop_parked(rig.domain) == NULL);
}

TEST_CASE(fork, finds_what_was_in_no_stack)
{
    rig_begin(&rig, NULL, 3);
    rm_roster_set_attached(&rig.domain->roster, rig.other[0], false);
    rm_record_set_state(rig.other[0], RM_THREAD_PARKED);
    rm_store_relaxed(&rig.domain->roster.attached, 17);
    in_a_child(check_found);
    rm_store_relaxed(&rig.domain->roster.attached, 3);
    rm_record_set_state(rig.other[0], RM_THREAD_ATTACHED);
    rm_roster_set_attached(&rig.domain->roster, rig.other[0], true);
    rig_end(&rig);
}

/* A thread has given its record a place, and has not registered it yet: in the child it never will. */
static void release_all(void)
{
    (void)alarm(120);
    rm_thread_release_all(rig.domain);
    CHECK_EQ((unsigned)state_of(rig.other[0]), (unsigned)RM_THREAD_FREE);
    CHECK_EQ((unsigned)state_of(rig.other[1]), (unsigned)RM_THREAD_FREE);
}

TEST_CASE(fork, ends_a_domain_beside_a_first_use)
{
    rig_begin(&rig, NULL, 2);
    rm_record_set_state(rig.other[1], RM_THREAD_MOVING);
    rig.other[1]->section.global = NULL;
    in_a_child(release_all);
    rig.other[1]->section.global = &rig.domain->epoch;
    rm_record_set_state(rig.other[1], RM_THREAD_ATTACHED);
    rig_end(&rig);
}

/* ---- shards ---- */

struct thing {
    struct rm_garbage garbage;
    uint64_t bytes;
};

static struct thing thing[OTHERS + 1][QUEUES];

static uint64_t bytes_of(const struct rm_garbage *garbage)
{
    return RM_CONTAINER_OF(garbage, struct thing, garbage)->bytes;
}

static const struct rm_garbage_kind kinds[] = {{NULL, bytes_of, false, false}, {NULL, bytes_of, true, true}};

static struct rm_thread *thread_at(unsigned i)
{
    return i == OTHERS ? rig.own : rig.other[i];
}

/* In each queue one thing of its own size, every other one a map; every third shard is claimed. */
static void fill_shards(void)
{
    for (unsigned i = 0; i <= OTHERS; i++) {
        struct rm_shard *shard = &thread_at(i)->shard;
        struct rm_queue *queue[] = {&shard->old.queue, &shard->young.queue, &shard->ready, &shard->asked};

        for (unsigned j = 0; j < QUEUES; j++) {
            thing[i][j] = (struct thing){.bytes = (uint64_t)1 << (j * 8)};
            thing[i][j].garbage.kind = &kinds[(i + j) % 2];
            if (j < QUEUES - 1) {
                rm_queue_append(queue[j], &thing[i][j].garbage.link);
            } else {
                rm_stack_push(&shard->inbox, &thing[i][j].garbage.link);
            }
        }
        shard->bytes = 7;
        rm_store_relaxed(&shard->holds, 1);
        rm_store_relaxed(&shard->claim, i % 3 == 0 ? rm_pointer_bits(rig.other[0]) : 0);
        rm_store_relaxed(&thread_at(i)->retired_bytes, 1000);
        rm_store_relaxed(&thread_at(i)->reclaimed_bytes, 100);
    }
    rm_store_relaxed(&rig.domain->waiters, 3);
}

static unsigned shards = OTHERS + 1; /* of records in the roster */

static void check_shards(void)
{
    uint64_t bytes = 0, maps = 0;

    for (unsigned i = 0; i < shards; i++) {
        const struct rm_shard *shard = &thread_at(i)->shard;
        bool is_kept = i % 3 != 0;
        uint64_t here = 0;

        for (unsigned j = is_kept ? 0 : QUEUES - 1; j < QUEUES; j++) {
            here += thing[i][j].bytes;
            maps += (i + j) % 2;
        }
        bytes += here;
        CHECK_EQ(rm_load_relaxed(&thread_at(i)->retired_bytes), here, "shard %u", i);
        CHECK_EQ(rm_load_relaxed(&thread_at(i)->reclaimed_bytes), 0u);
        CHECK_EQ(rm_load_relaxed(&shard->claim), 0u);
        CHECK_EQ(rm_load_relaxed(&shard->holds), is_kept);
        CHECK_EQ(shard->bytes, is_kept ? 7u : 0u);
        CHECK_EQ(rm_load_relaxed(&shard->inbox.head), rm_pointer_bits(&thing[i][QUEUES - 1].garbage.link));
        CHECK_EQ(rm_queue_is_empty(&shard->old.queue), !is_kept);
        CHECK_EQ(rm_queue_is_empty(&shard->young.queue), !is_kept);
        CHECK_EQ(rm_queue_is_empty(&shard->ready), !is_kept);
        CHECK_EQ(rm_queue_is_empty(&shard->asked), !is_kept);
    }
    CHECK_EQ(rm_load_relaxed(&rig.domain->pending_bytes), bytes);
    CHECK_EQ(rm_load_relaxed(&rig.domain->ending), maps);
    CHECK_EQ(rm_load_relaxed(&rig.domain->waiters), 0u, "they are the parent's");
    CHECK_EQ(rm_record_pending_bytes(rig.domain), bytes);
}

static void undo_shards(void)
{
    for (unsigned i = 0; i <= OTHERS; i++) {
        memset(&thread_at(i)->shard, 0, sizeof thread_at(i)->shard);
        rm_store_relaxed(&thread_at(i)->retired_bytes, 0);
        rm_store_relaxed(&thread_at(i)->reclaimed_bytes, 0);
    }
    rm_store_relaxed(&rig.domain->waiters, 0);
}

TEST_CASE(fork, forgets_what_others_were_at)
{
    rig_begin(&rig, NULL, OTHERS);
    fill_shards();
    in_a_child(check_shards);
    undo_shards();
    rig_end(&rig);
}

/* Whether the domain was reset at all: the test's own record is as good as none. */
static void check_others(void)
{
    CHECK_EQ(rm_load_relaxed(&rig.domain->waiters), 0u);
    CHECK_EQ(rm_load_relaxed(&rig.other[0]->shard.claim), 0u);
}

/* As it is for good in the child of a process that forked while a thread was about to take the first place. */
TEST_CASE(fork, forgets_it_where_the_first_place_is_empty)
{
    rm_word *first;

    rig_begin(&rig, NULL, OTHERS);
    fill_shards();
    first = &rig.domain->roster.first.record[0];
    REQUIRE_EQ(rm_load_pointer_relaxed(first), rig.own);
    rm_store_relaxed(first, 0);
    shards = OTHERS;
    in_a_child(check_shards);
    shards = OTHERS + 1;
    rm_store_relaxed(first, rm_pointer_bits(rig.own));
    rig.own->section.global = NULL; /* it has the place, and is not registered yet */
    in_a_child(check_others);
    rig.own->section.global = &rig.domain->epoch;
    undo_shards();
    rig_end(&rig);
}
