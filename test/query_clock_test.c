// SPDX-License-Identifier: BSD-2-Clause
/* Queries that up to four leaves settle leave the clock of their map alone, whichever way they go; others move it. */
#include <limits.h>
#include <stdio.h>

#include "rangemap/map/enter.h"
#include "rangemap/rangemap.h"
#include "test/shim/ctest.h"

enum { RANGES = 2000, STEP = 10 };

/* Ranges of a whole step each, without gaps between them. */
static struct rangemap *row(void)
{
    static struct rangemap_entry entries[RANGES];
    struct rangemap *map = NULL;

    for (uint64_t i = 0; i < RANGES; i++) {
        entries[i] = (struct rangemap_entry){STEP * i, STEP * i + STEP - 1, NULL};
    }
    REQUIRE_EQ(rangemap_create(NULL, &map), 0);
    REQUIRE_EQ(rangemap_load(map, entries, RANGES, NULL), 0);
    return map;
}

static uint64_t clock_of(const struct rangemap *map)
{
    return rm_load_relaxed(&map->clock);
}

/* From each range to the next one, over each boundary of leaves, and from keys inside. */
TEST_CASE(query_clock, neighbours)
{
    struct rangemap *map = row();
    const uint64_t before = clock_of(map);
    struct rangemap_entry entry;

    for (uint64_t key = 0; key + STEP < (uint64_t)RANGES * STEP; key++) {
        REQUIRE_EQ(rangemap_next(map, key, &entry), 0);
        REQUIRE_EQ(entry.start, key / STEP * STEP + STEP);
        REQUIRE_EQ(clock_of(map), before, "next of %u", (unsigned)key);
    }
    for (uint64_t key = STEP; key < (uint64_t)RANGES * STEP; key++) {
        REQUIRE_EQ(rangemap_previous(map, key, &entry), 0);
        REQUIRE_EQ(entry.last, key / STEP * STEP - 1);
        REQUIRE_EQ(clock_of(map), before, "previous of %u", (unsigned)key);
    }
    CHECK_EQ(rangemap_first(map, &entry), 0);
    CHECK_EQ(rangemap_last(map, &entry), 0);
    CHECK_EQ(clock_of(map), before);
    CHECK_EQ(rangemap_destroy(map), 0);
}

/* How many ranges from the start are held together for the price of no clock, counted. */
static unsigned covered_in_turn(struct rangemap *map, uint64_t first)
{
    unsigned ranges = 1;

    for (;; ranges++) {
        uint64_t before = clock_of(map);

        REQUIRE_EQ(rangemap_is_covered(map, STEP * first, STEP * (first + ranges) - 1), 1);
        if (clock_of(map) != before) {
            return ranges - 1;
        }
        REQUIRE_LT(ranges, 1000u);
    }
}

/* Four leaves of a loaded row, the first of them in part; five move the clock. */
TEST_CASE(query_clock, covered)
{
    struct rangemap *map = row();
    unsigned most = 0, least = UINT_MAX;

    for (uint64_t first = 200; first < 300; first++) {
        unsigned ranges = covered_in_turn(map, first);

        most = ranges > most ? ranges : most;
        least = ranges < least ? ranges : least;
    }
    printf("%u to %u ranges\n", least, most);
    CHECK_EQ(most % 4, 0u, "four whole leaves at best");
    CHECK_GT(least, most / 4 * 3 - 3,
             "the last range of a leaf, and three more leaves, one range short or not");
    CHECK_EQ(rangemap_destroy(map), 0);
}
