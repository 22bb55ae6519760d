// SPDX-License-Identifier: BSD-2-Clause
/*
 * Every error of every function of a map, and that a call which fails writes no output and changes nothing. Those of
 * windows are in map_error_window_test.c, those of the domains in domain_error_test.c.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "test/map_error.h"

static void *same_value(const struct rangemap_entry *whole, uint64_t start, uint64_t last, void *context)
{
    (void)start;
    (void)last;
    (void)context;
    return whole->value;
}

TEST_CASE(map_error, create_and_destroy)
{
    struct rangemap_options options = {.split = same_value};

    CHECK_EQ(rangemap_create(NULL, NULL), -EINVAL);
    CHECK_EQ(rangemap_create(&options, NULL), -EINVAL);
    CHECK_EQ(rangemap_destroy(NULL), 0);
    CHECK_EQ(rangemap_domain_of(NULL), NULL);
}

TEST_CASE(map_error, lookups)
{
    struct rangemap *map = two_ranges();
    struct rangemap_entry entry = untouched;
    void *value = word(99);

    CHECK_EQ(rangemap_lookup(NULL, 1, &value), -EINVAL);
    CHECK_EQ(rangemap_lookup(map, 20, &value), -ENOENT);
    CHECK_EQ(rangemap_find(NULL, 1, &entry), -EINVAL);
    CHECK_EQ(rangemap_find(map, 10, NULL), -EINVAL);
    CHECK_EQ(rangemap_find(map, 9, &entry), -ENOENT);
    CHECK_EQ(rangemap_read_begin(NULL), -EINVAL);
    REQUIRE_EQ(rangemap_read_begin(map), 0);
    CHECK_EQ(rangemap_lookup_held(map, 20, &value), -ENOENT);
    CHECK_EQ(rangemap_find_held(map, 29, &entry), -ENOENT);
    rangemap_read_end(map);
    CHECK_EQ(value, word(99));
    CHECK(is_untouched(&entry));
    finish(map);
}

TEST_CASE(map_error, batches)
{
    struct rangemap *map = two_ranges();
    struct rangemap_entry entry[2] = {untouched, untouched};
    uint64_t key[2] = {5, 15};
    void *value[2] = {word(98), word(99)};
    bool hit[2] = {true, true};

    CHECK_EQ(rangemap_lookup_batch(NULL, key, 2, value, hit), -EINVAL);
    for (size_t count = 1; count < 40; count++) {
        CHECK_EQ(rangemap_lookup_batch(map, NULL, count, NULL, NULL), -EINVAL, "%zu keys", count);
        CHECK_EQ(rangemap_find_batch(map, NULL, count, NULL, NULL), -EINVAL, "%zu keys", count);
    }
    CHECK_EQ(rangemap_lookup_batch(map, NULL, 2, value, hit), -EINVAL);
    CHECK_EQ(rangemap_lookup_batch(map, key, (size_t)INT_MAX + 1, value, hit), -EINVAL);
    CHECK_EQ(rangemap_find_batch(NULL, key, 2, entry, hit), -EINVAL);
    CHECK_EQ(rangemap_find_batch(map, NULL, 2, entry, hit), -EINVAL);
    CHECK_EQ(rangemap_find_batch(map, key, (size_t)INT_MAX + 1, entry, hit), -EINVAL);
    CHECK(value[0] == word(98) && value[1] == word(99) && hit[0] && hit[1]);
    CHECK(is_untouched(&entry[0]) && is_untouched(&entry[1]));
    CHECK_EQ(rangemap_lookup_batch(map, key, 2, NULL, hit), 1);
    CHECK(!hit[0] && hit[1]);
    CHECK_EQ(rangemap_lookup_batch(map, key, 2, value, NULL), 1);
    CHECK(value[0] == NULL && value[1] == word(1));
    CHECK_EQ(rangemap_find_batch(map, key, 2, NULL, NULL), 1);
    CHECK_EQ(rangemap_find_batch(map, key, 2, entry, NULL), 1);
    CHECK(entry[0].start == 0 && entry[0].last == 0 && entry[0].value == NULL && entry[1].start == 10);
    CHECK_EQ(rangemap_lookup_batch(map, key, 0, NULL, NULL), 0);
    CHECK_EQ(rangemap_lookup_batch(map, NULL, 0, NULL, NULL), 0);
    CHECK_EQ(rangemap_find_batch(map, NULL, 0, NULL, NULL), 0);
    CHECK_EQ(rangemap_find_batch(map, key, 0, NULL, NULL), 0);
    finish(map);
}

/*
 * Every number of keys round the groups that go down together: each answer is its key's, and nothing else is written.
 */
TEST_CASE(map_error, batches_of_every_size)
{
    enum { MOST = 70 };
    struct rangemap *map = two_ranges();
    struct rangemap_entry entry[MOST + 1];
    bool hit[MOST + 1], found[MOST + 1];
    void *value[MOST + 1];
    uint64_t key[MOST];

    for (unsigned i = 0; i < MOST; i++) {
        key[i] = i % 35;
    }
    for (unsigned count = 0; count <= MOST; count++) {
        int hits = 0;

        for (unsigned i = 0; i <= MOST; i++) {
            value[i] = word(99);
            entry[i] = untouched;
            hit[i] = found[i] = i % 2 == 0;
        }
        for (unsigned i = 0; i < count; i++) {
            hits += rangemap_lookup(map, key[i], NULL) == 0;
        }
        REQUIRE_EQ(rangemap_lookup_batch(map, key, count, value, hit), hits);
        REQUIRE_EQ(rangemap_find_batch(map, key, count, entry, found), hits);
        for (unsigned i = 0; i < count; i++) {
            void *wanted = NULL;
            bool is_hit = rangemap_lookup(map, key[i], &wanted) == 0;

            REQUIRE(hit[i] == is_hit && found[i] == is_hit && value[i] == wanted && entry[i].value == wanted);
            REQUIRE(!is_hit || (entry[i].start <= key[i] && entry[i].last >= key[i]));
        }
        REQUIRE(value[count] == word(99) && is_untouched(&entry[count]) && hit[count] == (count % 2 == 0) &&
                found[count] == (count % 2 == 0));
    }
    finish(map);
}

TEST_CASE(map_error, queries)
{
    struct rangemap *map = two_ranges();
    struct rangemap_entry entry = untouched;

    CHECK_EQ(rangemap_next(NULL, 1, &entry), -EINVAL);
    CHECK_EQ(rangemap_next(map, 1, NULL), -EINVAL);
    CHECK_EQ(rangemap_next(map, 30, &entry), -ENOENT);
    CHECK_EQ(rangemap_previous(NULL, 1, &entry), -EINVAL);
    CHECK_EQ(rangemap_previous(map, 50, NULL), -EINVAL);
    CHECK_EQ(rangemap_previous(map, 19, &entry), -ENOENT);
    CHECK_EQ(rangemap_first(NULL, &entry), -EINVAL);
    CHECK_EQ(rangemap_first(map, NULL), -EINVAL);
    CHECK_EQ(rangemap_last(NULL, &entry), -EINVAL);
    CHECK_EQ(rangemap_last(map, NULL), -EINVAL);
    CHECK_EQ(rangemap_overlap(NULL, 1, 2, &entry), -EINVAL);
    CHECK_EQ(rangemap_overlap(map, 16, 15, &entry), -EINVAL);
    CHECK_EQ(rangemap_overlap(map, 20, 29, &entry), -ENOENT);
    CHECK(is_untouched(&entry));
    CHECK_EQ(rangemap_is_covered(NULL, 1, 2), -EINVAL);
    CHECK_EQ(rangemap_is_covered(map, 16, 15), -EINVAL);
    CHECK_EQ(rangemap_is_free(NULL, 1, 2), -EINVAL);
    CHECK_EQ(rangemap_is_free(map, 26, 25), -EINVAL);
    finish(map);
}

TEST_CASE(map_error, an_empty_map_has_no_ends)
{
    struct rangemap *map = NULL;
    struct rangemap_entry entry = untouched;

    REQUIRE_EQ(rangemap_create(NULL, &map), 0);
    CHECK_EQ(rangemap_first(map, &entry), -ENOENT);
    CHECK_EQ(rangemap_last(map, &entry), -ENOENT);
    CHECK_EQ(rangemap_next(map, 0, &entry), -ENOENT);
    CHECK_EQ(rangemap_previous(map, UINT64_MAX, &entry), -ENOENT);
    CHECK(is_untouched(&entry));
    CHECK_EQ(rangemap_destroy(map), 0);
}

static void must_not_run(const struct rangemap_entry *entry, void *context)
{
    (void)context;
    CHECK(false, "displaced %#llx", (unsigned long long)entry->start);
}

TEST_CASE(map_error, insert_store_carve)
{
    struct rangemap *map = two_ranges();
    struct rangemap_entry entry = untouched;

    CHECK_EQ(rangemap_insert(NULL, 1, 2, NULL, &entry), -EINVAL);
    CHECK_EQ(rangemap_insert(map, 2, 1, NULL, &entry), -EINVAL);
    CHECK(is_untouched(&entry), "only -EEXIST writes the conflict");
    CHECK_EQ(rangemap_insert(map, 0, 10, NULL, &entry), -EEXIST);
    CHECK(entry.start == 10 && entry.last == 19 && entry.value == word(1));
    CHECK_EQ(rangemap_insert(map, 39, UINT64_MAX, NULL, &entry), -EEXIST);
    CHECK(entry.start == 30 && entry.last == 39 && entry.value == word(2));
    CHECK_EQ(rangemap_insert(map, 12, 13, NULL, NULL), -EEXIST);
    CHECK_EQ(rangemap_store(NULL, 1, 2, NULL, must_not_run, NULL), -EINVAL);
    CHECK_EQ(rangemap_store(map, 16, 15, NULL, must_not_run, NULL), -EINVAL);
    CHECK_EQ(rangemap_carve(NULL, 1, 2, must_not_run, NULL), -EINVAL);
    CHECK_EQ(rangemap_carve(map, 16, 15, must_not_run, NULL), -EINVAL);
    CHECK_EQ(rangemap_carve(map, 20, 29, must_not_run, NULL), 0);
    finish(map);
}

TEST_CASE(map_error, erase_and_replace)
{
    struct rangemap *map = two_ranges();
    struct rangemap_entry entry = untouched;
    void *actual = word(99);

    CHECK_EQ(rangemap_erase(NULL, 10, &entry), -EINVAL);
    CHECK_EQ(rangemap_erase(map, 20, &entry), -ENOENT);
    CHECK_EQ(rangemap_erase_exact(NULL, 10, 19, &entry), -EINVAL);
    CHECK_EQ(rangemap_erase_exact(map, 19, 10, &entry), -EINVAL);
    CHECK_EQ(rangemap_erase_exact(map, 10, 18, &entry), -ENOENT);
    CHECK_EQ(rangemap_erase_exact(map, 11, 19, &entry), -ENOENT);
    CHECK_EQ(rangemap_erase_exact(map, 10, 39, &entry), -ENOENT);
    CHECK_EQ(rangemap_erase_exact(map, 20, 29, &entry), -ENOENT);
    CHECK(is_untouched(&entry));
    CHECK_EQ(rangemap_replace(NULL, 10, 19, word(1), NULL, &actual), -EINVAL);
    CHECK_EQ(rangemap_replace(map, 19, 10, word(1), NULL, &actual), -EINVAL);
    CHECK_EQ(rangemap_replace(map, 10, 20, word(1), NULL, &actual), -ENOENT);
    CHECK_EQ(rangemap_replace(map, 11, 19, word(1), NULL, &actual), -ENOENT);
    CHECK_EQ(rangemap_replace(map, 20, 29, word(1), NULL, &actual), -ENOENT);
    CHECK_EQ(actual, word(99));
    CHECK_EQ(rangemap_replace(map, 10, 19, word(5), NULL, &actual), -ESTALE);
    CHECK_EQ(actual, word(1));
    CHECK_EQ(rangemap_replace(map, 10, 19, word(5), NULL, NULL), -ESTALE);
    finish(map);
}

TEST_CASE(map_error, coalesce_and_reserve)
{
    struct rangemap *map = two_ranges();
    uint64_t joined = 77;

    CHECK_EQ(rangemap_coalesce(NULL, 1, 2, NULL, NULL, &joined), -EINVAL);
    CHECK_EQ(rangemap_coalesce(map, 2, 1, NULL, NULL, &joined), -EINVAL);
    CHECK(joined == 77 || joined == 0, "it may say that nothing was joined");
    CHECK_EQ(rangemap_coalesce(map, 0, UINT64_MAX, NULL, NULL, NULL), 0);
    CHECK_EQ(rangemap_reserve(NULL, 1), -EINVAL);
    CHECK_EQ(rangemap_reserve(map, 0), 0);
    finish(map);
}

TEST_CASE(map_error, load)
{
    static const struct rangemap_entry good[] = {{1, 2, NULL}, {3, 3, NULL}, {UINT64_MAX, UINT64_MAX, NULL}};
    static const struct rangemap_entry reversed[] = {{1, 2, NULL}, {5, 4, NULL}};
    static const struct rangemap_entry overlapping[] = {{1, 2, NULL}, {3, 9, NULL}, {9, 10, NULL}};
    static const struct rangemap_entry descending[] = {{8, 9, NULL}, {1, 2, NULL}};
    static const struct rangemap_entry after_top[] = {{0, UINT64_MAX, NULL}, {0, 1, NULL}};
    struct rangemap *map = two_ranges();
    struct rangemap *empty = NULL;
    struct rangemap_entry entry;
    size_t bad = 77;

    CHECK_EQ(rangemap_load(map, good, 3, &bad), -ENOTEMPTY);
    REQUIRE_EQ(rangemap_create(NULL, &empty), 0);
    CHECK_EQ(rangemap_load(NULL, good, 3, &bad), -EINVAL);
    for (size_t count = 1; count <= 3; count++) {
        CHECK_EQ(rangemap_load(empty, NULL, count, &bad), -EINVAL, "%zu entries", count);
    }
    CHECK_EQ(bad, 77u);
    CHECK_EQ(rangemap_load(empty, reversed, 2, &bad), -EINVAL);
    CHECK_EQ(bad, 1u);
    CHECK_EQ(rangemap_load(empty, reversed + 1, 1, &bad), -EINVAL);
    CHECK_EQ(bad, 0u);
    CHECK_EQ(rangemap_load(empty, overlapping, 3, &bad), -EINVAL);
    CHECK_EQ(bad, 2u);
    CHECK_EQ(rangemap_load(empty, descending, 2, &bad), -EINVAL);
    CHECK_EQ(bad, 1u);
    CHECK_EQ(rangemap_load(empty, after_top, 2, NULL), -EINVAL);
    CHECK_EQ(rangemap_first(empty, &entry), -ENOENT);
    CHECK_EQ(rangemap_load(empty, NULL, 0, NULL), 0);
    CHECK_EQ(rangemap_load(empty, good, 3, NULL), 0);
    CHECK_EQ(rangemap_destroy(empty), 0);
    finish(map);
}

/* Sets of requests that can't be satisfied, in both directions. */
static void require_gap_error(struct rangemap *map, struct rangemap_gap_request request, int error)
{
    for (int from_top = 0; from_top < 2; from_top++) {
        uint64_t start = 77;

        request.from_top = from_top;
        REQUIRE_EQ(rangemap_gap_find(map, &request, &start), error);
        REQUIRE_EQ(rangemap_gap_allocate(map, &request, NULL, &start), error);
        REQUIRE_EQ(start, 77u);
    }
}

TEST_CASE(map_error, gaps)
{
    struct rangemap *map = two_ranges();
    struct rangemap_gap_request fine = {.length = 10, .low = 20, .high = 29};
    uint64_t start = 77;

    CHECK_EQ(rangemap_gap_find(NULL, &fine, &start), -EINVAL);
    CHECK_EQ(rangemap_gap_find(map, NULL, &start), -EINVAL);
    CHECK_EQ(rangemap_gap_find(map, &fine, NULL), -EINVAL);
    CHECK_EQ(rangemap_gap_allocate(NULL, &fine, NULL, &start), -EINVAL);
    CHECK_EQ(rangemap_gap_allocate(map, NULL, NULL, &start), -EINVAL);
    CHECK_EQ(rangemap_gap_allocate(map, &fine, NULL, NULL), -EINVAL);
    CHECK_EQ(start, 77u);
    require_gap_error(map, (struct rangemap_gap_request){.length = 0, .high = 9}, -EINVAL);
    require_gap_error(map, (struct rangemap_gap_request){.length = 1, .alignment = 3, .high = 9}, -EINVAL);
    require_gap_error(map, (struct rangemap_gap_request){.length = 1, .low = 9, .high = 8}, -EINVAL);
    require_gap_error(map, (struct rangemap_gap_request){.length = 11, .low = 10, .high = 39}, -ENOSPC);
    require_gap_error(map, (struct rangemap_gap_request){.length = 11, .low = 0, .high = 9}, -ENOSPC);
    require_gap_error(map, (struct rangemap_gap_request){.length = UINT64_MAX, .high = UINT64_MAX}, -ENOSPC);
    require_gap_error(map, (struct rangemap_gap_request){.length = 2, .alignment = 16, .low = 17, .high = 29},
                      -ENOSPC);
    CHECK_EQ(rangemap_gap_find(map, &fine, &start), 0);
    CHECK_EQ(start, 20u);
    finish(map);
}

TEST_CASE(map_error, cursors)
{
    struct rangemap *map = two_ranges();
    struct rangemap_cursor cursor;
    struct rangemap_snapshot snapshot;
    struct rangemap_entry entry = untouched;

    CHECK_EQ(rangemap_cursor_init(NULL, map, 0, 1), -EINVAL);
    CHECK_EQ(rangemap_cursor_init(&cursor, NULL, 0, 1), -EINVAL);
    CHECK_EQ(rangemap_cursor_init(&cursor, map, 1, 0), -EINVAL);
    REQUIRE_EQ(rangemap_cursor_init(&cursor, map, 15, 25), 0);
    CHECK_EQ(rangemap_cursor_seek(NULL, 15), -EINVAL);
    CHECK_EQ(rangemap_cursor_seek(&cursor, 14), -EINVAL);
    CHECK_EQ(rangemap_cursor_seek(&cursor, 26), -EINVAL);
    CHECK_EQ(rangemap_cursor_next(NULL, &entry), -EINVAL);
    CHECK_EQ(rangemap_cursor_next(&cursor, NULL), -EINVAL);
    CHECK_EQ(rangemap_cursor_previous(NULL, &entry), -EINVAL);
    CHECK_EQ(rangemap_cursor_previous(&cursor, NULL), -EINVAL);
    CHECK(is_untouched(&entry));
    CHECK_EQ(rangemap_cursor_next(&cursor, &entry), 0);
    CHECK_EQ(entry.start, 10u);
    entry = untouched;
    CHECK_EQ(rangemap_cursor_next(&cursor, &entry), -ENOENT);
    CHECK(is_untouched(&entry));
    CHECK_EQ(rangemap_snapshot_begin(NULL, &snapshot), -EINVAL);
    CHECK_EQ(rangemap_snapshot_begin(map, NULL), -EINVAL);
    REQUIRE_EQ(rangemap_snapshot_begin(map, &snapshot), 0);
    CHECK_EQ(rangemap_snapshot_find(NULL, 1, &entry), -EINVAL);
    CHECK_EQ(rangemap_snapshot_find(&snapshot, 15, NULL), -EINVAL);
    CHECK_EQ(rangemap_snapshot_find(&snapshot, 20, &entry), -ENOENT);
    CHECK_EQ(rangemap_cursor_init_at(NULL, &snapshot, 0, 1), -EINVAL);
    CHECK_EQ(rangemap_cursor_init_at(&cursor, NULL, 0, 1), -EINVAL);
    CHECK_EQ(rangemap_cursor_init_at(&cursor, &snapshot, 1, 0), -EINVAL);
    CHECK(is_untouched(&entry));
    rangemap_snapshot_end(&snapshot);
    finish(map);
}

TEST_CASE(map_error, looking_inside)
{
    struct rangemap *map = two_ranges();
    struct rangemap_statistics statistics;

    CHECK_EQ(rangemap_stats(NULL, &statistics), -EINVAL);
    CHECK_EQ(rangemap_stats(map, NULL), -EINVAL);
    CHECK_EQ(rangemap_validate(NULL, NULL, 0), -EINVAL);
    CHECK_EQ(rangemap_validate(map, NULL, 0), 0);
    CHECK_EQ(rangemap_dump(NULL, stdout, RANGEMAP_DUMP_TEXT), -EINVAL);
    CHECK_EQ(rangemap_dump(map, NULL, RANGEMAP_DUMP_TEXT), -EINVAL);
    CHECK_EQ(rangemap_dump(map, stdout, (enum rangemap_dump_format)99), -EINVAL);
    CHECK_EQ(rangemap_select_kernel(NULL), -EINVAL);
    CHECK_EQ(rangemap_select_kernel("abacus"), -ENOENT);
    CHECK(strcmp(rangemap_kernel(), "abacus") != 0);
    finish(map);
}

TEST_CASE(map_error, gaps_by_key)
{
    struct rangemap *map = two_ranges();
    struct rangemap_snapshot snapshot, ended = {0};
    struct rangemap_gap gap = {7, 8};
    struct rangemap_entry entry = untouched;

    CHECK_EQ(rangemap_overlap_last(NULL, 1, 2, &entry), -EINVAL);
    CHECK_EQ(rangemap_overlap_last(map, 2, 1, &entry), -EINVAL);
    CHECK_EQ(rangemap_overlap_last(map, 20, 29, &entry), -ENOENT);
    CHECK(is_untouched(&entry));
    CHECK_EQ(rangemap_gap_at(NULL, 1, &gap), -EINVAL);
    CHECK_EQ(rangemap_gap_at(map, 1, NULL), -EINVAL);
    CHECK_EQ(rangemap_gap_at(map, 10, &gap), -ENOENT);
    CHECK_EQ(rangemap_gap_next(NULL, 1, &gap), -EINVAL);
    CHECK_EQ(rangemap_gap_next(map, 1, NULL), -EINVAL);
    REQUIRE_EQ(rangemap_snapshot_begin(map, &snapshot), 0);
    CHECK_EQ(rangemap_snapshot_gap_next(NULL, 1, &gap), -EINVAL);
    CHECK_EQ(rangemap_snapshot_gap_next(&ended, 1, &gap), -EINVAL);
    CHECK_EQ(rangemap_snapshot_gap_next(&snapshot, 1, NULL), -EINVAL);
    rangemap_snapshot_end(&snapshot);
    CHECK(gap.start == 7 && gap.last == 8);
    finish(map);
}

TEST_CASE(map_error, version)
{
    char text[32];

    snprintf(text, sizeof text, "%d.%d.%d", RANGEMAP_VERSION_MAJOR, RANGEMAP_VERSION_MINOR,
             RANGEMAP_VERSION_PATCH);
    CHECK_STR_EQ(rangemap_version(), text);
}
