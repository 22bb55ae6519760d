// SPDX-License-Identifier: BSD-2-Clause
/* How many nodes a map has for its ranges, whichever way others went: what is not merged is right, and slower. */
#include <stdio.h>

#include "rangemap/rangemap.h"
#include "test/shim/ctest.h"

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
