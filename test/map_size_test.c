// SPDX-License-Identifier: BSD-2-Clause
/* What a map costs: bytes for each range, after building it in different orders, and after shrinking it. */
#include <inttypes.h>
#include <stdlib.h>

#include "rangemap/rangemap.h"
#include "test/check/compare.h"
#include "test/shim/ctest.h"
#include "test/shim/prng.h"

static void *word(uint64_t number)
{
    return (void *)(uintptr_t)number;
}

static struct rangemap *new_map(void)
{
    struct rangemap *map = NULL;

    REQUIRE_EQ(rangemap_create(NULL, &map), 0);
    return map;
}

static struct rangemap_statistics stats_of(const struct rangemap *map)
{
    struct rangemap_statistics statistics;

    REQUIRE_EQ(rangemap_stats(map, &statistics), 0);
    return statistics;
}

/* At most `most` bytes to a range. */
static void require_bytes(const struct rangemap *map, uint64_t ranges, unsigned most, const char *what)
{
    struct rangemap_statistics statistics = stats_of(map);

    printf("%-24s %8" PRIu64 " ranges, %.1f bytes each, height %u\n", what, statistics.ranges,
           (double)statistics.bytes / (double)statistics.ranges, statistics.height);
    REQUIRE_EQ(statistics.ranges, ranges, "%s", what);
    REQUIRE_LE(statistics.bytes, ranges * most, "%s", what);
    require_valid(map, what);
}

enum order { ASCENDING, DESCENDING, RANDOM };

/* A permutation of 0..count-1, for a power of two `count`. */
static uint64_t nth(enum order order, uint64_t i, uint64_t count)
{
    switch (order) {
    case ASCENDING:
        return i;
    case DESCENDING:
        return count - 1 - i;
    case RANDOM:
        break;
    }
    /* Odd multipliers and xor-shifts permute the residues of a power of two. */
    i = (i * UINT64_C(0x9e3779b97f4a7c15) + test_seed()) & (count - 1);
    i = (i ^ i >> 7) * UINT64_C(0xbf58476d1ce4e5b9) & (count - 1);
    return (i ^ i >> 9) * UINT64_C(0x94d049bb133111eb) & (count - 1);
}

static void insert_all(struct rangemap *map, enum order order, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        uint64_t at = nth(order, i, count);

        REQUIRE_EQ(rangemap_insert(map, at * 16, at * 16 + 9, word(at), NULL), 0, "%" PRIu64, at);
    }
}

static void erase_all(struct rangemap *map, enum order order, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        uint64_t at = nth(order, i, count);

        REQUIRE_EQ(rangemap_erase(map, at * 16 + 4, NULL), 0, "%" PRIu64, at);
    }
}

TEST_CASE(map_size, a_million_random_inserts)
{
    uint64_t count = UINT64_C(1) << 20;
    struct rangemap *map = new_map();

    insert_all(map, RANDOM, count);
    require_bytes(map, count, 40, "random inserts");
    CHECK_EQ(rangemap_destroy(map), 0);
}

TEST_CASE(map_size, bulk_load)
{
    uint64_t count = 1000000;
    struct rangemap *map = new_map();
    struct rangemap_entry *entry = calloc(count, sizeof *entry);

    REQUIRE_NE(entry, NULL);
    for (uint64_t i = 0; i < count; i++) {
        entry[i] = (struct rangemap_entry){i * 16, i * 16 + 9, word(i)};
    }
    REQUIRE_EQ(rangemap_load(map, entry, count, NULL), 0);
    require_bytes(map, count, 30, "bulk load");
    for (uint64_t i = 0; i < count; i += 7) {
        void *value = NULL;

        REQUIRE_EQ(rangemap_lookup(map, i * 16 + 9, &value), 0);
        REQUIRE_EQ(value, word(i));
    }
    free(entry);
    CHECK_EQ(rangemap_destroy(map), 0);
}

/* The usual trap: a b-tree that splits in halves stays half full under sorted inserts. */
TEST_CASE(map_size, sorted_inserts)
{
    for (enum order order = ASCENDING; order <= DESCENDING; order++) {
        uint64_t count = UINT64_C(1) << 17;
        struct rangemap *map = new_map();

        insert_all(map, order, count);
        require_bytes(map, count, 60, order == ASCENDING ? "ascending inserts" : "descending inserts");
        CHECK_EQ(rangemap_destroy(map), 0);
    }
}

/* Sizes of loads around each node boundary. */
TEST_CASE(map_size, every_small_load)
{
    static struct rangemap_entry entry[1200];

    for (uint64_t i = 0; i < 1200; i++) {
        entry[i] = (struct rangemap_entry){i * 3, i * 3 + 1, word(i)};
    }
    for (size_t count = 0; count < 1200; count += count < 300 ? 1 : 7) {
        struct rangemap *map = new_map();
        struct entry_list wanted = {entry, count, count};

        REQUIRE_EQ(rangemap_load(map, entry, count, NULL), 0);
        require_same_map(map, &wanted, "after a load");
        REQUIRE_EQ(rangemap_insert(map, 3 * count, 3 * count, NULL, NULL), 0);
        REQUIRE_EQ(rangemap_erase(map, 3 * count, NULL), 0);
        require_same_map(map, &wanted, "after an insert and an erase");
        CHECK_EQ(rangemap_destroy(map), 0);
    }
}

/* Grow, shrink and grow again in every pair of orders: the bytes go down with the ranges. */
TEST_CASE(map_size, shrink_and_regrow)
{
    uint64_t count = UINT64_C(1) << 15;
    struct rangemap *map = new_map();
    uint64_t empty = stats_of(map).bytes;

    for (unsigned i = 0; i < 9; i++) {
        insert_all(map, (enum order)(i / 3), count);
        require_bytes(map, count, 60, "grown");
        erase_all(map, (enum order)(i % 3), count);
        CHECK_EQ(stats_of(map).ranges, 0u);
        CHECK_LE(stats_of(map).bytes, empty + 4096, "orders %u", i);
        require_valid(map, "shrunk");
    }
    CHECK_EQ(rangemap_destroy(map), 0);
}

/* One range in 64 stays: nodes must be merged, or each of them would keep a leaf of its own. */
TEST_CASE(map_size, sparse_rest)
{
    uint64_t count = UINT64_C(1) << 16;
    struct rangemap *map = new_map();

    insert_all(map, RANDOM, count);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t at = nth(RANDOM, i, count);

        if (at % 64) {
            REQUIRE_EQ(rangemap_erase(map, at * 16, NULL), 0);
        }
    }
    require_bytes(map, count / 64, 200, "one in 64 left");
    CHECK_EQ(rangemap_destroy(map), 0);
}

/* Narrow carves cut one range into many; coalescing puts it together and gives the memory back. */
TEST_CASE(map_size, coalesce_gives_back)
{
    enum { COUNT = 20000 };
    struct rangemap *map = new_map();
    uint64_t joined = 0;

    for (uint64_t i = 0; i < COUNT; i++) {
        REQUIRE_EQ(rangemap_insert(map, i * 8, i * 8 + 7, word(1), NULL), 0);
    }
    REQUIRE_EQ(rangemap_coalesce(map, 0, UINT64_MAX, NULL, NULL, &joined), 0);
    CHECK_EQ(joined, COUNT - 1u);
    CHECK_EQ(stats_of(map).ranges, 1u);
    CHECK_LE(stats_of(map).bytes, 4096u);
    CHECK_EQ(rangemap_is_covered(map, 0, COUNT * 8 - 1), 1);
    CHECK_EQ(rangemap_destroy(map), 0);
}
