// SPDX-License-Identifier: BSD-2-Clause
/* What rangemap_dump() writes: each range once, in both formats, of maps of every height. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rangemap/rangemap.h"
#include "test/shim/ctest.h"

/* Marks that stand for nothing else: how addresses and counts would not look. */
enum { FIRST = 700001, STEP = 1000 };

static struct rangemap *map_of(uint64_t count)
{
    struct rangemap *map = NULL;

    REQUIRE_EQ(rangemap_create(NULL, &map), 0);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t start = (FIRST + i) * STEP;

        REQUIRE_EQ(rangemap_insert(map, start, start + 17, NULL, NULL), 0);
    }
    return map;
}

/* What is written, to be freed. */
static char *dump(const struct rangemap *map, enum rangemap_dump_format format)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    REQUIRE_NE(out, NULL);
    REQUIRE_EQ(rangemap_dump(map, out, format), 0);
    REQUIRE_EQ(fclose(out), 0);
    REQUIRE_GT(size, 0u);
    return text;
}

/* How often `needle` occurs as a whole number. */
static unsigned occurrences(const char *text, const char *needle)
{
    unsigned count = 0;
    size_t length = strlen(needle);

    for (const char *at = strstr(text, needle); at; at = strstr(at + length, needle)) {
        char before = at == text ? ' ' : at[-1];

        count += !strchr("0123456789abcdef", before) && !strchr("0123456789abcdef", at[length]);
    }
    return count;
}

/* Decimal or hexadecimal, whichever the dump uses. */
static unsigned occurrences_of_key(const char *text, uint64_t key)
{
    char decimal[32], hexadecimal[32];

    snprintf(decimal, sizeof decimal, "%" PRIu64, key);
    snprintf(hexadecimal, sizeof hexadecimal, "0x%" PRIx64, key);
    return occurrences(text, decimal) + occurrences(text, hexadecimal);
}

/* A range's last key is written once; its first key may also be a separator. */
static void require_each_range_once(const char *text, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        uint64_t start = (FIRST + i) * STEP;

        REQUIRE_EQ(occurrences_of_key(text, start + 17), 1u, "range %" PRIu64 " of %" PRIu64, i, count);
        REQUIRE_GE(occurrences_of_key(text, start), 1u, "range %" PRIu64 " of %" PRIu64, i, count);
    }
    REQUIRE_EQ(occurrences_of_key(text, (FIRST + count) * STEP), 0u);
}

TEST_CASE(dump, text_holds_each_range_once)
{
    static const uint64_t counts[] = {0, 1, 2, 15, 40, 400};

    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        struct rangemap *map = map_of(counts[i]);
        char *text = dump(map, RANGEMAP_DUMP_TEXT);

        require_each_range_once(text, counts[i]);
        free(text);
        CHECK_EQ(rangemap_destroy(map), 0);
    }
}

TEST_CASE(dump, graphviz_holds_each_range_once)
{
    static const uint64_t counts[] = {0, 1, 2, 15, 40, 400};

    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        struct rangemap *map = map_of(counts[i]);
        char *text = dump(map, RANGEMAP_DUMP_GRAPHVIZ);
        char *open = strchr(text, '{');

        CHECK(strncmp(text, "digraph", 7) == 0);
        CHECK_NE(open, NULL);
        CHECK_NE(strrchr(text, '}'), NULL);
        require_each_range_once(text, counts[i]);
        free(text);
        CHECK_EQ(rangemap_destroy(map), 0);
    }
}

/* In graphviz, every node but the root hangs from one edge. */
TEST_CASE(dump, graphviz_is_a_tree)
{
    struct rangemap *map = map_of(400);
    struct rangemap_statistics statistics;
    char *text = dump(map, RANGEMAP_DUMP_GRAPHVIZ);
    uint64_t edges = 0;

    for (const char *at = strstr(text, "->"); at; at = strstr(at + 2, "->")) {
        edges++;
    }
    REQUIRE_EQ(rangemap_stats(map, &statistics), 0);
    CHECK_EQ(edges, statistics.leaves + statistics.inner_nodes - 1);
    free(text);
    CHECK_EQ(rangemap_destroy(map), 0);
}

/* A file that can't be written to. */
TEST_CASE(dump, reports_failed_output)
{
    struct rangemap *map = map_of(400);
    FILE *full = fopen("/dev/full", "w");

    if (full == NULL) {
        TEST_SKIP("no /dev/full");
    }
    setvbuf(full, NULL, _IONBF, 0);
    CHECK_EQ(rangemap_dump(map, full, RANGEMAP_DUMP_TEXT), -EIO);
    CHECK_EQ(rangemap_dump(map, full, RANGEMAP_DUMP_GRAPHVIZ), -EIO);
    fclose(full);
    CHECK_EQ(rangemap_destroy(map), 0);
}
