// SPDX-License-Identifier: BSD-2-Clause
/*
 * The pool and its caches by themselves: no node is handed out twice or lost, whatever threads take, give, pass on
 * and trim; what the books say is what is there, by count; and nothing is left when all is given back.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "rangemap/memory/cache.h"
#include "test/check/chunk_source.h"
#include "test/check/crew.h"
#include "test/shim/ctest.h"
#include "test/shim/prng.h"

enum { OWNER_BYTES = 4096, PLACES = 3000, THREADS = 4, ROUNDS = 40000 };

static struct rm_seeker seeker; /* the lowest, as long as one thread is at work */

/* The owner of a pool: it lies in its home. */
struct owner {
    struct rm_pool pool;
};

static struct rm_pool *new_pool(const struct rangemap_chunk_allocator *allocator)
{
    struct owner *owner = rm_pool_home(allocator, OWNER_BYTES);

    REQUIRE(owner != NULL);
    rm_pool_init(&owner->pool, allocator, owner, OWNER_BYTES);
    return &owner->pool;
}

/* What is free, slab by slab, as the books have it; nobody may be at work. */
static uint64_t count_free(const struct rm_pool *pool)
{
    uint64_t bytes = (uint64_t)rm_bits_count(rm_load_relaxed(&pool->starter)) * RM_CACHE_LINE;

    for (const struct rm_table *table = pool->tables; table != NULL; table = rm_table_next(table)) {
        for (unsigned i = 0; i < table->extents; i++) {
            const struct rm_extent *extent = &table->extent[i];

            for (unsigned j = 0; j < RM_EXTENT_SLABS; j++) {
                uint64_t nodes = rm_load_relaxed(&extent->free[j]);

                if (nodes != 0) {
                    unsigned lines = rm_extent_slab(extent, j)->lines;

                    CHECK((rm_load_relaxed(&extent->set[lines - RM_LINES_MIN]) >> j & 1) != 0, "hidden");
                    CHECK((rm_load_relaxed(&table->set[lines - RM_LINES_MIN]) >> i & 1) != 0, "hidden");
                    CHECK((rm_load_relaxed(&extent->set[RM_SET_IDLE]) >> j & 1) == 0, "idle, and divided");
                    CHECK_EQ(nodes & ~rm_slab_all(lines), 0u);
                    bytes += (uint64_t)rm_bits_count(nodes) * lines * RM_CACHE_LINE;
                }
            }
        }
    }
    return bytes;
}

/* Everything adds up: chunk bytes are nodes, idle slabs, tables, the home and at most one part in 20 of slack. */
static void check_books(const struct rm_pool *pool, uint64_t drawn_bytes)
{
    struct rm_pool_usage usage = rm_pool_measure(pool);
    uint64_t rest = usage.chunk_bytes - usage.node_bytes - usage.idle_bytes;

    CHECK_EQ(usage.node_bytes - drawn_bytes, count_free(pool));
    CHECK_LE(usage.discarded_bytes, usage.idle_bytes);
    CHECK_GE(usage.chunk_bytes, usage.node_bytes + usage.idle_bytes);
    CHECK_LE(rest, (uint64_t)3 * RM_SLAB_BYTES + RM_CHUNK_MIN_BYTES + usage.node_bytes / 20);
    CHECK_EQ(usage.chunk_bytes % RM_CHUNK_MIN_BYTES, 0u);
}

/* All was given back. */
static void finish(struct rm_pool *pool, struct chunk_source *source)
{
    struct rm_pool_usage usage;

    check_books(pool, 0);
    (void)rm_pool_trim(pool);
    usage = rm_pool_measure(pool);
    CHECK_EQ(usage.node_bytes, count_free(pool), "but for the starter");
    CHECK_LE(usage.node_bytes, 64u * RM_CACHE_LINE);
    if (source != NULL) {
        CHECK_LE(source->live, 2u, "the home, and a table");
    } else {
        CHECK_EQ(usage.discarded_bytes, usage.idle_bytes);
        CHECK_LE(usage.chunk_bytes, (uint64_t)2 * RM_CHUNK_MIN_BYTES);
    }
    rm_pool_destroy(pool);
    if (source != NULL) {
        CHECK_EQ(source->live, 0u);
        CHECK_EQ(source->breaches, 0u);
    }
}

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

/* ---- what is handed out first ---- */

/* As it was before: of what is taken again after some was given back, the lowest comes first. */
TEST_CASE(pool, lowest_first)
{
    struct rm_pool *pool = new_pool(NULL);
    struct rm_slice slice[100], again;
    uintptr_t lowest = UINTPTR_MAX;

    for (unsigned i = 0; i < 100; i++) {
        REQUIRE(rm_pool_take(pool, RM_LINES_MAX, 21, true, &seeker, &slice[i]));
        CHECK_EQ(slice[i].nodes, rm_slab_all(RM_LINES_MAX), "a slab after the other");
        lowest = (uintptr_t)slice[i].slab < lowest ? (uintptr_t)slice[i].slab : lowest;
    }
    rm_pool_give(pool, RM_LINES_MAX, (struct rm_slice){slice[70].slab, 4});
    rm_pool_give(pool, RM_LINES_MAX, (struct rm_slice){slice[0].slab, 6});
    REQUIRE(rm_pool_take(pool, RM_LINES_MAX, 1, true, &seeker, &again));
    CHECK(again.slab == slice[0].slab && again.nodes == 2);
    REQUIRE(rm_pool_take(pool, RM_LINES_MAX, 9, true, &seeker, &again));
    CHECK(again.slab == slice[0].slab && again.nodes == 4);
    REQUIRE(rm_pool_take(pool, RM_LINES_MAX, 9, true, &seeker, &again));
    CHECK(again.slab == slice[70].slab && again.nodes == 4);
    CHECK_EQ(seeker.takes, 0u, "it has met nobody");
    for (unsigned i = 0; i < 100; i++) {
        rm_pool_give(pool, RM_LINES_MAX, slice[i]);
    }
    finish(pool, NULL);
}

/* Threads that have met take from slabs of their own. */
TEST_CASE(pool, seekers_part)
{
    struct rm_pool *pool = new_pool(NULL);
    static struct rm_seeker apart[2] RM_LINE_ALIGNED = {{5 << 8, 9}, {(5 + 3 * RM_TABLE_EXTENTS) << 8, 9}};
    struct rm_slice slice[4], last;

    for (unsigned i = 0; i < 4; i++) { /* half of each of some slabs is free */
        REQUIRE(rm_pool_take(pool, RM_LINES_MAX, 21, true, &seeker, &slice[i]));
    }
    for (unsigned i = 0; i < 4; i++) {
        rm_pool_give(pool, RM_LINES_MAX, (struct rm_slice){slice[i].slab, 0x3ff});
    }
    for (unsigned i = 0; i < 2; i++) {
        REQUIRE(rm_pool_take(pool, RM_LINES_MAX, 1, true, &apart[i], &last));
        CHECK_EQ(last.slab, slice[i == 0 ? 0 : 3].slab);
        CHECK_EQ(apart[i].takes, 8u);
        rm_pool_give(pool, RM_LINES_MAX, last);
    }
    for (unsigned i = 0; i < 4; i++) {
        rm_pool_give(pool, RM_LINES_MAX, (struct rm_slice){slice[i].slab, slice[i].nodes & ~UINT64_C(0x3ff)});
    }
    finish(pool, NULL);
}

/* A thread takes few nodes at first, and twice as many each time, up to 3 KiB. */
TEST_CASE(pool, draws_grow_with_use)
{
    static struct rm_cache cache;
    struct rm_pool *pool = new_pool(NULL);
    struct rm_magazine *magazine = &cache.magazine[0];
    unsigned draws[8] = {0}, count = 0, most = (3 << 10) / RM_LINES_MIN / RM_CACHE_LINE;
    void *node[200];

    for (unsigned i = 0; i < 200; i++) {
        unsigned left = rm_bits_count(magazine->slice.nodes);

        node[i] = rm_cache_alloc(&cache, pool, RM_LINES_MIN);
        REQUIRE(node[i] != NULL);
        if (rm_bits_count(magazine->slice.nodes) >= left && count < 8) { /* but those of the starter */
            draws[count] = magazine->draw;
            count += magazine->draw > 0;
        }
    }
    REQUIRE_EQ(count, 8u);
    CHECK_EQ(draws[0], 2u);
    for (unsigned i = 1; i < 8; i++) {
        CHECK_EQ(draws[i], draws[i - 1] * 2 < most ? draws[i - 1] * 2 : most, "draw %u", i);
    }
    for (unsigned i = 0; i < 200; i++) {
        rm_cache_free(&cache, pool, node[i], RM_LINES_MIN);
    }
    rm_cache_flush(&cache, pool);
    finish(pool, NULL);
}

/* One that meets others takes as much as it may: it is seldom back. */
TEST_CASE(pool, who_meets_others_draws_the_most)
{
    for (uint32_t takes = 0; takes <= 2; takes++) {
        struct rm_pool *pool = new_pool(NULL);
        static struct rm_cache cache;
        void *node = NULL;

        memset(&cache, 0, sizeof cache);
        while (rm_pool_take_starter(pool, RM_LINES_MIN) != NULL) { /* which is not drawn */
        }
        cache.seeker.takes = takes;
        node = rm_cache_alloc(&cache, pool, RM_LINES_MIN);
        REQUIRE(node != NULL);
        CHECK_EQ(cache.magazine[0].draw, takes > 0 ? (3u << 10) / RM_LINES_MIN / RM_CACHE_LINE : 2u);
        rm_cache_free(&cache, pool, node, RM_LINES_MIN);
        rm_cache_flush(&cache, pool);
        rm_pool_destroy(pool);
    }
}

/* ---- hints: nothing depends on them but how far a search goes ---- */

enum { SET = RM_LINES_MAX - RM_LINES_MIN, SLABS = 3 * RM_EXTENT_SLABS };

static unsigned extent_index(const struct rm_pool *pool, const struct rm_slab *slab)
{
    return (unsigned)(slab->extent - pool->tables->extent);
}

static unsigned first_shown(const struct rm_pool *pool, unsigned set)
{
    uint64_t shown = rm_load_relaxed(&pool->tables->set[set]);

    REQUIRE_NE(shown, 0u);
    return rm_bits_first(shown);
}

/* Takes a node that was given back just before. */
static void take_again(struct rm_pool *pool, const struct rm_slab *slab)
{
    struct rm_slice slice;

    rm_pool_give(pool, RM_LINES_MAX, (struct rm_slice){(struct rm_slab *)(uintptr_t)slab, 1});
    REQUIRE(rm_pool_take(pool, RM_LINES_MAX, 1, true, &seeker, &slice));
    REQUIRE_EQ(slice.slab, slab);
}

/* Extents that have nothing are passed over once. */
TEST_CASE(pool, a_search_clears_hints_that_led_nowhere)
{
    static struct rm_slice slice[SLABS];
    struct rm_pool *pool = new_pool(NULL);
    const struct rm_slab *low = NULL, *high = NULL;

    for (unsigned i = 0; i < SLABS; i++) {
        REQUIRE(rm_pool_take(pool, RM_LINES_MAX, 21, true, &seeker, &slice[i]));
        CHECK_EQ(first_shown(pool, RM_SET_IDLE), extent_index(pool, slice[i].slab), "slab %u", i);
        low =
            low == NULL || extent_index(pool, slice[i].slab) < extent_index(pool, low) ? slice[i].slab : low;
        high = high == NULL || extent_index(pool, slice[i].slab) > extent_index(pool, high) ? slice[i].slab
                                                                                            : high;
    }
    CHECK_GE(extent_index(pool, high), extent_index(pool, low) + 2);
    take_again(pool, low);
    CHECK_EQ(first_shown(pool, SET), extent_index(pool, low));
    take_again(pool, high);
    CHECK_EQ(first_shown(pool, SET), extent_index(pool, high));
    for (unsigned i = 0; i < SLABS; i++) {
        rm_pool_give(pool, RM_LINES_MAX, slice[i]);
    }
    finish(pool, NULL);
}

/* A slab that is free as a whole is no longer shown as one with free nodes, whichever of its extent it is. */
TEST_CASE(pool, a_slab_that_falls_idle_is_hidden)
{
    static struct rm_slice slice[RM_EXTENT_SLABS + 8];
    struct rm_pool *pool = new_pool(NULL);
    const unsigned count = sizeof slice / sizeof *slice;

    for (unsigned i = 0; i < count; i++) {
        REQUIRE(rm_pool_take(pool, RM_LINES_MAX, 21, true, &seeker, &slice[i]));
    }
    for (unsigned i = 0; i < count; i++) {
        struct rm_extent *extent = slice[i].slab->extent;
        uint64_t bit = UINT64_C(1) << slice[i].slab->index;

        rm_pool_give(pool, RM_LINES_MAX, (struct rm_slice){slice[i].slab, 1});
        CHECK_NE(rm_load_relaxed(&extent->set[SET]) & bit, 0u, "slab %u", i);
        rm_pool_give(pool, RM_LINES_MAX, (struct rm_slice){slice[i].slab, slice[i].nodes & ~UINT64_C(1)});
        CHECK_EQ(rm_load_relaxed(&extent->set[SET]) & bit, 0u, "slab %u", i);
        CHECK_NE(rm_load_relaxed(&extent->set[RM_SET_IDLE]) & bit, 0u, "slab %u", i);
    }
    finish(pool, NULL);
}

/* A slab of which all is free takes another size. */
TEST_CASE(pool, sizes_share_slabs)
{
    struct chunk_source *source = malloc(sizeof *source);
    struct rm_pool *pool;
    struct rm_slice slice[25]; /* too few for any to go back by itself */

    REQUIRE(source != NULL);
    chunk_source_init(source);
    pool = new_pool(&source->allocator);
    for (unsigned lines = RM_LINES_MIN; lines <= RM_LINES_MAX; lines++) {
        unsigned taken = 0;

        source->fail_all = lines > RM_LINES_MIN;
        while (taken < 25 && rm_pool_take(pool, lines, 64, true, &seeker, &slice[taken])) {
            taken++;
        }
        CHECK_EQ(taken, 25u, "%u lines", lines);
        while (taken-- > 0) {
            rm_pool_give(pool, lines, slice[taken]);
        }
        CHECK_EQ(rm_pool_measure(pool).node_bytes, count_free(pool));
    }
    source->fail_all = false;
    finish(pool, source);
    free(source);
}
