// SPDX-License-Identifier: BSD-2-Clause
/* How many nodes a map has for its ranges, whichever way others went: what is not merged is right, and slower. */
#include <stdio.h>

#include "rangemap/map/inspect.h"
#include "rangemap/rangemap.h"
#include "test/shim/ctest.h"
#include "test/shim/prng.h"

static struct rangemap_statistics stats_of(const struct rangemap *map)
{
    struct rangemap_statistics statistics;

    REQUIRE_EQ(rangemap_stats(map, &statistics), 0);
    return statistics;
}

/* Of 4,096 ranges one in `kept` stays, whichever way the others go: neighbours merge on both sides. */
static void check_merged(unsigned kept, bool downwards)
{
    enum { RANGES = 4096 };
    struct rangemap *map = NULL;
    struct rangemap_statistics now_left;

    REQUIRE_EQ(rangemap_create(NULL, &map), 0);
    for (uint64_t i = 0; i < RANGES; i++) {
        REQUIRE_EQ(rangemap_insert(map, i * 10, i * 10 + 5, NULL, NULL), 0);
    }
    for (uint64_t i = 0; i < RANGES; i++) {
        uint64_t at = downwards ? RANGES - 1 - i : i;

        if (at % kept != 0) {
            REQUIRE_EQ(rangemap_erase(map, at * 10, NULL), 0);
        }
    }
    now_left = stats_of(map);
    printf("one in %u left, %s: %u leaves, %u inner nodes for %u ranges\n", kept,
           downwards ? "downwards" : "upwards", (unsigned)now_left.leaves, (unsigned)now_left.inner_nodes,
           (unsigned)now_left.ranges);
    CHECK_EQ(now_left.ranges, (RANGES + kept - 1) / kept);
    CHECK_LE(now_left.leaves, now_left.ranges / 4 + 1, "one in %u left", kept);
    CHECK_LE(now_left.inner_nodes, now_left.leaves / 4 + 2, "one in %u left", kept);
    CHECK_EQ(rangemap_destroy(map), 0);
}

TEST_CASE(nodes, merge_whichever_way_ranges_go)
{
    for (unsigned downwards = 0; downwards < 2; downwards++) {
        check_merged(16, downwards != 0);
        check_merged(64, downwards != 0);
        check_merged(1000, downwards != 0);
    }
}

/* ---- one by one ---- */

enum { WIDTH = 6, LEAVES = 5 };

static int drop(const struct rangemap_entry *part, const struct rangemap_entry *whole, void **value,
                void *context)
{
    (void)part, (void)whole, (void)value, (void)context;
    return RANGEMAP_DROP;
}

/* The range at `key`, in each way that there is. */
static int erase(struct rangemap *map, uint64_t key, unsigned way)
{
    switch (way) {
    case 0:
        return rangemap_erase(map, key, NULL);
    case 1:
        return rangemap_carve(map, key, key + WIDTH - 1, NULL, NULL);
    case 2:
        return rangemap_update(map, key, key + WIDTH - 1, drop, NULL, NULL);
    default:
        return rangemap_evict(map, key, key + WIDTH - 1, NULL, NULL);
    }
}

static struct rangemap *row_of(unsigned ranges, bool tracks_gaps)
{
    const struct rangemap_options options = {.track_gaps = tracks_gaps};
    struct rangemap *map = NULL;

    REQUIRE_EQ(rangemap_create(&options, &map), 0);
    for (uint64_t i = 0; i < ranges; i++) {
        REQUIRE_EQ(rangemap_insert(map, i * 10, i * 10 + WIDTH - 1, NULL, NULL), 0);
    }
    return map;
}

/* All neighbours are full, so none is taken in before the last range has gone; then one is, on whichever side. */
static void check_emptied(unsigned leaf, unsigned way, bool tracks_gaps)
{
    struct rangemap *map = row_of(LEAVES * RM_LEAF_MAX, tracks_gaps);

    REQUIRE_EQ(stats_of(map).leaves, (uint64_t)LEAVES);
    for (unsigned i = 0; i < RM_LEAF_MAX; i++) {
        REQUIRE_EQ(stats_of(map).leaves, (uint64_t)LEAVES);
        REQUIRE_GE(erase(map, (leaf * RM_LEAF_MAX + i) * 10, way), 0);
    }
    CHECK_EQ(stats_of(map).leaves, LEAVES - 1u, "leaf %u, way %u, gaps %d", leaf, way, tracks_gaps);
    CHECK_EQ(rangemap_destroy(map), 0);
}

TEST_CASE(nodes, a_leaf_that_empties_beside_full_ones_goes)
{
    for (unsigned way = 0; way < 4; way++) {
        for (unsigned leaf = 0; leaf < LEAVES; leaf++) {
            check_emptied(leaf, way, false);
        }
        check_emptied(0, way, true); /* of others the leaf before takes part in it */
    }
}

static bool look_at_root(void *state, const struct rm_place *place)
{
    unsigned *children = state;

    *children = rm_meta_level(place->meta) > 0 ? rm_meta_count(place->meta) : 2;
    return false;
}

/* As high as it must be: what the root has is more than one child, or it is a leaf. */
static void require_root(const struct rangemap *map, uint64_t left)
{
    unsigned children = 0;

    (void)rm_inspect(map, look_at_root, &children);
    REQUIRE_GE(children, 2u, "%u ranges are left", (unsigned)left);
}

static void check_roots(uint64_t seed, unsigned way, bool tracks_gaps)
{
    enum { RANGES = 300 };
    struct prng random = prng_stream(test_seed(), seed);
    struct rangemap *map = row_of(RANGES, tracks_gaps);
    uint64_t left[RANGES];

    for (unsigned i = 0; i < RANGES; i++) {
        left[i] = i * 10;
    }
    for (unsigned count = RANGES; count > 0; count--) {
        uint64_t *gone = &left[prng_below(&random, count)];

        require_root(map, count);
        REQUIRE_GE(erase(map, *gone, way), 0);
        *gone = left[count - 1];
    }
    require_root(map, 0);
    CHECK_EQ(stats_of(map).leaves, 1u);
    CHECK_EQ(stats_of(map).inner_nodes, 0u);
    CHECK_EQ(rangemap_destroy(map), 0);
}

TEST_CASE(nodes, no_root_has_a_single_child)
{
    for (unsigned i = 0; i < 16; i++) {
        check_roots(i, i % 4, i % 8 < 4);
    }
}
