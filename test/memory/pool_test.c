// SPDX-License-Identifier: BSD-2-Clause
/*
 * The pool and its caches by themselves: no node is handed out twice or lost, whatever threads take, give, pass on
 * and trim; what the books say is what is there, by count; and nothing is left when all is given back.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "test/check/crew.h"
#include "test/memory/pool_rig.h"
#include "test/shim/prng.h"

enum { PLACES = 3000, THREADS = 4, ROUNDS = 40000 };

/* ---- nodes that know who they are ---- */

struct node {
    uint64_t *words;
    unsigned lines;
    uint64_t mark;
};

static void fill(const struct node *node)
{
    for (unsigned i = 0; i < node->lines * RM_CACHE_LINE / sizeof(uint64_t); i++) {
        node->words[i] = node->mark + i;
    }
}

static bool is_intact(const struct node *node)
{
    for (unsigned i = 0; i < node->lines * RM_CACHE_LINE / sizeof(uint64_t); i++) {
        if (node->words[i] != node->mark + i) {
            return false;
        }
    }
    return true;
}

static struct node allocate(struct rm_cache *cache, struct rm_pool *pool, struct prng *random)
{
    struct node node = {.lines = (unsigned)prng_between(random, RM_LINES_MIN, RM_LINES_MAX),
                        .mark = prng_next(random)};

    node.words = rm_cache_alloc(cache, pool, node.lines);
    REQUIRE(node.words != NULL);
    fill(&node);
    return node;
}

static void release(struct rm_cache *cache, struct rm_pool *pool, struct node *node)
{
    CHECK(is_intact(node), "somebody else has it, too");
    rm_cache_free(cache, pool, node->words, node->lines);
    node->words = NULL;
}

/* More and fewer in turn, and now and then a trim or a flush. */
static void work_alone(struct rm_pool *pool)
{
    static struct node node[PLACES];
    struct prng random = prng_stream(test_seed(), 1);
    struct rm_cache cache;
    uint64_t used = 0;

    memset(&cache, 0, sizeof cache);
    memset(node, 0, sizeof node);
    for (unsigned i = 0; i < ROUNDS * test_scale(); i++) {
        struct node *place = &node[prng_below(&random, PLACES)];
        bool grows = i / 10000 % 2 == 0;

        if (place->words == NULL && (grows || prng_below(&random, 8) == 0)) {
            *place = allocate(&cache, pool, &random);
            used += (uint64_t)place->lines * RM_CACHE_LINE;
        } else if (place->words != NULL && (!grows || prng_below(&random, 8) == 0)) {
            used -= (uint64_t)place->lines * RM_CACHE_LINE;
            release(&cache, pool, place);
        }
        if (i % 5000 == 0) {
            CHECK_EQ(rm_load_relaxed(&cache.live_bytes), used);
            CHECK_LE(rm_load_relaxed(&cache.drawn_bytes) - used, 64u << 10, "what a cache may hold");
            check_books(pool, rm_load_relaxed(&cache.drawn_bytes));
        }
        if (prng_below(&random, 4000) == 0) {
            rm_cache_flush(&cache, pool);
            CHECK_EQ(rm_load_relaxed(&cache.drawn_bytes), used);
            (void)rm_pool_trim(pool);
        }
    }
    for (unsigned i = 0; i < PLACES; i++) {
        if (node[i].words != NULL) {
            release(&cache, pool, &node[i]);
        }
    }
    rm_cache_flush(&cache, pool);
    CHECK_EQ(rm_load_relaxed(&cache.drawn_bytes), 0u);
}

TEST_CASE(pool, alone_and_mapped)
{
    struct rm_pool *pool = new_pool(NULL);

    work_alone(pool);
    finish(pool, NULL);
}

TEST_CASE(pool, alone_in_chunks_of_a_caller)
{
    struct chunk_source *source = malloc(sizeof *source);
    struct rm_pool *pool;

    REQUIRE(source != NULL);
    chunk_source_init(source);
    pool = new_pool(&source->allocator);
    work_alone(pool);
    finish(pool, source);
    free(source);
}

/* ---- threads that pass nodes on to each other ---- */

static struct crowd {
    struct rm_pool *pool;
    atomic_uintptr_t exchange[64]; /* struct parcel, each owned by who swaps it out */
    uint64_t drawn[THREADS];
} crowd;

struct parcel {
    struct node node;
};

static void *new_parcel(struct rm_cache *cache, struct prng *random)
{
    struct parcel *parcel = malloc(sizeof *parcel);

    REQUIRE(parcel != NULL);
    parcel->node = allocate(cache, crowd.pool, random);
    return parcel;
}

static void open_parcel(struct rm_cache *cache, void *closed)
{
    struct parcel *parcel = closed;

    if (parcel != NULL) {
        release(cache, crowd.pool, &parcel->node);
        free(parcel);
    }
}

static void work_together(unsigned self, void *context)
{
    struct prng random = prng_stream(test_seed(), 10 + self);
    struct rm_cache cache;
    struct node own[100];

    (void)context;
    memset(&cache, 0, sizeof cache);
    memset(own, 0, sizeof own);
    for (unsigned i = 0; i < ROUNDS * test_scale(); i++) {
        struct node *place = &own[prng_below(&random, 100)];
        atomic_uintptr_t *swap = &crowd.exchange[prng_below(&random, 64)];

        if (place->words == NULL) {
            *place = allocate(&cache, crowd.pool, &random);
        } else {
            release(&cache, crowd.pool, place);
        }
        /* Some only send, some only receive. */
        if (self % 2 == 0) {
            open_parcel(&cache, (void *)atomic_exchange(swap, (uintptr_t)new_parcel(&cache, &random)));
        } else {
            open_parcel(&cache, (void *)atomic_exchange(swap, 0));
        }
        if (prng_below(&random, 500) == 0) {
            (void)rm_pool_trim(crowd.pool);
        }
        if (prng_below(&random, 2000) == 0) {
            rm_cache_flush(&cache, crowd.pool);
        }
        if (prng_below(&random, 1000) == 0) {
            CHECK(rm_cache_reserve(&cache, crowd.pool, prng_below(&random, 200000)));
        }
    }
    for (unsigned i = 0; i < 100; i++) {
        if (own[i].words != NULL) {
            release(&cache, crowd.pool, &own[i]);
        }
    }
    rm_cache_flush(&cache, crowd.pool);
    crowd.drawn[self] = rm_load_relaxed(&cache.drawn_bytes);
}

static void run_crowd(struct rm_pool *pool)
{
    struct rm_cache cache;
    uint64_t drawn = 0;

    memset(&cache, 0, sizeof cache);
    memset(&crowd, 0, sizeof crowd);
    crowd.pool = pool;
    crew_run_jittered(THREADS, work_together, NULL);
    for (unsigned i = 0; i < 64; i++) {
        open_parcel(&cache, (void *)atomic_exchange(&crowd.exchange[i], 0));
    }
    rm_cache_flush(&cache, pool);
    for (unsigned i = 0; i < THREADS; i++) {
        drawn += crowd.drawn[i];
    }
    CHECK_EQ(drawn + rm_load_relaxed(&cache.drawn_bytes), 0u);
}

TEST_CASE(pool, threads_and_mapped)
{
    struct rm_pool *pool = new_pool(NULL);

    run_crowd(pool);
    finish(pool, NULL);
}

TEST_CASE(pool, threads_in_chunks_of_a_caller)
{
    struct chunk_source *source = malloc(sizeof *source);
    struct rm_pool *pool;

    REQUIRE(source != NULL);
    chunk_source_init(source);
    pool = new_pool(&source->allocator);
    run_crowd(pool);
    finish(pool, source);
    free(source);
}

/* As threads leave it that stop before they have shown what is free. */
static void hide_all(struct rm_pool *pool)
{
    for (struct rm_table *table = pool->tables; table != NULL; table = rm_table_next(table)) {
        for (unsigned set = 0; set < RM_SETS; set++) {
            rm_store_relaxed(&table->set[set], 0);
        }
    }
}

TEST_CASE(pool, nothing_is_refused_that_is_hidden)
{
    struct rm_pool *pool = new_pool(NULL);
    struct rm_seeker seeker = {.takes = 0};
    struct rm_slice slice, got;

    REQUIRE(rm_pool_take(pool, RM_LINES_MAX, 3, true, &seeker, &slice));
    hide_all(pool);
    REQUIRE(rm_pool_take(pool, RM_LINES_MAX, 1, false, &seeker, &got), "a node of a slab in use");
    CHECK_EQ(got.slab, slice.slab);
    hide_all(pool);
    REQUIRE(rm_pool_take(pool, RM_LINES_MIN, 1, false, &seeker, &got), "a slab that is idle");
    rm_pool_destroy(pool);
}
