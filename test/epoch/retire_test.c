// SPDX-License-Identifier: BSD-2-Clause
/*
 * Bags: what is staged on top of what was committed before, by every number of both; aborted, committed, or refused for
 * memory. Counts of entries, bytes and nodes are exact, and in the end all nodes are free.
 */
#include <string.h>

#include "rangemap/epoch/dispose.h"
#include "rangemap/epoch/reclaim.h"
#include "rangemap/epoch/upkeep.h"
#include "test/check/chunk_source.h"
#include "test/epoch/rig.h"
#include "test/shim/ctest.h"

enum { ROOM = RM_BAG_ENTRIES, STAGED_MAX = 2 * ROOM + 2, LINES = 3, NODE_BYTES = LINES * RM_CACHE_LINE };
enum { BAG_BYTES = RM_BAG_LINES * RM_CACHE_LINE };

static struct rig rig;
static unsigned released;

static void release(void *value, void *context)
{
    (void)value;
    (void)context;
    released++;
}

static struct rm_values owning = {.release = release}, plain = {.release = NULL};

static uint64_t live_bytes(void)
{
    return rm_load_relaxed(&rig.own->cache.live_bytes);
}

static void *new_node(void)
{
    void *node = rm_thread_alloc(rig.own, LINES);

    REQUIRE_NE(node, NULL);
    return node;
}

/* Bags in the inbox of the thread's shard, and what is in them. */
struct handed {
    unsigned bags, entries, calling;
    uint64_t bytes;
};

static struct handed handed_over(void)
{
    const struct rm_link *link = rm_load_pointer_relaxed(&rig.own->shard.inbox.head);
    struct handed handed = {0, 0, 0, 0};

    for (; link != NULL; link = link->next) {
        const struct rm_garbage *garbage = RM_CONTAINER_OF(link, struct rm_garbage, link);
        const struct rm_bag *bag = RM_CONTAINER_OF(garbage, struct rm_bag, garbage);

        handed.bags++;
        handed.entries += bag->count;
        handed.calling += garbage->kind->calls_back;
        handed.bytes += rm_garbage_bytes(garbage);
        CHECK(!garbage->kind->is_map);
    }
    return handed;
}

static void reclaim(void)
{
    rm_upkeep_barrier(rig.own);
    CHECK(rm_reclaim_is_empty(rig.domain));
    CHECK_EQ(handed_over().bags, 0u);
}

static unsigned open_entries(void)
{
    return rig.own->bag != NULL ? rig.own->bag->count : 0;
}

static void check_nothing_staged(void)
{
    CHECK_EQ(rig.own->committed_bag, rig.own->bag);
    CHECK_EQ(rig.own->committed, open_entries());
    CHECK(rig.own->bag == NULL || (!rig.own->bag->holds_values && rig.own->bag->older == NULL));
}

/* So many nodes one by one: the bag goes with the last that it takes. */
static void retire_nodes(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        void *node = new_node();

        REQUIRE(rm_retire_has_room(rig.own));
        rm_retire_node(rig.own, node, LINES);
        check_nothing_staged();
    }
}

TEST_CASE(retire, nodes_one_by_one)
{
    rig_begin(&rig, NULL, 0);
    for (unsigned count = 1; count <= STAGED_MAX; count++) {
        uint64_t before = live_bytes(), visit = rig.own->retired_since_visit,
                 poll = rig.own->retired_since_poll;
        unsigned bags = count / ROOM;
        struct handed handed;

        retire_nodes(count);
        handed = handed_over();
        CHECK_EQ(handed.bags, bags);
        CHECK_EQ(handed.entries, bags * ROOM);
        CHECK_EQ(handed.calling, 0u);
        CHECK_EQ(handed.bytes, (uint64_t)bags * (ROOM * NODE_BYTES + BAG_BYTES));
        CHECK_EQ(open_entries(), count % ROOM);
        CHECK_EQ(rig.own->retired_since_visit - visit, bags * ROOM);
        CHECK_EQ(rig.own->retired_since_poll - poll, bags * ROOM);
        rm_retire_close(rig.own);
        CHECK_EQ(rig.own->bag, NULL);
        check_nothing_staged();
        CHECK_EQ(handed_over().entries, count);
        CHECK_EQ(handed_over().bytes, (uint64_t)count * NODE_BYTES + handed_over().bags * BAG_BYTES);
        reclaim();
        CHECK_EQ(live_bytes(), before);
    }
    rig_end(&rig);
}

static void stage(void *const *node, unsigned count, unsigned with_values)
{
    for (unsigned i = 0; i < count; i++) {
        REQUIRE(rm_retire_stage_node(rig.own, node[i], LINES));
    }
    for (unsigned i = 0; i < with_values; i++) {
        REQUIRE(rm_retire_stage_value(rig.own, NULL, &owning));
        REQUIRE(rm_retire_stage_value(rig.own, NULL, &plain), "of a map that owns none: nothing");
    }
}

static void check_abort(unsigned committed, unsigned staged, unsigned with_values)
{
    void *node[STAGED_MAX] = {NULL};
    uint64_t before, bytes;

    retire_nodes(committed);
    before = live_bytes();
    bytes = rig.own->bag != NULL ? rig.own->bag->bytes : 0;
    stage(node, staged, with_values);
    rm_retire_abort(rig.own);
    check_nothing_staged();
    CHECK_EQ(open_entries(), committed, "after %u and %u", staged, with_values);
    CHECK_EQ(rig.own->bag != NULL ? rig.own->bag->bytes : 0, bytes);
    CHECK_EQ(live_bytes(), before, "bags that it made are gone");
    CHECK_EQ(handed_over().bags, 0u);
}

static void stage_and_commit(unsigned staged, unsigned with_values)
{
    void *node[STAGED_MAX];

    for (unsigned i = 0; i < staged; i++) {
        node[i] = new_node();
    }
    stage(node, staged, with_values);
    rm_retire_commit(rig.own, (uint64_t)staged * NODE_BYTES);
}

static void check_commit(unsigned committed, unsigned staged, unsigned with_values)
{
    unsigned all = committed + staged + with_values;
    bool is_closed = with_values > 0 || all % ROOM == 0;
    struct handed handed;

    retire_nodes(committed);
    stage_and_commit(staged, with_values);
    check_nothing_staged();
    CHECK_EQ(open_entries(), is_closed ? 0 : all % ROOM, "%u, %u and %u", committed, staged, with_values);
    CHECK_EQ(rig.own->bag != NULL, !is_closed);
    handed = handed_over();
    CHECK_EQ(handed.entries + open_entries(), all);
    CHECK_EQ(handed.bags, all / ROOM + (is_closed && all % ROOM != 0));
    CHECK_EQ(handed.calling > 0, with_values > 0);
    CHECK_LE(handed.calling, (with_values + ROOM - 1) / ROOM + 1);
    if (rig.own->bag == NULL) {
        CHECK_EQ(handed.bytes, (uint64_t)(committed + staged) * NODE_BYTES + handed.bags * BAG_BYTES);
    }
}

/* What is committed is nodes; staged are nodes, and values or none. */
TEST_CASE(retire, staged_on_committed)
{
    rig_begin(&rig, NULL, 0);
    for (unsigned committed = 0; committed < ROOM; committed++) {
        for (unsigned staged = 1; staged < STAGED_MAX; staged++) {
            for (unsigned with_values = 0; with_values < 2 * ROOM;
                 with_values += with_values < 2 ? 1 : ROOM - 1) {
                uint64_t before = live_bytes();

                check_abort(committed, staged, with_values);
                rm_retire_close(rig.own);
                reclaim();
                released = 0;
                check_commit(committed, staged, with_values);
                rm_retire_close(rig.own);
                reclaim();
                CHECK_EQ(released, with_values);
                CHECK_EQ(live_bytes(), before);
            }
        }
    }
    rig_end(&rig);
}

/* What an update that drops a subtree has handed over is as much as its bytes are. */
TEST_CASE(retire, bytes_count_as_entries)
{
    enum { PER_ENTRY = 256 };

    rig_begin(&rig, NULL, 0);
    for (uint64_t bytes = 0; bytes < (ROOM + 4) * PER_ENTRY; bytes += PER_ENTRY / 2) {
        uint64_t visit = rig.own->retired_since_visit;
        void *node = new_node();

        REQUIRE(rm_retire_stage_node(rig.own, node, LINES));
        REQUIRE(rm_retire_stage_value(rig.own, NULL, &owning));
        rm_retire_commit(rig.own, bytes);
        CHECK_EQ(rig.own->retired_since_visit - visit, bytes / PER_ENTRY > 2 ? bytes / PER_ENTRY : 2);
        CHECK_EQ(handed_over().bytes, bytes + BAG_BYTES);
        reclaim();
    }
    rig_end(&rig);
}

/* A bag that was opened for nothing goes. */
TEST_CASE(retire, an_empty_bag_is_freed)
{
    uint64_t before;

    rig_begin(&rig, NULL, 0);
    before = live_bytes();
    CHECK(rm_retire_has_room(rig.own));
    CHECK_EQ(live_bytes(), before + BAG_BYTES);
    rm_retire_close(rig.own);
    CHECK_EQ(live_bytes(), before);
    CHECK_EQ(handed_over().bags, 0u);
    check_nothing_staged();
    rm_retire_close(rig.own);
    rm_retire_abort(rig.own);
    CHECK_EQ(rig.own->bag, NULL);
    rig_end(&rig);
}

/* A subtree, with values or without, is entered as what it is. */
TEST_CASE(retire, subtrees_by_their_maps)
{
    struct rm_node *node = (struct rm_node *)(uintptr_t)0x100000;

    rig_begin(&rig, NULL, 0);
    REQUIRE(rm_retire_stage_subtree(rig.own, node, &plain));
    CHECK(!rig.own->bag->holds_values);
    CHECK_EQ(rig.own->bag->entry[0].values, 0u);
    CHECK_EQ(rig.own->bag->entry[0].word, rm_pointer_bits(node) | RM_RETIRED_SUBTREE);
    REQUIRE(rm_retire_stage_subtree(rig.own, node, &owning));
    CHECK(rig.own->bag->holds_values);
    CHECK_EQ(rig.own->bag->entry[1].values, rm_pointer_bits(&owning));
    rm_retire_abort(rig.own);
    rig_end(&rig);
}

/* ---- parts ---- */

/* A bag of nodes and values goes by budget: so many of its entries a visit. */
TEST_CASE(retire, bags_go_by_budget)
{
    rig_begin(&rig, NULL, 0);
    for (unsigned budget = 1; budget <= ROOM + 1; budget++) {
        for (unsigned values = 0; values < 3; values++) {
            struct rm_work work = {.thread = rig.own, .budget = budget, .polls = 1, .calls_back = true};
            uint64_t before = live_bytes();
            unsigned all = 11 + values, visits = 0;

            released = 0;
            stage_and_commit(5, values);
            rm_retire_close(rig.own);
            stage_and_commit(6, 0);
            rm_retire_close(rig.own);
            while (!rm_shard_is_empty(&rig.own->shard)) {
                unsigned done = all > budget * visits ? all - budget * visits : 0;

                work.budget = budget;
                work.polls = 1;
                CHECK(rm_reclaim_visit(&rig.own->shard, &work));
                CHECK_EQ(work.budget, done < budget ? budget - done : 0, "visit %u by %u", visits, budget);
                REQUIRE_LT(visits++, all + 1);
            }
            CHECK_EQ(released, values);
            CHECK_EQ(live_bytes(), before);
        }
    }
    rig_end(&rig);
}

/* ---- without memory ---- */

static struct chunk_source source;

/* All memory of the domain in nodes of the bags' size, linked. */
static void *take_all(void)
{
    void *first = NULL, *node;

    source.fail_all = true;
    while ((node = rm_thread_alloc(rig.own, RM_BAG_LINES)) != NULL) {
        memcpy(node, &first, sizeof first);
        first = node;
    }
    return first;
}

static void give_back(void *first)
{
    while (first != NULL) {
        void *next;

        memcpy(&next, first, sizeof next);
        rm_thread_free(rig.own, first, RM_BAG_LINES);
        first = next;
    }
    source.fail_all = false;
}

/* The first bag that is refused, and what was staged before it, goes as if nothing had been. */
TEST_CASE(retire, without_memory)
{
    for (unsigned committed = 0; committed < ROOM; committed += 5) {
        struct rangemap_domain_options options = {.chunks = &source.allocator};
        unsigned staged = 0;
        void *all;

        chunk_source_init(&source);
        rig_begin(&rig, &options, 0);
        retire_nodes(committed);
        all = take_all();
        if (committed == 0) {
            CHECK(!rm_retire_has_room(rig.own));
            CHECK_EQ(rig.own->bag, NULL);
        }
        while (staged < ROOM && rm_retire_stage_node(rig.own, NULL, LINES)) {
            staged++;
        }
        CHECK_EQ(staged, committed == 0 ? 0 : ROOM - committed);
        rm_retire_abort(rig.own);
        check_nothing_staged();
        CHECK_EQ(open_entries(), committed);
        give_back(all);
        rm_retire_close(rig.own);
        reclaim();
        rig_end(&rig);
        CHECK_EQ(source.live, 0u);
    }
}
