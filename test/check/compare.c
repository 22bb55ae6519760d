// SPDX-License-Identifier: BSD-2-Clause
#include "test/check/compare.h"

#include <errno.h>
#include <inttypes.h>

#include "test/shim/ctest.h"

void require_valid(const struct rangemap *map, const char *when)
{
    char message[512] = "";
    int result = rangemap_validate(map, message, sizeof message);

    REQUIRE_EQ(result, 0, "%s: %s", when, message);
}

void collect(const struct rangemap *map, uint64_t start, uint64_t last, struct entry_list *list)
{
    struct rangemap_cursor cursor;
    struct rangemap_entry entry;
    int result;

    list->count = 0;
    REQUIRE_EQ(rangemap_cursor_init(&cursor, map, start, last), 0);
    while ((result = rangemap_cursor_next(&cursor, &entry)) == 0) {
        entry_list_append(list, &entry);
    }
    REQUIRE_EQ(result, -ENOENT);
}

void collect_downwards(const struct rangemap *map, uint64_t start, uint64_t last, struct entry_list *list)
{
    struct rangemap_cursor cursor;
    struct rangemap_entry entry;
    int result;

    list->count = 0;
    REQUIRE_EQ(rangemap_cursor_init(&cursor, map, start, last), 0);
    while ((result = rangemap_cursor_previous(&cursor, &entry)) == 0) {
        entry_list_append(list, &entry);
    }
    REQUIRE_EQ(result, -ENOENT);
    for (size_t i = 0; i < list->count / 2; i++) {
        entry = list->entry[i];
        list->entry[i] = list->entry[list->count - 1 - i];
        list->entry[list->count - 1 - i] = entry;
    }
}

void collect_snapshot(const struct rangemap_snapshot *snapshot, struct entry_list *list)
{
    struct rangemap_cursor cursor;
    struct rangemap_entry entry;
    int result;

    list->count = 0;
    REQUIRE_EQ(rangemap_cursor_init_at(&cursor, snapshot, 0, UINT64_MAX), 0);
    while ((result = rangemap_cursor_next(&cursor, &entry)) == 0) {
        entry_list_append(list, &entry);
    }
    REQUIRE_EQ(result, -ENOENT);
}

static void require_same_entry(const struct rangemap_entry *got, const struct rangemap_entry *wanted,
                               size_t index, const char *when)
{
    REQUIRE_EQ(got->start, wanted->start, "start of entry %zu, %s", index, when);
    REQUIRE_EQ(got->last, wanted->last, "last of entry %zu at %#" PRIx64 ", %s", index, got->start, when);
    REQUIRE_EQ(got->value, wanted->value, "value of entry %zu at %#" PRIx64 ", %s", index, got->start, when);
}

void require_same_list(const struct entry_list *got, const struct entry_list *wanted, const char *when)
{
    size_t index = entry_list_difference(got, wanted);

    if (index == SIZE_MAX) {
        return;
    }
    if (index < got->count && index < wanted->count) {
        require_same_entry(&got->entry[index], &wanted->entry[index], index, when);
    }
    REQUIRE_EQ(got->count, wanted->count, "number of entries, %s", when);
}

static void require_same_ends(const struct rangemap *map, const struct entry_list *wanted, const char *when)
{
    struct rangemap_entry entry;

    if (wanted->count == 0) {
        REQUIRE_EQ(rangemap_first(map, &entry), -ENOENT, "%s", when);
        REQUIRE_EQ(rangemap_last(map, &entry), -ENOENT, "%s", when);
        return;
    }
    REQUIRE_EQ(rangemap_first(map, &entry), 0, "%s", when);
    require_same_entry(&entry, &wanted->entry[0], 0, when);
    REQUIRE_EQ(rangemap_last(map, &entry), 0, "%s", when);
    require_same_entry(&entry, &wanted->entry[wanted->count - 1], wanted->count - 1, when);
}

static void require_lookups(const struct rangemap *map, const struct entry_list *wanted, const char *when)
{
    for (size_t i = 0; i < wanted->count; i++) {
        const struct rangemap_entry *expected = &wanted->entry[i];
        struct rangemap_entry entry;
        void *value;

        REQUIRE_EQ(rangemap_find(map, expected->start, &entry), 0, "%#" PRIx64 ", %s", expected->start, when);
        require_same_entry(&entry, expected, i, when);
        REQUIRE_EQ(rangemap_lookup(map, expected->last, &value), 0, "%#" PRIx64 ", %s", expected->last, when);
        REQUIRE_EQ(value, expected->value, "%#" PRIx64 ", %s", expected->last, when);
    }
}

void require_same_map(const struct rangemap *map, const struct entry_list *wanted, const char *when)
{
    struct rangemap_statistics statistics;
    struct entry_list got;

    require_valid(map, when);
    entry_list_init(&got);
    collect(map, 0, UINT64_MAX, &got);
    require_same_list(&got, wanted, when);
    collect_downwards(map, 0, UINT64_MAX, &got);
    require_same_list(&got, wanted, when);
    entry_list_free(&got);
    require_same_ends(map, wanted, when);
    require_lookups(map, wanted, when);
    REQUIRE_EQ(rangemap_stats(map, &statistics), 0);
    REQUIRE_EQ(statistics.ranges, wanted->count, "statistics, %s", when);
}
