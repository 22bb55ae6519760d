// SPDX-License-Identifier: BSD-2-Clause
/*
 * Stripes: whose slabs are whose, what comes first when nodes are taken, and what goes when there are too many. Taking
 * and giving are asked together in the end: hence its length.
 */
#include <stdlib.h>
#include <string.h>

#include "test/memory/pool_rig.h"
#include "test/shim/prng.h"

enum { LINES = RM_LINES_MAX, FEW = 4, SET = LINES - RM_LINES_MIN };

static const struct rm_stripe even = {.own = 0, .last = 1}, odd = {.own = 1, .last = 1};

TEST_CASE(stripe, as_many_as_threads)
{
    static const unsigned last[] = {0, 0, 1, 1, 3, 3, 3, 3, 7, 7};

    for (uint64_t threads = 0; threads < 1000; threads++) {
        for (uint64_t place = 0; place < 100; place++) {
            struct rm_stripe stripe = rm_stripe_of(place, threads);

            CHECK_EQ(stripe.last, last[threads < 9 ? threads : 9], "%u threads", (unsigned)threads);
            CHECK_EQ(stripe.own, (unsigned)(place % (stripe.last + 1)));
            CHECK_EQ(rm_stripe_is_all(stripe), threads < 2);
        }
    }
}

/* Each slab is on one of them, and its number and its address say the same. */
static void check_stripes(struct rm_pool *pool, const struct rm_slab *slab)
{
    for (unsigned threads = 1; threads <= 8; threads *= 2) {
        unsigned on = 0;

        for (unsigned place = 0; place < threads; place++) {
            struct rm_stripe stripe = rm_stripe_of(place, threads);
            bool has = (rm_stripe_slabs(stripe) >> slab->index & 1) != 0;

            on += has;
            CHECK_EQ(rm_stripe_has(stripe, slab), has);
            CHECK_EQ(rm_stripe_has(stripe, rm_slab_node(slab, 0, LINES)), has);
            CHECK_EQ(rm_stripe_has(stripe, rm_slab_node(slab, rm_slab_nodes(LINES) - 1, LINES)), has);
        }
        CHECK_EQ(on, 1u);
    }
    CHECK(pool->home != slab);
}

TEST_CASE(stripe, number_and_address_agree)
{
    for (unsigned mapped = 0; mapped < 2; mapped++) {
        static struct chunk_source source;
        struct rm_slab *slab[1500];
        struct rm_pool *pool;

        chunk_source_init(&source);
        pool = new_pool(mapped ? NULL : &source.allocator);
        for (unsigned i = 0; i < 1500; i++) { /* chunks of all sizes */
            slab[i] = rm_pool_take_slab(pool, 0);
            REQUIRE(slab[i] != NULL);
            check_stripes(pool, slab[i]);
        }
        for (unsigned i = 0; i < 1500; i++) {
            rm_pool_give_slab(pool, slab[i]);
        }
        finish(pool, mapped ? NULL : &source);
    }
}

/* ---- taking ---- */

static bool is_odd(const struct rm_slice *slice)
{
    return rm_stripe_has(odd, slice->slab);
}

static struct rm_slice take(struct rm_pool *pool, struct rm_stripe stripe, unsigned wanted)
{
    struct rm_seeker seeker = {.stripe = stripe};
    struct rm_slice slice;

    REQUIRE(rm_pool_take(pool, LINES, wanted, true, &seeker, &slice));
    CHECK_EQ(seeker.takes, 0u, "it has met nobody");
    return slice;
}

static unsigned shown(const struct rm_pool *pool, unsigned set, struct rm_stripe stripe)
{
    return rm_bits_count(rm_load_relaxed(&pool->tables->extent[0].set[set]) & rm_stripe_slabs(stripe));
}

/* Free nodes of its stripe, idle slabs of it, free nodes of others, idle slabs of others; then a chunk. */
TEST_CASE(stripe, what_is_taken_first)
{
    enum { ALL = RM_SLAB_LINES / LINES };
    struct rm_pool *pool = new_pool(NULL);
    struct rm_slice begun[2] = {take(pool, even, 1), take(pool, odd, 1)}, got[2 * RM_EXTENT_SLABS];
    uint64_t chunk_bytes = rm_load_relaxed(&pool->chunk_bytes);
    unsigned idle[2] = {shown(pool, RM_SET_IDLE, even), shown(pool, RM_SET_IDLE, odd)}, count = 0;

    CHECK(!is_odd(&begun[0]) && is_odd(&begun[1]));
    REQUIRE(idle[0] > 0 && idle[1] > 0);
    for (unsigned i = 0; i < 1 + idle[1]; i++) {
        got[count] = take(pool, odd, ALL);
        CHECK(is_odd(&got[count]));
        CHECK_EQ(got[count].slab == begun[1].slab, i == 0, "what is free in slabs in use comes first");
        CHECK_EQ(shown(pool, RM_SET_IDLE, odd), idle[1] - i);
        count++;
    }
    CHECK_EQ(shown(pool, SET, odd) + shown(pool, RM_SET_IDLE, odd), 0u);
    for (unsigned i = 0; i < 1 + idle[0]; i++) {
        got[count] = take(pool, odd, ALL);
        CHECK(!is_odd(&got[count]));
        CHECK_EQ(got[count].slab == begun[0].slab, i == 0, "before a slab is divided");
        count++;
    }
    CHECK_EQ(rm_load_relaxed(&pool->chunk_bytes), chunk_bytes);
    got[count] = take(pool, odd, ALL);
    count++;
    CHECK_GT(rm_load_relaxed(&pool->chunk_bytes), chunk_bytes);
    while (count-- > 0) {
        rm_pool_give(pool, LINES, got[count]);
    }
    rm_pool_give(pool, LINES, begun[0]);
    rm_pool_give(pool, LINES, begun[1]);
    finish(pool, NULL);
}

/* A thread that goes on where it was does so while there is something on its stripe. */
TEST_CASE(stripe, who_is_apart_stays_for_its_stripe)
{
    struct rm_pool *pool = new_pool(NULL);
    static struct rm_slice slice[4 * RM_EXTENT_SLABS];
    struct rm_seeker seeker = {.takes = 0};
    const struct rm_slice *last[2] = {NULL,
                                      NULL}; /* the last slab of each stripe: in the last extent but one */
    struct rm_slice low[2], got;
    unsigned count = 0;

    do {
        REQUIRE(rm_pool_take(pool, LINES, 21, true, &seeker, &slice[count]));
        last[is_odd(&slice[count])] = &slice[count];
    } while (++count < 4 * RM_EXTENT_SLABS);
    REQUIRE_EQ(last[0]->slab->extent, last[1]->slab->extent);
    REQUIRE_NE(last[0]->slab->extent, slice[1].slab->extent);
    low[is_odd(&slice[0])] = slice[0];
    low[is_odd(&slice[1])] = slice[1];
    rm_pool_give(pool, LINES, (struct rm_slice){last[0]->slab, 1});
    rm_pool_give(pool, LINES, (struct rm_slice){low[0].slab, 1});
    rm_pool_give(pool, LINES, (struct rm_slice){low[1].slab, 1});
    seeker = (struct rm_seeker){.takes = 9, .near = last[0]->slab->extent, .stripe = odd};
    REQUIRE(rm_pool_take(pool, LINES, 1, true, &seeker, &got));
    CHECK_EQ(got.slab, low[1].slab, "there is only another stripe's");
    seeker = (struct rm_seeker){.takes = 9, .near = last[0]->slab->extent, .stripe = even};
    REQUIRE(rm_pool_take(pool, LINES, 1, true, &seeker, &got));
    CHECK_EQ(got.slab, last[0]->slab);
    rm_pool_destroy(pool);
}

/* A few extents are looked at for a stripe's sake; what is beyond is as good as another stripe's. */
TEST_CASE(stripe, looks_at_a_few_extents)
{
    struct rm_table *table = calloc(1, rm_table_bytes(RM_TABLE_EXTENTS));
    uint64_t slabs = rm_stripe_slabs(odd);

    REQUIRE(table != NULL);
    rm_table_init(table, RM_TABLE_EXTENTS);
    for (unsigned i = 0; i <= RM_FIND_EXTENTS; i++) {
        rm_store_relaxed(&table->extent[i].set[SET], i < RM_FIND_EXTENTS ? 5 : 2);
        rm_store_relaxed(&table->set[SET], rm_load_relaxed(&table->set[SET]) | UINT64_C(1) << i);
    }
    CHECK_EQ(rm_set_find_among(table, SET, slabs, 0), NULL);
    CHECK_EQ(rm_set_find_among(table, SET, 4, 0), &table->extent[0]);
    CHECK_EQ(rm_set_find_among(table, SET, 4, 3), &table->extent[3], "at its place");
    CHECK_EQ(rm_set_find_among(table, SET, slabs, 2), &table->extent[RM_FIND_EXTENTS], "seven before it");
    rm_store_relaxed(&table->extent[0].set[SET], 0);
    CHECK_EQ(rm_set_find_among(table, SET, slabs, 0), NULL, "a bit out of date counts, too");
    CHECK_EQ(rm_load_relaxed(&table->set[SET]), (UINT64_C(2) << RM_FIND_EXTENTS) - 1, "nothing was changed");
    rm_store_relaxed(&table->set[SET], (UINT64_C(2) << RM_FIND_EXTENTS) - 2);
    CHECK_EQ(rm_set_find_among(table, SET, slabs, 0), &table->extent[RM_FIND_EXTENTS]);
    free(table);
}

/* ---- giving ---- */

static struct rm_pool *pool;
static struct rm_cache cache[2];

static void begin(void)
{
    pool = new_pool(NULL);
    memset(cache, 0, sizeof cache);
}

static void separate(unsigned threads)
{
    for (unsigned i = 0; i < 2; i++) {
        rm_cache_separate(&cache[i], pool, i, threads);
    }
}

static void end(void)
{
    rm_cache_flush(&cache[0], pool);
    rm_cache_flush(&cache[1], pool);
    CHECK_EQ(rm_load_relaxed(&cache[0].drawn_bytes) + rm_load_relaxed(&cache[1].drawn_bytes), 0u);
    finish(pool, NULL);
}

static void *alloc(unsigned i)
{
    void *node = rm_cache_alloc(&cache[i], pool, LINES);

    REQUIRE(node != NULL);
    return node;
}

RM_READS_POISONED static unsigned others_in(const struct rm_magazine *magazine, struct rm_stripe stripe)
{
    const struct rm_spare *node = magazine->top;
    unsigned others = 0;

    for (unsigned i = 0; i < magazine->count; i++) {
        others += !rm_stripe_has(stripe, node);
        node = node->next;
    }
    return others;
}

/* What the cache of a thread among two holds of each: all of the own in order, and nothing else. */
TEST_CASE(stripe, others_go_once_told)
{
    enum { NODES = 50 };
    void *node[NODES], *own[NODES];
    unsigned owned = 0;

    begin();
    for (unsigned i = 0; i < NODES; i++) {
        node[i] = alloc(0);
    }
    for (unsigned i = 0; i < NODES; i++) {
        if (rm_stripe_has(odd, node[i])) {
            own[owned++] = node[i];
        }
        rm_cache_free(&cache[1], pool, node[i], LINES);
    }
    REQUIRE(owned > 0 && owned < NODES);
    rm_cache_separate(&cache[1], pool, 1, 1);
    CHECK_EQ(cache[1].magazine[SET].count, (unsigned)NODES, "alone: all is its own");
    rm_cache_separate(&cache[1], pool, 1, 2);
    CHECK_EQ(cache[1].magazine[SET].count, owned);
    CHECK_EQ(rm_load_relaxed(&cache[0].drawn_bytes) + rm_load_relaxed(&cache[1].drawn_bytes) -
                 rm_load_relaxed(&cache[0].live_bytes) - rm_load_relaxed(&cache[1].live_bytes),
             (owned + rm_bits_count(cache[0].magazine[SET].slice.nodes)) * (uint64_t)LINES * RM_CACHE_LINE);
    for (unsigned i = owned; i-- > 0;) {
        CHECK_EQ(alloc(1), own[i], "the warmest first");
    }
    for (unsigned i = 0; i < owned; i++) {
        rm_cache_free(&cache[1], pool, own[i], LINES);
    }
    end();
}

/* Of all sizes, and of those that lie in the pool's beginning. */
TEST_CASE(stripe, any_size_goes)
{
    begin();
    for (unsigned lines = RM_LINES_MIN; lines <= RM_LINES_MAX; lines++) {
        void *node[100];

        for (unsigned i = 0; i < 100; i++) {
            node[i] = rm_cache_alloc(&cache[0], pool, lines);
            REQUIRE(node[i] != NULL);
        }
        for (unsigned i = 0; i < 100; i++) {
            rm_cache_free(&cache[1], pool, node[i], lines);
        }
    }
    separate(2);
    for (unsigned i = 0; i < RM_SIZES; i++) {
        CHECK_EQ(others_in(&cache[1].magazine[i], odd), 0u, "size %u", i);
    }
    end();
}

/* Over the limit as many go as with one stripe: first those of others, then the coldest. */
static void overflow(unsigned threads)
{
    enum { NODES = 2000 };
    static void *node[NODES];
    struct rm_stripe stripe = rm_stripe_of(1, threads);

    begin();
    separate(threads);
    for (unsigned i = 0; i < NODES; i++) {
        node[i] = alloc(i % 2);
    }
    for (unsigned i = 0; i < NODES; i++) {
        unsigned before = cache[1].magazine[SET].count, others = others_in(&cache[1].magazine[SET], stripe),
                 after, gone;

        rm_cache_free(&cache[1], pool, node[i], LINES);
        after = cache[1].magazine[SET].count - 1;
        gone = before - after;
        if (gone > 0) {
            CHECK_EQ(after, cache[1].magazine[SET].limit / 2);
            others -= gone < others ? gone : others;
        }
        others += !rm_stripe_has(stripe, node[i]);
        REQUIRE_EQ(others_in(&cache[1].magazine[SET], stripe), others, "node %u", i);
    }
    end();
}

TEST_CASE(stripe, others_go_first_over_the_limit)
{
    overflow(1);
    overflow(2);
    overflow(8);
}

/* So many of each size as a thread that has reserved keeps for an update that begins again, wherever they lie. */
static void separate_reserved(unsigned nodes)
{
    void *node[100];
    unsigned others;

    begin();
    REQUIRE(rm_cache_reserve(&cache[1], pool, nodes * (uint64_t)LINES * RM_CACHE_LINE));
    for (unsigned i = 0; i < nodes; i++) {
        node[i] = alloc(1);
    }
    for (unsigned i = 0; i < nodes; i++) {
        rm_cache_free(&cache[1], pool, node[i], LINES);
    }
    others = others_in(&cache[1].magazine[SET], odd);
    REQUIRE_EQ(cache[1].magazine[SET].count, nodes);
    REQUIRE_GT(others, 0u);
    separate(2);
    if (nodes <= RM_MAGAZINE_RESERVED / 2) {
        CHECK_EQ(cache[1].magazine[SET].count, nodes);
    } else {
        unsigned own = nodes - others;

        CHECK_EQ(cache[1].magazine[SET].count,
                 own > RM_MAGAZINE_RESERVED / 2 ? own : RM_MAGAZINE_RESERVED / 2);
    }
    CHECK_EQ(cache[1].seeker.stripe.last, 1u);
    end();
}

TEST_CASE(stripe, reserved_nodes_stay)
{
    separate_reserved(25);
    separate_reserved(RM_MAGAZINE_RESERVED / 2);
    separate_reserved(RM_MAGAZINE_RESERVED / 2 + 1);
    separate_reserved(60);
}

/* ---- both ---- */

enum { GARBAGE = 64 }; /* nodes that a poll frees at once */

static struct {
    void *node[GARBAGE];
    unsigned count;
} garbage[2];

static void retire(unsigned thread, void *node)
{
    garbage[thread].node[garbage[thread].count++] = node;
    for (; garbage[thread].count == GARBAGE; garbage[thread].count = 0) {
        for (unsigned i = 0; i < GARBAGE; i++) {
            rm_cache_free(&cache[thread], pool, garbage[thread].node[i], LINES);
        }
    }
}

/*
 * Two threads that replace nodes at random, of halves or of all, and are told now and then. So many of the nodes that
 * they replace at last lie on the other's stripe, in a thousand.
 */
static unsigned replace(bool halves, unsigned threads)
{
    enum { NODES = 1000, ROUNDS = 400000, TOLD_EVERY = 2000 };
    static void *node[NODES];
    struct prng random = prng_stream(test_seed(), 5);
    unsigned others = 0;

    begin();
    for (unsigned i = 0; i < NODES; i++) {
        node[i] = alloc(FEW * i / NODES % 2); /* some lie side by side, some are in the other's half */
    }
    for (unsigned i = 0; i < ROUNDS; i++) {
        unsigned thread = i % 2, at = (unsigned)prng_below(&random, halves ? NODES / 2 : NODES);
        void **place = &node[halves ? at + thread * NODES / 2 : at], *old = *place;

        if (i % TOLD_EVERY == 0) {
            separate(threads);
        }
        *place = alloc(thread);
        others += i >= ROUNDS / 2 && !rm_stripe_has(thread == 0 ? even : odd, old);
        retire(thread, old);
    }
    for (unsigned i = 0; i < NODES; i++) {
        rm_cache_free(&cache[0], pool, node[i], LINES);
    }
    for (unsigned thread = 0; thread < 2; thread++) {
        while (garbage[thread].count > 0) {
            rm_cache_free(&cache[thread], pool, garbage[thread].node[--garbage[thread].count], LINES);
        }
    }
    end();
    return others / (ROUNDS / 2 / 1000);
}

TEST_CASE(stripe, threads_on_parts_of_their_own_come_apart)
{
    CHECK_LE(replace(true, 2), 10u);
    CHECK_GE(replace(true, 1), 300u, "as they do not with one stripe");
    CHECK_GE(replace(false, 2), 400u, "as they must where both update all");
}
