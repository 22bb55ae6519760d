// SPDX-License-Identifier: BSD-2-Clause
/* Where the pool takes nodes from: what comes first, how many at a time, and what the hints above them say. */
#include <stdlib.h>
#include <string.h>

#include "test/memory/pool_rig.h"

enum { SET = RM_LINES_MAX - RM_LINES_MIN };

static struct rm_seeker seeker; /* the lowest, as long as one thread is at work */

/* As it was before: of what is taken again after some was given back, the lowest comes first. */
TEST_CASE(place, lowest_first)
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
TEST_CASE(place, seekers_part)
{
    struct rm_pool *pool = new_pool(NULL);
    static struct rm_seeker apart[2] RM_LINE_ALIGNED = {
        {.random = 5 << 8, .takes = 9}, {.random = (5 + 3 * RM_TABLE_EXTENTS) << 8, .takes = 9}};
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

/* While it is apart, a thread goes on where it found something last, as long as there is more. */
TEST_CASE(place, seekers_stay_where_they_found_something)
{
    struct rm_pool *pool = new_pool(NULL);
    static struct rm_slice slice[3 * RM_EXTENT_SLABS];
    struct rm_seeker apart = {.random = 0};
    struct rm_slice got;
    struct rm_extent *high;
    unsigned count = 0;

    do {
        REQUIRE(rm_pool_take(pool, RM_LINES_MAX, 21, true, &seeker, &slice[count]));
        high = slice[count].slab->extent;
    } while (++count < 3 * RM_EXTENT_SLABS);
    REQUIRE(high != slice[0].slab->extent);
    for (unsigned i = 0; i < 2; i++) { /* two nodes are free below, and two in the last extent */
        rm_pool_give(pool, RM_LINES_MAX, (struct rm_slice){slice[0].slab, UINT64_C(1) << i});
        rm_pool_give(pool, RM_LINES_MAX, (struct rm_slice){slice[count - 1].slab, UINT64_C(1) << i});
    }
    apart = (struct rm_seeker){.takes = 2, .near = high};
    REQUIRE(rm_pool_take(pool, RM_LINES_MAX, 1, true, &apart, &got));
    CHECK_EQ(got.slab, slice[count - 1].slab);
    CHECK_EQ(apart.near, high);
    REQUIRE(rm_pool_take(pool, RM_LINES_MAX, 1, true, &apart, &got));
    CHECK_EQ(got.slab, slice[0].slab, "no longer apart: the lowest");
    apart = (struct rm_seeker){.takes = 9, .near = high};
    for (unsigned i = 0; i < 2; i++) {
        REQUIRE(rm_pool_take(pool, RM_LINES_MAX, 1, true, &apart, &got));
        CHECK_EQ(got.slab, slice[i == 0 ? count - 1 : 0].slab, "%u", i);
        CHECK_EQ(apart.near, got.slab->extent);
    }
    CHECK_EQ(apart.takes, 7u, "it has met nobody");
    rm_pool_destroy(pool);
}

/* So it is for as many times as it says, the last one included: then the lowest again. */
TEST_CASE(place, seekers_meet_again)
{
    for (uint32_t takes = 0; takes <= 3; takes++) {
        struct rm_pool *pool = new_pool(NULL);
        struct rm_seeker apart = {.random = (1 + RM_TABLE_EXTENTS) << 8, .takes = takes};
        struct rm_slice slice[4], last, whole;
        unsigned count = 0;

        while (count < 4) { /* of a slab a part, and the next slab */
            REQUIRE(rm_pool_take(pool, RM_LINES_MAX, 21, true, &seeker, &slice[count]));
            count++;
        }
        rm_pool_give(pool, RM_LINES_MAX, (struct rm_slice){slice[0].slab, 1});
        rm_pool_give(pool, RM_LINES_MAX, (struct rm_slice){slice[1].slab, 1});
        REQUIRE(rm_pool_take(pool, RM_LINES_MAX, 1, true, &apart, &last));
        CHECK_EQ(last.slab, slice[takes > 1].slab, "%u", takes);
        CHECK_EQ(apart.takes, takes > 0 ? takes - 1 : 0);
        apart.takes = takes;
        REQUIRE(rm_pool_take(pool, RM_LINES_MIN, 64, true, &apart, &whole));
        CHECK_EQ(whole.slab->index, slice[3].slab->index + 1 + (takes > 1), "%u", takes);
        CHECK_EQ(apart.takes, takes > 0 ? takes - 1 : 0, "it has met nobody");
        rm_pool_destroy(pool);
    }
}

/* A bit that is out of date leads to nodes of another size: they go back, and nothing of them is lost. */
TEST_CASE(place, nodes_of_another_size_go_back)
{
    enum { OTHER = RM_LINES_MIN - RM_LINES_MIN };
    struct rm_pool *pool = new_pool(NULL);
    struct rm_slice slice, other;
    struct rm_seeker met = {.takes = 0};
    struct rm_extent *extent;
    uint64_t free;

    REQUIRE(rm_pool_take(pool, RM_LINES_MAX, 3, true, &seeker, &slice));
    extent = slice.slab->extent;
    free = rm_load_relaxed(&extent->free[slice.slab->index]);
    rm_set_add(extent, OTHER, UINT64_C(1) << slice.slab->index);
    REQUIRE(rm_pool_take(pool, RM_LINES_MIN, 2, true, &met, &other));
    CHECK(other.slab != slice.slab);
    CHECK_EQ(rm_load_relaxed(&extent->free[slice.slab->index]), free);
    CHECK_EQ(rm_load_relaxed(&extent->set[OTHER]) >> slice.slab->index & 1, 0u, "the bit is gone");
    CHECK_EQ(rm_load_relaxed(&extent->set[SET]) >> slice.slab->index & 1, 1u);
    CHECK_EQ(met.takes, 32u, "as if it had met another thread");
    CHECK_EQ(met.random, 1u);
    CHECK(met.near == other.slab->extent, "it goes on from there, not where it met");
    rm_pool_give(pool, RM_LINES_MIN, other);
    rm_pool_give(pool, RM_LINES_MAX, slice);
    finish(pool, NULL);
}

/* A thread takes few nodes at first, and twice as many each time, up to 3 KiB. */
TEST_CASE(place, draws_grow_with_use)
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

/* One that meets others takes all that a slab has: it is seldom back. */
TEST_CASE(place, who_meets_others_draws_the_most)
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
        CHECK_EQ(cache.magazine[0].draw, takes > 0 ? rm_slab_nodes(RM_LINES_MIN) : 2u);
        rm_cache_free(&cache, pool, node, RM_LINES_MIN);
        rm_cache_flush(&cache, pool);
        rm_pool_destroy(pool);
    }
}

/* What stays of nodes that others allocated, freed by a thread that is said to have met others so lately. */
static uint64_t kept_bytes(uint32_t takes)
{
    enum { NODES = 2000 };
    static struct rm_cache from, to;
    static void *node[NODES];
    struct rm_pool *pool = new_pool(NULL);
    uint64_t most = 0;

    memset(&from, 0, sizeof from);
    memset(&to, 0, sizeof to);
    for (unsigned i = 0; i < NODES; i++) {
        node[i] = rm_cache_alloc(&from, pool, RM_LINES_MAX);
        REQUIRE(node[i] != NULL);
    }
    for (unsigned i = 0; i < NODES; i++) {
        to.seeker.takes = takes;
        to.magazine[SET].surplus = 0; /* as if it had run empty in between */
        rm_cache_free(&to, pool, node[i], RM_LINES_MAX);
        most = to.magazine[SET].count > most ? to.magazine[SET].count : most;
    }
    rm_cache_flush(&from, pool);
    rm_cache_flush(&to, pool);
    finish(pool, NULL);
    return most * RM_LINES_MAX * RM_CACHE_LINE;
}

/* A step of the limit less than it may be, at most. */
TEST_CASE(place, who_meets_others_keeps_more)
{
    const uint64_t step = 16 * RM_LINES_MAX * RM_CACHE_LINE;

    for (uint32_t takes = 0; takes <= 2; takes++) {
        uint64_t most = takes > 0 ? RM_CACHE_MET_BYTES : RM_CACHE_BYTES, kept = kept_bytes(takes);

        CHECK_LE(kept, most, "%u", takes);
        CHECK_GT(kept, most - step, "%u", takes);
    }
}

/* A chunk that cannot be had leaves its place in the books to the next one, however often. */
TEST_CASE(place, refusals_use_up_no_places)
{
    static struct rm_slice slice[RM_TABLE_EXTENTS];
    struct chunk_source *source = malloc(sizeof *source);
    struct rm_pool *pool;
    struct rm_slice none;
    unsigned taken = 0, live;

    REQUIRE(source != NULL);
    chunk_source_init(source);
    pool = new_pool(&source->allocator);
    source->fail_all = true;
    while (rm_pool_take(pool, RM_LINES_MAX, 21, true, &seeker, &slice[taken])) {
        REQUIRE_LT(++taken, (unsigned)RM_TABLE_EXTENTS);
    }
    for (unsigned i = 0; i < 4 * RM_TABLE_EXTENTS; i++) {
        REQUIRE(!rm_pool_take(pool, RM_LINES_MAX, 21, true, &seeker, &none));
    }
    source->fail_all = false;
    live = source->live;
    REQUIRE(rm_pool_take(pool, RM_LINES_MAX, 21, true, &seeker, &slice[taken]));
    CHECK_EQ(source->live, live + 1, "a chunk, and no table");
    do {
        rm_pool_give(pool, RM_LINES_MAX, slice[taken]);
    } while (taken-- > 0);
    finish(pool, source);
    free(source);
}

/* ---- hints: nothing depends on them but how far a search goes ---- */

enum { SLABS = 3 * RM_EXTENT_SLABS };

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
TEST_CASE(place, a_search_clears_hints_that_led_nowhere)
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
TEST_CASE(place, a_slab_that_falls_idle_is_hidden)
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

/* One of which the last free nodes were taken is shown no more, and nobody has been met. */
TEST_CASE(place, a_slab_of_which_all_is_taken_is_hidden)
{
    for (unsigned lines = RM_LINES_MIN; lines <= RM_LINES_MAX; lines++) {
        struct rm_pool *pool = new_pool(NULL);
        unsigned nodes = rm_slab_nodes(lines), taken = 0;
        const struct rm_extent *extent = NULL;
        struct rm_slice slice;

        while (taken++ < nodes) {
            REQUIRE(rm_pool_take(pool, lines, 1, true, &seeker, &slice));
            CHECK(extent == NULL || slice.slab->extent == extent);
            extent = slice.slab->extent;
            CHECK_EQ(rm_load_relaxed(&extent->set[lines - RM_LINES_MIN]) >> slice.slab->index & 1,
                     taken < nodes, "%u of %u", taken, nodes);
        }
        REQUIRE(rm_pool_take(pool, lines, 1, true, &seeker, &slice));
        CHECK_EQ(seeker.takes, 0u);
        rm_pool_destroy(pool);
    }
}

/* A slab of which all is free takes another size. */
TEST_CASE(place, sizes_share_slabs)
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
