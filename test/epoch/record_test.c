// SPDX-License-Identifier: BSD-2-Clause
/*
 * Records by their numbers: each once, in slabs that double; free ones and those that ended threads left are taken
 * before new ones are made; who may seize one; what of its last domain is left in it; and that all of it goes.
 */
#define _GNU_SOURCE /* syscall */
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rangemap/epoch/record.h"
#include "test/epoch/rig.h"
#include "test/shim/ctest.h"

#if defined(__SANITIZE_THREAD__)
enum { MAPS_ARE_SEEN = 0 }; /* the library maps through libc then */
#else
enum { MAPS_ARE_SEEN = 1 };
#endif

enum { SLAB = 32, RECORDS = SLAB * (1 + 2 + 4 + 8) + 2, NOBODY = 0x7ffffff0, LOOKS = 8 };

static struct rm_thread *record[RECORDS];

static void begin(void)
{
    kernel_reset();
    rm_record_unmap_all();
    kernel.mapped_bytes = 0;
    CHECK_EQ(rm_record_numbers(), 0u);
}

static void end(void)
{
    rm_record_unmap_all();
    CHECK_EQ(rm_record_numbers(), 0u);
    CHECK_EQ(rm_record_at(0), NULL);
    CHECK_EQ(kernel.mapped_bytes, 0, "it unmaps what it has mapped");
    kernel.clock_ns = 0;
}

static void take_all(void)
{
    for (unsigned i = 0; i < RECORDS; i++) {
        record[i] = rm_record_take();
        REQUIRE_NE(record[i], NULL);
    }
}

static void set(struct rm_thread *thread, enum rm_thread_state state, int tid)
{
    rm_store_relaxed(&thread->standing, rm_standing(state, tid, 3));
}

static enum rm_thread_state state_of(const struct rm_thread *thread)
{
    return rm_standing_state(rm_load_relaxed(&thread->standing));
}

/* None shares memory with another, each is found by its number, and slabs are mapped when they are needed. */
TEST_CASE(record, each_has_a_place_of_its_own)
{
    unsigned slabs = 0, end_of_slabs = 0;

    begin();
    for (unsigned i = 0; i < RECORDS; i++) {
        CHECK_EQ(rm_record_at(i), i < end_of_slabs ? (void *)rm_record_at(i) : NULL);
        record[i] = rm_record_take();
        REQUIRE_NE(record[i], NULL);
        if (i == end_of_slabs) {
            end_of_slabs += (unsigned)SLAB << slabs++;
        }
        CHECK_EQ(record[i]->number, i);
        CHECK_EQ(rm_record_at(i), record[i]);
        CHECK_EQ(rm_record_numbers(), i + 1);
        CHECK_EQ((unsigned)state_of(record[i]), (unsigned)RM_THREAD_MOVING);
        CHECK(!MAPS_ARE_SEEN || kernel.mapped_bytes == (int64_t)(end_of_slabs * sizeof *record[i]), "%u", i);
        memset((char *)record[i] + offsetof(struct rm_thread, shard), 0xa5,
               sizeof *record[i] - offsetof(struct rm_thread, shard));
    }
    for (unsigned i = 0; i < RECORDS; i++) {
        CHECK_EQ(record[i]->number, i, "nobody else has written here");
        CHECK_EQ((unsigned)state_of(record[i]), (unsigned)RM_THREAD_MOVING);
    }
    end();
}

/* The next begins with number 0 again, and what was free is not. */
TEST_CASE(record, unmapping_forgets_all)
{
    for (unsigned round = 0; round < 2; round++) {
        begin();
        take_all();
        for (unsigned i = 0; i < 5; i++) {
            rm_record_free(record[i]);
        }
        end();
    }
}

TEST_CASE(record, free_ones_are_taken_first)
{
    begin();
    take_all();
    for (unsigned i = 0; i < RECORDS; i++) {
        rm_record_free(record[i]);
        CHECK_EQ((unsigned)state_of(record[i]), (unsigned)RM_THREAD_FREE);
    }
    for (unsigned i = RECORDS; i-- > 0;) {
        CHECK_EQ(rm_record_take(), record[i]);
        CHECK_EQ((unsigned)state_of(record[i]), (unsigned)RM_THREAD_MOVING);
    }
    CHECK_EQ(rm_record_take()->number, (unsigned)RECORDS);
    end();
}

/* Those that nobody frees: found by a few looks at a time, and only if their threads are gone. */
TEST_CASE(record, orphans_of_ended_threads_are_found)
{
    begin();
    take_all();
    for (unsigned i = 0; i < RECORDS; i++) {
        set(record[i], RM_THREAD_ORPHAN, rm_thread_number());
    }
    CHECK_EQ(rm_record_take()->number, (unsigned)RECORDS, "their thread is there");
    for (unsigned i = 0; i < RECORDS; i++) {
        set(record[i], RM_THREAD_ORPHAN, NOBODY);
    }
    for (unsigned i = 0; i < RECORDS; i++) {
        struct rm_thread *found = rm_record_take();

        CHECK_LT(found->number, (unsigned)RECORDS);
        CHECK_EQ((unsigned)state_of(found), (unsigned)RM_THREAD_MOVING);
        CHECK_EQ(rm_record_numbers(), (unsigned)RECORDS + 1);
    }
    end();
}

static struct rm_thread *freed;

static void its_thread_frees_it(void)
{
    rm_record_free(freed);
}

/* Neither free nor an orphan at the moment when such are looked for: none is made all the same. */
TEST_CASE(record, another_thread_frees_what_is_looked_for)
{
    begin();
    freed = rm_record_take();
    set(freed, RM_THREAD_ORPHAN, NOBODY);
    kernel.gone = NOBODY;
    kernel.at_gone = its_thread_frees_it;
    CHECK_EQ(rm_record_take(), freed);
    CHECK(kernel.at_gone == NULL);
    CHECK_EQ(rm_record_numbers(), 1u);
    end();
}

/* Eight looks for each record that would have to be made, round and round, over as many as there are. */
TEST_CASE(record, a_look_goes_on_where_the_last_one_ended)
{
    unsigned looked = 0, found = 0;

    begin();
    for (unsigned takes = 0; takes < 400; takes++) {
        unsigned count = rm_record_numbers(), orphan = count;
        struct rm_thread *thread;

        for (unsigned i = 0; i < LOOKS && orphan == count; i++) {
            unsigned place = looked < count ? looked : 0;

            looked = place + 1;
            orphan = count > 0 && state_of(rm_record_at(place)) == RM_THREAD_ORPHAN ? place : count;
        }
        thread = rm_record_take();
        CHECK_EQ(thread->number, orphan);
        found += orphan < count;
        set(thread, takes % 7 == 0 ? RM_THREAD_ORPHAN : RM_THREAD_ATTACHED, NOBODY);
    }
    CHECK_GT(found, 50u, "however many are made meanwhile");
    end();
}

/*
 * Domains come and go, and their threads end without another call. Beside many records that stay in use there are never
 * many more than that, and some domains'.
 */
TEST_CASE(record, what_dead_domains_leave_is_used_again)
{
    enum { STAY = 100, GUESTS = 50, ROUNDS = 60 };
    unsigned limit = STAY + 6 * GUESTS;

    begin();
    for (unsigned i = 0; i < STAY; i++) {
        set(rm_record_take(), RM_THREAD_ATTACHED, rm_thread_number());
    }
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < GUESTS; i++) {
            record[i] = rm_record_take();
            set(record[i], RM_THREAD_ATTACHED, rm_thread_number());
        }
        for (unsigned i = 0; i < GUESTS; i++) {
            set(record[i], RM_THREAD_ORPHAN, NOBODY);
        }
        CHECK_LE(rm_record_numbers(), limit, "round %u", round);
    }
    end();
}

/* By its state, and by whose number it has. */
TEST_CASE(record, is_seized_in_one_state_if_its_thread_is_gone)
{
    int self = rm_thread_number(), tids[] = {self, NOBODY, 0};
    struct rm_thread *thread;

    begin();
    thread = rm_record_take();
    for (enum rm_thread_state state = RM_THREAD_FREE; state <= RM_THREAD_ORPHAN; state++) {
        for (enum rm_thread_state from = RM_THREAD_ATTACHED; from <= RM_THREAD_ORPHAN;
             from += RM_THREAD_ORPHAN - 1) {
            for (unsigned i = 0; i < 6; i++) {
                int tid = tids[i % 3];
                bool is_told = i >= 3;
                bool expected = state == from && (tid == NOBODY || (tid == self && is_told));

                set(thread, state, tid);
                CHECK_EQ(rm_record_seize(thread, from, is_told ? self : -1), expected, "%d in %d", tid,
                         (int)state);
                CHECK_EQ((unsigned)state_of(thread), (unsigned)(expected ? RM_THREAD_MOVING : state));
                CHECK_EQ(rm_record_tid(thread), tid);
                CHECK_EQ(rm_standing_attached(rm_load_relaxed(&thread->standing)), 3u);
            }
        }
    }
    end();
}

TEST_CASE(record, is_live_while_its_thread_is)
{
    struct rm_thread *thread;

    begin();
    thread = rm_record_take();
    for (enum rm_thread_state state = RM_THREAD_FREE; state <= RM_THREAD_ORPHAN; state++) {
        set(thread, state, rm_thread_number());
        CHECK_EQ(rm_record_is_live(thread), state == RM_THREAD_ATTACHED, "state %d", (int)state);
        set(thread, state, NOBODY);
        CHECK(!rm_record_is_live(thread));
    }
    end();
}

/* One that had a list and has none has ended, though its number is there; one that never had any has not. */
TEST_CASE(record, is_gone_without_the_list_it_had)
{
    long list = 0;
    size_t bytes = 0;

    REQUIRE_EQ(syscall(SYS_get_robust_list, 0, &list, &bytes), 0);
    for (unsigned has = 0; has < 2; has++) {
        uint64_t standing = rm_standing(RM_THREAD_ATTACHED, rm_thread_number(), 3);

        REQUIRE_EQ(syscall(SYS_set_robust_list, has != 0 ? list : 0, bytes), 0);
        CHECK(!rm_standing_is_gone(standing));
        CHECK_EQ(rm_standing_is_gone(standing | RM_STANDING_LIST), has == 0);
    }
}

/* Each part of the word is told from the others. */
TEST_CASE(record, standing_in_one_word)
{
    static const int tids[] = {0, 1, 0x7fffffff, -1, 0x1234567};

    for (unsigned i = 0; i < 5; i++) {
        for (uint64_t attached = 0; attached < 0xffffff; attached = attached * 3 + 1) {
            for (enum rm_thread_state state = RM_THREAD_FREE; state <= RM_THREAD_ORPHAN; state++) {
                uint64_t standing = rm_standing(state, tids[i], attached) | RM_STANDING_LIST;

                CHECK_EQ((unsigned)rm_standing_state(standing), (unsigned)state);
                CHECK_EQ(rm_standing_attached(standing), attached);
                if (tids[i] >= 0) {
                    CHECK_EQ(rm_standing_tid(standing), tids[i]);
                }
                CHECK_EQ(rm_standing_with(standing, RM_THREAD_MOVING),
                         rm_standing(RM_THREAD_MOVING, tids[i], attached) | RM_STANDING_LIST);
            }
        }
    }
}

/* Whatever the last domain left: all of it is the next one's, or zero. */
TEST_CASE(record, joins_a_domain_as_new)
{
    struct rangemap_domain *domain;
    struct rm_thread *thread;

    begin();
    REQUIRE_EQ(rangemap_domain_create(NULL, &domain), 0);
    (void)rm_record_take();
    thread = rm_record_take();
    memset((char *)thread + offsetof(struct rm_thread, shard), 0x11,
           sizeof *thread - offsetof(struct rm_thread, shard));
    thread->next.unsafe_value = 77;
    REQUIRE(rm_record_join(thread, domain));
    CHECK_EQ(thread->domain, domain);
    CHECK_EQ(thread->section.global, &domain->epoch);
    CHECK_EQ(thread->section.active, 0u);
    CHECK_EQ(thread->number, 1u);
    CHECK_EQ(thread->cache.seeker.random, 1u);
    CHECK_EQ(rm_load_relaxed(&thread->next), 77u, "some other thread may be reading it");
    CHECK(rm_shard_is_empty(&thread->shard));
    CHECK(thread->busy == 0 && !thread->reclaiming && thread->bag == NULL && thread->elsewhere == NULL);
    CHECK(thread->retired_since_visit == 0 && thread->disposed == 0 && thread->tended_ns == 0);
    CHECK_EQ(rm_load_relaxed(&thread->retired_bytes) | rm_load_relaxed(&thread->reclaimed_bytes) |
                 rm_load_relaxed(&thread->retries),
             0u);
    rm_record_push_parked(thread);
    CHECK_EQ((unsigned)state_of(thread), (unsigned)RM_THREAD_PARKED);
    CHECK_EQ(rm_record_pop_parked(domain), thread);
    CHECK_EQ(rm_record_pop_parked(domain), NULL);
    rm_record_push_parked(thread);
    CHECK_EQ(rangemap_domain_destroy(domain), 0);
    CHECK_EQ((unsigned)state_of(thread), (unsigned)RM_THREAD_ORPHAN, "the caller has waited with it");
    CHECK_EQ(rangemap_domain_detach(NULL), 0);
    CHECK_EQ((unsigned)state_of(thread), (unsigned)RM_THREAD_FREE);
    CHECK_EQ(rangemap_unload(false), 0);
    kernel.clock_ns = 0;
}

/* Sums over all records, whatever their states: what was handed over and is not disposed of. */
TEST_CASE(record, pending_bytes_are_a_sum)
{
    struct rig rig;

    rig_begin(&rig, NULL, 3);
    for (unsigned i = 0; i < 3; i++) {
        rm_store_relaxed(&rig.other[i]->retired_bytes, 1000u << i);
        rm_store_relaxed(&rig.other[i]->reclaimed_bytes, 10u << i);
    }
    rm_store_relaxed(&rig.own->reclaimed_bytes, 30); /* of others' */
    CHECK_EQ(rm_record_pending_bytes(rig.domain), 7000u - 70 - 30);
    for (unsigned i = 0; i < 3; i++) {
        rm_store_relaxed(&rig.other[i]->retired_bytes, 0);
        rm_store_relaxed(&rig.other[i]->reclaimed_bytes, 0);
    }
    rm_store_relaxed(&rig.own->reclaimed_bytes, 0);
    CHECK_EQ(rm_record_pending_bytes(rig.domain), 0u);
    rig_end(&rig);
}

/* A slab that is not to be had: no record, and no number is used up. */
TEST_CASE(record, without_memory)
{
    begin();
    for (unsigned i = 0; MAPS_ARE_SEEN && i < RECORDS; i++) {
        struct rm_thread *thread;

        kernel.refuses_pages = true;
        thread = rm_record_take();
        kernel.refuses_pages = false;
        if (thread == NULL) {
            CHECK_EQ(rm_record_numbers(), i);
            thread = rm_record_take();
        }
        REQUIRE_NE(thread, NULL);
        CHECK_EQ(thread->number, i);
    }
    end();
}

static struct rm_thread *others;

static void other_gets_the_last_memory(void)
{
    kernel.refuses_pages = false;
    others = rm_record_take();
    kernel.refuses_pages = true;
}

/* There is none for this thread, but a slab of another's, with records for both. */
TEST_CASE(record, another_thread_gets_the_last_memory)
{
    struct rm_thread *thread;

    begin();
    kernel.refuses_pages = true;
    kernel.at_refusal = other_gets_the_last_memory;
    thread = rm_record_take();
    kernel.refuses_pages = false;
    if (MAPS_ARE_SEEN) {
        REQUIRE_NE(others, NULL);
        REQUIRE_NE(thread, NULL);
        CHECK_EQ(thread->number + others->number, 1u, "two of one slab");
    }
    end();
}
