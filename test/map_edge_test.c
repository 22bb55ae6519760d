// SPDX-License-Identifier: BSD-2-Clause
/*
 * The ends of the key space, odd values, separators that erased ranges left behind, and updates over many
 * ranges at once.
 */
#include <errno.h>
#include <inttypes.h>

#include "rangemap/rangemap.h"
#include "test/check/compare.h"
#include "test/oracle/oracle.h"
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

/* Inserts [i * stride, i * stride + length - 1] with value i, for i below `count`. */
static void insert_row(struct rangemap *map, uint64_t count, uint64_t stride, uint64_t length)
{
    for (uint64_t i = 0; i < count; i++) {
        REQUIRE_EQ(rangemap_insert(map, i * stride, i * stride + length - 1, word(i), NULL), 0);
    }
}

TEST_CASE(map_edge, full_domain)
{
    struct rangemap *map = new_map();
    struct rangemap_entry entry = {0};

    REQUIRE_EQ(rangemap_insert(map, 0, UINT64_MAX, word(1), NULL), 0);
    CHECK_EQ(rangemap_is_covered(map, 0, UINT64_MAX), 1);
    CHECK_EQ(rangemap_is_free(map, 0, UINT64_MAX), 0);
    CHECK_EQ(rangemap_insert(map, 0, UINT64_MAX, word(2), &entry), -EEXIST);
    CHECK_EQ(entry.start, 0u);
    CHECK_EQ(entry.last, UINT64_MAX);
    CHECK_EQ(rangemap_next(map, 0, &entry), -ENOENT);
    CHECK_EQ(rangemap_previous(map, UINT64_MAX, &entry), -ENOENT);
    CHECK_EQ(rangemap_store(map, 77, 77, word(3), NULL, NULL), 0);
    CHECK_EQ(rangemap_find(map, UINT64_MAX, &entry), 0);
    CHECK_EQ(entry.start, 78u);
    CHECK_EQ(rangemap_previous(map, 77, &entry), 0);
    CHECK_EQ(entry.last, 76u);
    CHECK_EQ(rangemap_store(map, 0, UINT64_MAX, word(4), NULL, NULL), 0);
    CHECK_EQ(rangemap_erase(map, 5, &entry), 0);
    CHECK_EQ(entry.last, UINT64_MAX);
    CHECK_EQ(rangemap_is_free(map, 0, UINT64_MAX), 1);
    CHECK_EQ(rangemap_destroy(map), 0);
}

TEST_CASE(map_edge, lowest_and_highest_key)
{
    struct rangemap *map = new_map();
    struct rangemap_entry entry;
    void *value = word(9);

    REQUIRE_EQ(rangemap_insert(map, 0, 0, word(1), NULL), 0);
    REQUIRE_EQ(rangemap_insert(map, UINT64_MAX, UINT64_MAX, word(2), NULL), 0);
    CHECK_EQ(rangemap_lookup(map, 0, &value), 0);
    CHECK_EQ(value, word(1));
    CHECK_EQ(rangemap_lookup(map, UINT64_MAX, &value), 0);
    CHECK_EQ(value, word(2));
    CHECK_EQ(rangemap_lookup(map, 1, &value), -ENOENT);
    CHECK_EQ(rangemap_lookup(map, UINT64_MAX - 1, &value), -ENOENT);
    CHECK_EQ(rangemap_next(map, 0, &entry), 0);
    CHECK_EQ(entry.start, UINT64_MAX);
    CHECK_EQ(rangemap_previous(map, UINT64_MAX, &entry), 0);
    CHECK_EQ(entry.last, 0u);
    CHECK_EQ(rangemap_next(map, UINT64_MAX, &entry), -ENOENT);
    CHECK_EQ(rangemap_previous(map, 0, &entry), -ENOENT);
    CHECK_EQ(rangemap_carve(map, 0, 0, NULL, NULL), 0);
    CHECK_EQ(rangemap_carve(map, UINT64_MAX, UINT64_MAX, NULL, NULL), 0);
    CHECK_EQ(rangemap_first(map, &entry), -ENOENT);
    CHECK_EQ(rangemap_destroy(map), 0);
}

/* NULL and words with any bit set are values, not marks. */
TEST_CASE(map_edge, any_word_is_a_value)
{
    static const uint64_t words[] = {0, 1, 2, 3, UINT64_MAX, UINT64_MAX - 1, UINT64_C(1) << 63};
    struct rangemap *map = new_map();
    struct rangemap_entry entry;

    for (uint64_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        REQUIRE_EQ(rangemap_insert(map, i, i, word(words[i]), NULL), 0);
    }
    for (uint64_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        void *value = word(12345);
        bool hit = false;

        CHECK_EQ(rangemap_lookup(map, i, &value), 0);
        CHECK_EQ(value, word(words[i]));
        CHECK_EQ(rangemap_lookup_batch(map, &i, 1, &value, &hit), 1);
        CHECK(hit && value == word(words[i]));
        CHECK_EQ(rangemap_replace(map, i, i, word(words[i]), NULL, NULL), 0);
        CHECK_EQ(rangemap_erase(map, i, &entry), 0);
        CHECK_EQ(entry.value, NULL);
    }
    CHECK_EQ(rangemap_destroy(map), 0);
}

/*
 * The fault of libgcc's b-tree (PR 119151): separators that erased ranges left behind must not cut a range that
 * is inserted across them later.
 */
static void insert_across(uint64_t count, uint64_t from, uint64_t width, bool by_store)
{
    enum { STRIDE = 4 };
    struct rangemap *map = new_map();
    uint64_t first = from * STRIDE + 1;
    uint64_t last = (from + width) * STRIDE - 2;

    insert_row(map, count, STRIDE, 2);
    for (uint64_t i = from; i < from + width; i++) {
        REQUIRE_EQ(rangemap_erase(map, i * STRIDE, NULL), 0);
    }
    REQUIRE_EQ(by_store ? rangemap_store(map, first, last, word(UINT64_MAX), NULL, NULL)
                        : rangemap_insert(map, first, last, word(UINT64_MAX), NULL),
               0);
    for (uint64_t key = 0; key < count * STRIDE; key++) {
        bool across = key >= first && key <= last;
        bool erased = key / STRIDE >= from && key / STRIDE < from + width;
        bool held = across || (!erased && key % STRIDE < 2);
        struct rangemap_entry entry;

        REQUIRE_EQ(rangemap_find(map, key, &entry), held ? 0 : -ENOENT, "key %" PRIu64, key);
        REQUIRE(!across || (entry.start == first && entry.last == last), "key %" PRIu64, key);
        REQUIRE(!held || across || entry.value == word(key / STRIDE), "key %" PRIu64, key);
    }
    require_valid(map, "inserted across");
    CHECK_EQ(rangemap_destroy(map), 0);
}

TEST_CASE(map_edge, range_across_old_separators)
{
    for (uint64_t from = 0; from < 70; from++) {
        for (uint64_t width = 1; width < 40; width += 3) {
            insert_across(120, from, width, width % 2);
        }
    }
    insert_across(20000, 3, 19990, false);
    insert_across(20000, 7000, 9000, false);
    insert_across(20000, 7000, 9000, true);
}

static void count_displaced(const struct rangemap_entry *entry, void *context)
{
    uint64_t *expected = context;

    REQUIRE_EQ(entry->value, word(*expected));
    ++*expected;
}

TEST_CASE(map_edge, store_over_thousands)
{
    enum { COUNT = 30000, STRIDE = 10 };
    struct rangemap *map = new_map();
    struct rangemap_entry entry;
    uint64_t next = 5;

    insert_row(map, COUNT, STRIDE, 6);
    REQUIRE_EQ(rangemap_store(map, 5 * STRIDE + 3, (COUNT - 5) * STRIDE + 3, word(1), count_displaced, &next),
               0);
    CHECK_EQ(next, (uint64_t)COUNT - 4);
    CHECK_EQ(rangemap_find(map, 5 * STRIDE, &entry), 0);
    CHECK_EQ(entry.last, 5u * STRIDE + 2);
    CHECK_EQ(rangemap_next(map, 5 * STRIDE, &entry), 0);
    CHECK_EQ(entry.start, 5u * STRIDE + 3);
    CHECK_EQ(entry.last, (COUNT - 5u) * STRIDE + 3);
    CHECK_EQ(rangemap_next(map, entry.last, &entry), 0);
    CHECK_EQ(entry.start, (COUNT - 5u) * STRIDE + 4);
    CHECK_EQ(entry.value, word(COUNT - 5));
    require_valid(map, "after a wide store");
    CHECK_EQ(rangemap_destroy(map), 0);
}

TEST_CASE(map_edge, carve_everything)
{
    enum { COUNT = 30000 };
    struct rangemap *map = new_map();
    struct rangemap_statistics empty, statistics;
    uint64_t next = 0;

    REQUIRE_EQ(rangemap_stats(map, &empty), 0);
    for (unsigned round = 0; round < 3; round++) {
        next = 0;
        insert_row(map, COUNT, 10, 6);
        REQUIRE_EQ(rangemap_carve(map, 0, UINT64_MAX, count_displaced, &next), 0);
        CHECK_EQ(next, (uint64_t)COUNT);
        REQUIRE_EQ(rangemap_stats(map, &statistics), 0);
        CHECK_EQ(statistics.ranges, 0u);
        CHECK_LE(statistics.bytes, empty.bytes, "an empty map costs what it did when new");
        CHECK_EQ(statistics.height, empty.height);
        require_valid(map, "after carving everything");
    }
    CHECK_EQ(rangemap_destroy(map), 0);
}

/* Every cut of one range in a full node and in a tree: both sides, the value, and the neighbours. */
TEST_CASE(map_edge, every_cut)
{
    enum { COUNT = 200, WIDTH = 8 };
    struct oracle oracle;

    oracle_init(&oracle, NULL, NULL);
    for (uint64_t i = 0; i < COUNT; i++) {
        oracle_store(&oracle, i * WIDTH, i * WIDTH + WIDTH - 1, word(i), NULL);
    }
    for (uint64_t i = 0; i < COUNT; i++) {
        struct rangemap *map = new_map();
        uint64_t start = i * WIDTH + i % 3;
        uint64_t last = i * WIDTH + 3 + i % 5;

        insert_row(map, COUNT, WIDTH, WIDTH);
        REQUIRE_EQ(i % 2 ? rangemap_carve(map, start, last, NULL, NULL)
                         : rangemap_store(map, start, last, word(COUNT), NULL, NULL),
                   0);
        struct oracle cut = {0};
        oracle_copy(&cut, &oracle);
        if (i % 2) {
            oracle_carve(&cut, start, last, NULL);
        } else {
            oracle_store(&cut, start, last, word(COUNT), NULL);
        }
        require_same_map(map, &cut.list, "after a cut");
        oracle_free(&cut);
        CHECK_EQ(rangemap_destroy(map), 0);
    }
    oracle_free(&oracle);
}

/* A range that sticks out of the window at its lower end both starts below that key and ends above it. */
TEST_CASE(map_edge, seek_to_the_lower_end)
{
    struct rangemap *map = new_map();
    struct rangemap_cursor cursor;
    struct rangemap_entry entry = {0};

    REQUIRE_EQ(rangemap_insert(map, 5, 25, word(1), NULL), 0);
    REQUIRE_EQ(rangemap_cursor_init(&cursor, map, 15, 99), 0);
    CHECK_EQ(rangemap_cursor_seek(&cursor, 15), 0);
    CHECK_EQ(rangemap_cursor_previous(&cursor, &entry), 0);
    CHECK_EQ(entry.start, 5u);
    CHECK_EQ(rangemap_cursor_previous(&cursor, &entry), -ENOENT);
    CHECK_EQ(rangemap_cursor_seek(&cursor, 15), 0);
    CHECK_EQ(rangemap_cursor_next(&cursor, &entry), 0);
    CHECK_EQ(entry.start, 5u);
    CHECK_EQ(rangemap_destroy(map), 0);
}

/* The least window, the exact fit, alignments at the top of the key space where sums overflow. */
TEST_CASE(map_edge, gaps_at_the_ends)
{
    struct rangemap *map = new_map();
    struct rangemap_gap_request all = {.length = UINT64_MAX, .low = 0, .high = UINT64_MAX, .from_top = true};
    struct rangemap_gap_request high = {.length = 1, .alignment = UINT64_C(1) << 63, .high = UINT64_MAX};
    struct rangemap_gap_request one = {.length = 1, .low = UINT64_MAX, .high = UINT64_MAX};
    uint64_t start = 7;

    CHECK_EQ(rangemap_gap_find(map, &all, &start), 0);
    CHECK_EQ(start, 1u);
    CHECK_EQ(rangemap_gap_allocate(map, &one, word(1), &start), 0);
    CHECK_EQ(start, UINT64_MAX);
    CHECK_EQ(rangemap_gap_allocate(map, &one, word(1), &start), -ENOSPC);
    CHECK_EQ(rangemap_gap_allocate(map, &all, word(1), &start), 0);
    CHECK_EQ(start, 0u);
    CHECK_EQ(rangemap_is_covered(map, 0, UINT64_MAX), 1);
    CHECK_EQ(rangemap_gap_find(map, &high, &start), -ENOSPC);
    CHECK_EQ(rangemap_carve(map, 1, UINT64_MAX, NULL, NULL), 0);
    CHECK_EQ(rangemap_gap_find(map, &high, &start), 0);
    CHECK_EQ(start, UINT64_C(1) << 63);
    high.low = (UINT64_C(1) << 63) + 1;
    CHECK_EQ(rangemap_gap_find(map, &high, &start), -ENOSPC);
    CHECK_EQ(rangemap_destroy(map), 0);
}
