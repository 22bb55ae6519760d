// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a thread's cache keeps, beside a model of it: which node comes next, how many of each size stay, what goes to
 * the pool; and what it sets aside, both sides of each bound.
 */
#include <stdlib.h>
#include <string.h>

#include "test/memory/pool_rig.h"
#include "test/shim/prng.h"

enum { NODES = 4096, LEAST = 4, STEP = 16, SURPLUS = 4, RESERVED_LEAST = 64, CACHE_BYTES = 44 << 10 };

/* Of each size: the free nodes, the warmest last, and what the header says of limits. */
static struct model {
    void *free[RM_SIZES][CACHE_BYTES / RM_CACHE_LINE];
    unsigned count[RM_SIZES], limit[RM_SIZES], surplus[RM_SIZES], least;
} model;

static struct rm_cache cache;
static struct rm_pool *pool;
static struct chunk_source source;

static void begin(bool mapped)
{
    memset(&cache, 0, sizeof cache);
    memset(&model, 0, sizeof model);
    model.least = LEAST;
    chunk_source_init(&source);
    pool = new_pool(mapped ? NULL : &source.allocator);
}

static void end(bool mapped)
{
    rm_cache_flush(&cache, pool);
    CHECK_EQ(rm_load_relaxed(&cache.drawn_bytes), rm_load_relaxed(&cache.live_bytes));
    finish(pool, mapped ? NULL : &source);
}

static uint64_t bytes_of(unsigned nodes, unsigned size)
{
    return (uint64_t)nodes * (size + RM_LINES_MIN) * RM_CACHE_LINE;
}

/* Nodes in magazines and slices, and whole slabs. */
static uint64_t held_bytes(void)
{
    uint64_t bytes = (uint64_t)cache.reserved_slabs * RM_SLAB_LINES * RM_CACHE_LINE;

    for (unsigned i = 0; i < RM_SIZES; i++) {
        bytes += bytes_of(cache.magazine[i].count + rm_bits_count(cache.magazine[i].slice.nodes), i);
    }
    return bytes;
}

static void check_model(void)
{
    for (unsigned i = 0; i < RM_SIZES; i++) {
        REQUIRE_EQ(cache.magazine[i].count, model.count[i], "size %u", i);
        REQUIRE_EQ(cache.magazine[i].limit, model.limit[i], "size %u", i);
        REQUIRE_EQ(cache.magazine[i].surplus, model.surplus[i], "size %u", i);
    }
    REQUIRE_EQ(rm_load_relaxed(&cache.drawn_bytes) - rm_load_relaxed(&cache.live_bytes), held_bytes());
}

/* ---- the model ---- */

static bool has_room(unsigned size)
{
    uint64_t sum = bytes_of(STEP, size);

    for (unsigned i = 0; i < RM_SIZES; i++) {
        sum += bytes_of(model.limit[i], i);
    }
    return sum <= CACHE_BYTES;
}

static bool raise_limit(unsigned size)
{
    if (model.limit[size] < model.least) {
        model.limit[size] = model.least;
        return true;
    }
    for (unsigned i = 0; i < RM_SIZES && !has_room(size); i++) { /* of all or none */
        for (unsigned j = 0; j < RM_SIZES; j++) {
            unsigned used = model.count[j] > model.least ? model.count[j] : model.least;

            model.limit[j] = model.limit[j] < used ? model.limit[j] : used;
        }
    }
    model.limit[size] += has_room(size) ? STEP : 0;
    return model.limit[size] > model.count[size];
}

/* The coldest go: the first ones. */
static void keep_warmest(unsigned size, unsigned keep)
{
    unsigned gone = model.count[size] - keep;

    memmove(model.free[size], model.free[size] + gone, keep * sizeof **model.free);
    model.count[size] = keep;
}

static void model_free(unsigned size, void *node)
{
    if (model.count[size] == model.limit[size]) {
        bool is_surplus = ++model.surplus[size] > SURPLUS && model.limit[size] >= STEP;

        if (is_surplus || !raise_limit(size)) {
            unsigned half = model.limit[size] / 2;

            model.limit[size] = is_surplus && half >= STEP && half >= model.least ? half : model.limit[size];
            keep_warmest(size, model.limit[size] / 2);
        }
    }
    model.free[size][model.count[size]++] = node;
}

/* ---- beside it ---- */

static void *take(unsigned size)
{
    unsigned count = model.count[size];
    void *node = rm_cache_alloc(&cache, pool, size + RM_LINES_MIN);

    REQUIRE(node != NULL);
    if (count > 0) {
        REQUIRE_EQ(node, model.free[size][count - 1], "the warmest first");
        model.count[size]--;
    } else {
        model.surplus[size] = 0;
    }
    check_model();
    return node;
}

static void give(unsigned size, void *node)
{
    rm_cache_free(&cache, pool, node, size + RM_LINES_MIN);
    model_free(size, node);
    check_model();
}

/* One size after the other rises and falls, among others. */
static void rise_and_fall(unsigned rounds)
{
    static void *node[RM_SIZES][NODES];
    unsigned used[RM_SIZES] = {0};
    struct prng random = prng_stream(test_seed(), 3);

    for (unsigned i = 0; i < rounds; i++) {
        unsigned main = i / 1500 % RM_SIZES,
                 size = i % 8 != 0 ? main : (unsigned)prng_below(&random, RM_SIZES);
        bool rises = prng_below(&random, 16) < (i / 300 % 2 == 0 ? 13u : 3u);

        if (rises && used[size] < NODES) {
            node[size][used[size]++] = take(size);
        } else if (used[size] > 0) {
            give(size, node[size][--used[size]]);
        }
    }
    for (unsigned size = 0; size < RM_SIZES; size++) {
        while (used[size] > 0) {
            give(size, node[size][--used[size]]);
        }
    }
    check_books(pool, rm_load_relaxed(&cache.drawn_bytes));
}

TEST_CASE(cache, keeps_what_the_model_keeps)
{
    begin(true);
    rise_and_fall(30000);
    end(true);
}

/* A thread that has reserved keeps more of each size. */
TEST_CASE(cache, keeps_more_once_it_has_reserved)
{
    begin(false);
    REQUIRE(rm_cache_reserve(&cache, pool, 1));
    model.least = RESERVED_LEAST;
    rise_and_fall(30000);
    end(false);
}

/* Nodes that another thread took, and this one frees: more come than go. */
static void take_much(unsigned size, bool reserves)
{
    static void *node[NODES + 1];
    struct rm_cache other;

    begin(true);
    memset(&other, 0, sizeof other);
    REQUIRE(!reserves || rm_cache_reserve(&cache, pool, 1));
    model.least = reserves ? RESERVED_LEAST : LEAST;
    for (unsigned i = 0; i < NODES; i++) {
        node[i] = rm_cache_alloc(&other, pool, size + RM_LINES_MIN);
        REQUIRE(node[i] != NULL);
    }
    give(size, node[0]);
    node[0] = take(size);
    node[NODES] = take(size); /* it was empty: what was too much before is no more */
    for (unsigned i = 0; i <= NODES; i++) {
        give(size, node[i]);
    }
    rm_cache_flush(&other, pool);
    check_books(pool, rm_load_relaxed(&cache.drawn_bytes) + rm_load_relaxed(&other.drawn_bytes));
    rm_cache_flush(&cache, pool);
    CHECK_EQ(rm_load_relaxed(&cache.drawn_bytes) + rm_load_relaxed(&other.drawn_bytes), 0u);
    finish(pool, NULL);
}

TEST_CASE(cache, gives_up_what_it_has_too_much)
{
    for (unsigned size = 0; size < RM_SIZES; size++) {
        take_much(size, false);
        take_much(size, true); /* down to what it keeps then */
    }
}

/* ---- set aside ---- */

enum { USED_BYTES = (RM_SLAB_LINES - (RM_LINES_MAX - 1)) * RM_CACHE_LINE };

static void check_reserved(unsigned slabs)
{
    unsigned count = 0;

    for (const struct rm_slab *slab = cache.reserved; slab != NULL; slab = slab->next) {
        count++;
    }
    CHECK_EQ(cache.reserved_slabs, slabs);
    CHECK_EQ(count, slabs);
    check_model();
    check_books(pool, rm_load_relaxed(&cache.drawn_bytes));
}

/* A slab of each size may be used in part only: so many more. */
TEST_CASE(cache, reserves_by_the_slab)
{
    static const struct {
        uint64_t bytes;
        unsigned slabs;
    } row[] = {{0, 0},
               {1, 1},
               {USED_BYTES, 1},
               {USED_BYTES + 1, 2},
               {50 * USED_BYTES, 50},
               {50 * USED_BYTES + 1, 51}};

    for (unsigned i = 0; i < sizeof row / sizeof *row; i++) {
        begin(i % 2 == 0);
        CHECK(!cache.reserves);
        REQUIRE(rm_cache_reserve(&cache, pool, row[i].bytes));
        CHECK(cache.reserves);
        check_reserved(row[i].slabs + RM_SIZES);
        REQUIRE(rm_cache_reserve(&cache, pool, row[i].bytes / 2));
        check_reserved(row[i].slabs + RM_SIZES);
        end(i % 2 == 0);
        CHECK(cache.reserved == NULL && cache.reserved_slabs == 0);
    }
}

/* In any mix of sizes, and nothing comes from the pool, not even its starter. */
TEST_CASE(cache, what_is_reserved_is_enough)
{
    for (unsigned size = 0; size <= RM_SIZES; size++) {
        struct prng random = prng_stream(test_seed(), size);
        uint64_t bytes = 0, free_bytes;
        struct rm_pool_usage before;
        static void *node[NODES];
        static unsigned sizes[NODES];
        unsigned count = 0;

        begin(false);
        REQUIRE(rm_cache_reserve(&cache, pool, 30 * USED_BYTES));
        free_bytes = count_free(pool);
        before = rm_pool_measure(pool);
        do {
            sizes[count] = size < RM_SIZES ? size : (unsigned)prng_below(&random, RM_SIZES);
            bytes += bytes_of(1, sizes[count]);
            node[count] = take(sizes[count]);
            count++;
        } while (bytes + bytes_of(1, RM_SIZES - 1) <= 30 * USED_BYTES);
        CHECK_EQ(rm_pool_measure(pool).idle_bytes, before.idle_bytes);
        CHECK_EQ(count_free(pool), free_bytes);
        model.least = RESERVED_LEAST;
        while (count-- > 0) {
            give(sizes[count], node[count]);
        }
        end(false);
    }
}

/* A chunk for what is missing, not for what is there. */
TEST_CASE(cache, asks_for_what_is_missing)
{
    for (unsigned before = 8; before <= 64; before *= 2) {
        for (unsigned more = 1; more <= 64; more++) {
            uint64_t bytes, wanted = RM_CHUNK_MIN_BYTES;

            begin(false);
            REQUIRE(rm_cache_reserve(&cache, pool, (before - RM_SIZES) * (uint64_t)USED_BYTES));
            while (rm_pool_take_idle(pool) != NULL) { /* never given back */
            }
            while (wanted < (uint64_t)more * RM_SLAB_BYTES || wanted < source.bytes / 4) {
                wanted *= 2;
            }
            bytes = source.bytes;
            REQUIRE(rm_cache_reserve(&cache, pool, (before + more - RM_SIZES) * (uint64_t)USED_BYTES));
            CHECK_EQ(source.bytes, bytes + wanted, "%u slabs, and %u more", before, more);
            rm_pool_destroy(pool);
        }
    }
}

/* At whichever chunk it fails: what was reserved before is, and the pool has the rest. */
TEST_CASE(cache, reserves_all_or_nothing)
{
    begin(false);
    REQUIRE(rm_cache_reserve(&cache, pool, 3 * USED_BYTES));
    for (unsigned fail = 1;; fail++) {
        unsigned calls = source.calls;

        source.fail_all = false;
        source.fail_at = 0;
        (void)rm_pool_trim(pool);
        source.fail_all = fail == 1;
        source.fail_at = calls + fail;
        cache.reserves = false;
        if (rm_cache_reserve(&cache, pool, 2000 * (uint64_t)USED_BYTES)) {
            break;
        }
        CHECK(!cache.reserves);
        check_reserved(3 + RM_SIZES);
        REQUIRE_LT(fail, 100u);
        if (fail > 3) {
            break; /* a small chunk does where a large one was refused */
        }
    }
    source.fail_all = false;
    end(false);
}

/* More slabs than can be counted are refused at once; a caller's allocator is asked for all that can. */
TEST_CASE(cache, more_than_can_be_counted)
{
    const uint64_t most = (uint64_t)(UINT32_MAX - RM_SIZES) * USED_BYTES;
    unsigned calls;

    begin(false);
    while (rm_pool_take_idle(pool) != NULL) {
    }
    source.fail_all = true;
    calls = source.calls;
    CHECK(!rm_cache_reserve(&cache, pool, most + 1));
    CHECK_EQ(source.calls, calls);
    CHECK(!rm_cache_reserve(&cache, pool, most));
    CHECK_EQ(source.calls, calls + 2, "a large one, and a small one");
    CHECK(!cache.reserves && cache.reserved_slabs == 0);
    rm_pool_destroy(pool);
}

/* ---- what settling and a fork leave ---- */

/* Magazines go to the pool, unless a part of a reservation may be in them. */
TEST_CASE(cache, settles_what_is_not_reserved)
{
    for (unsigned reserves = 0; reserves < 2; reserves++) {
        void *node[3];

        begin(true);
        for (unsigned i = 0; i < 3; i++) {
            node[i] = take(1);
        }
        for (unsigned i = 0; i < 3; i++) {
            give(1, node[i]);
        }
        REQUIRE(reserves == 0 || rm_cache_reserve(&cache, pool, 1));
        rm_cache_settle(&cache, pool);
        CHECK_EQ(cache.magazine[1].count, reserves ? 3u : 0u);
        CHECK_EQ(cache.reserved_slabs, reserves ? 1 + RM_SIZES : 0u);
        check_books(pool, rm_load_relaxed(&cache.drawn_bytes));
        end(true);
    }
}

/* A cache in motion is empty in the child; its counts, which others read, go on. */
TEST_CASE(cache, forgets_all_that_it_holds)
{
    static const struct rm_magazine none[RM_SIZES];
    uint64_t drawn, live;

    begin(true);
    REQUIRE(rm_cache_reserve(&cache, pool, 1));
    for (unsigned size = 0; size < RM_SIZES; size++) {
        give(size, (model.least = RESERVED_LEAST, take(size)));
        (void)take(size);
        give(size, take(size));
    }
    drawn = rm_load_relaxed(&cache.drawn_bytes);
    live = rm_load_relaxed(&cache.live_bytes);
    CHECK_GT(drawn, live);
    rm_cache_forget(&cache);
    CHECK(memcmp(cache.magazine, none, sizeof none) == 0);
    CHECK(cache.reserved == NULL && cache.reserved_slabs == 0 && !cache.reserves);
    CHECK_EQ(rm_load_relaxed(&cache.drawn_bytes), drawn);
    CHECK_EQ(rm_load_relaxed(&cache.live_bytes), live);
    rm_cache_flush(&cache, pool);
    CHECK_EQ(rm_load_relaxed(&cache.drawn_bytes), drawn, "nothing is left to give");
    rm_pool_destroy(pool);
}
