// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is set aside for an update is what it can take at most, piece by piece, whatever the height of the map, the
 * gaps it tracks and how many updates are meant: neither less, which would break the promise of rangemap_reserve(), nor
 * more, which nobody would notice but who pays for it.
 */
#include "rangemap/epoch/retire.h"
#include "rangemap/rangemap.h"
#include "rangemap/tree/gaps.h"
#include "rangemap/tree/update.h"
#include "test/shim/ctest.h"

/* What one update can take, in cache lines. */
struct most {
    uint64_t leaves, inner_nodes, bags;
};

/* The route may have become two levels higher when its turn comes. */
static struct most most_of(uint64_t height, bool gaps)
{
    struct most most = {0};
    uint64_t staged = 3 * RM_LEAF_ROOM; /* the values of the leaves that it opens */

    for (uint64_t level = 0; level < height + 1 + 2; level++) {
        most.inner_nodes += 4 * (uint64_t)RM_INNER_LINES;
        for (unsigned spine = 0; spine < 2; spine++) {
            staged += RM_INNER_ROOM; /* its children, */
            staged++;                /* itself, */
            staged++;                /* and a neighbour */
        }
    }
    for (unsigned leaf = 0; leaf < 4; leaf++) {
        most.leaves += RM_LINES_MAX;
    }
    for (unsigned node = 0; gaps && node < RM_LOOSE_MAX; node++) {
        most.inner_nodes += RM_INNER_LINES;
        staged++;
    }
    /* One is begun, and one is not quite full when it is closed. */
    most.bags = RM_BAG_LINES * (staged / RM_BAG_ENTRIES + 2);
    return most;
}

/* Attempts that fail leave one of each size in the magazines as often as one of them takes it. */
static uint64_t bytes_of(uint64_t height, bool gaps, unsigned updates)
{
    static const unsigned leaf_lines[] = {2, 3, 5, 6};
    struct most most = most_of(height, gaps);
    uint64_t lines = most.inner_nodes + most.bags;

    for (unsigned i = 0; i < sizeof leaf_lines / sizeof *leaf_lines; i++) {
        lines += 4 * (uint64_t)leaf_lines[i];
    }
    for (unsigned i = 0; i < updates; i++) {
        lines += most.leaves + most.inner_nodes + most.bags;
    }
    return lines * RM_CACHE_LINE;
}

static uint64_t height_of(const struct rangemap *map)
{
    struct rangemap_statistics statistics;

    REQUIRE_EQ(rangemap_stats(map, &statistics), 0);
    return statistics.height;
}

/* Each height up to 3. */
static void check_heights(bool gaps)
{
    const struct rangemap_options options = {.track_gaps = gaps};
    struct rangemap *map;
    uint64_t seen = 0;

    REQUIRE_EQ(rangemap_create(&options, &map), 0);
    for (uint64_t key = 0; seen < 4; key++) {
        uint64_t height = height_of(map);

        if (height == seen) {
            for (unsigned updates = 0; updates < 4; updates++) {
                CHECK_EQ(rm_update_bytes_max(map, updates), bytes_of(height, gaps, updates),
                         "height %u, %u updates", (unsigned)height, updates);
            }
            seen++;
        }
        REQUIRE_EQ(rangemap_insert(map, key, key, NULL, NULL), 0);
    }
    CHECK_EQ(rangemap_destroy(map), 0);
}

TEST_CASE(memory_update_bytes, each_piece_at_each_height)
{
    check_heights(false);
    check_heights(true);
}
