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

static void *value_of(uint64_t i)
{
    return (void *)(uintptr_t)(0x10 + i);
}

static struct rangemap *map_of(uint64_t count)
{
    struct rangemap *map = NULL;

    REQUIRE_EQ(rangemap_create(NULL, &map), 0);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t start = (FIRST + i) * STEP;

        REQUIRE_EQ(rangemap_insert(map, start, start + 17, value_of(i), NULL), 0);
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

/* ---- each line ---- */

enum { NODES_MAX = 1000, ROWS_MAX = 16 };

struct node {
    char address[32];
    unsigned level, count, depth;
    uint64_t low, high;
    unsigned parent, index; /* its place among the parent's children */
    struct {
        uint64_t start, last;
        char value[32];
    } range[ROWS_MAX];
};

static struct tree {
    struct node node[NODES_MAX];
    unsigned nodes;
} tree;

static char *next_line(char **text)
{
    char *line = *text, *end = strchr(line, '\n');

    REQUIRE(end != NULL, "a line that does not end");
    *end = '\0';
    *text = end + 1;
    return line;
}

/* The line without the spaces that its depth wants before it. */
static const char *indented(const char *line, unsigned depth)
{
    REQUIRE_EQ(strspn(line, " "), 2 * depth, "%s", line);
    return line + 2 * depth;
}

static void read_ranges(char **text, struct node *node)
{
    for (unsigned i = 0; i < node->count; i++) {
        const char *line = indented(next_line(text), node->depth + 1);

        REQUIRE_EQ(sscanf(line, "[%" SCNx64 ", %" SCNx64 "] = %31s", &node->range[i].start,
                          &node->range[i].last, node->range[i].value),
                   3, "%s", line);
    }
}

/* A node and all below it; in a map that was updated at most `updates` times. */
static struct node *read_node(char **text, unsigned depth, uint64_t updates)
{
    struct node *node = &tree.node[tree.nodes++];
    const char *line = indented(next_line(text), depth);
    char kind[8];
    uint64_t version, next;

    node->depth = depth;
    REQUIRE_EQ(sscanf(line, "%7s %31s level %u count %u version %" SCNu64 " keys %" SCNx64 "..%" SCNx64, kind,
                      node->address, &node->level, &node->count, &version, &node->low, &node->high),
               7, "%s", line);
    CHECK_STR_EQ(kind, node->level > 0 ? "inner" : "leaf");
    CHECK_LE(version, updates);
    next = node->low;
    for (unsigned i = 0; node->level > 0 && i < node->count; i++) {
        struct node *child = read_node(text, depth + 1, updates);

        child->parent = (unsigned)(node - tree.node);
        child->index = i;
        CHECK_EQ(child->level, node->level - 1);
        CHECK_EQ(child->low, next, "children leave no key out");
        next = child->high + 1;
    }
    if (node->level == 0) {
        REQUIRE_LE(node->count, (unsigned)ROWS_MAX);
        read_ranges(text, node);
    } else {
        CHECK_EQ(next, node->high + 1);
    }
    return node;
}

static void check_text(const struct rangemap *map, uint64_t count)
{
    char *text = dump(map, RANGEMAP_DUMP_TEXT), *at = text;
    uint64_t seen = 0;
    struct node *root;

    tree.nodes = 0;
    root = read_node(&at, 0, 2 * count + 1);
    CHECK_EQ(*at, '\0', "no more than the tree");
    CHECK(root->low == 0 && root->high == UINT64_MAX);
    for (unsigned i = 0; i < tree.nodes; i++) {
        const struct node *node = &tree.node[i];

        for (unsigned j = 0; node->level == 0 && j < node->count; j++, seen++) {
            uint64_t start = (FIRST + seen) * STEP;
            char value[32];

            snprintf(value, sizeof value, "%p", value_of(seen));
            CHECK_STR_EQ(node->range[j].value, value);
            CHECK(node->range[j].start == start && node->range[j].last == start + 17);
            CHECK(node->low <= start && start + 17 <= node->high);
        }
    }
    CHECK_EQ(seen, count);
    free(text);
}

static void print_label(FILE *out, const struct node *node)
{
    for (unsigned i = 0; node->level == 0 && i < node->count; i++) {
        fprintf(out, "%#" PRIx64 "..%#" PRIx64 " = %s\\l", node->range[i].start, node->range[i].last,
                node->range[i].value);
    }
    for (unsigned i = 0; node->level > 0 && i < tree.nodes; i++) {
        const struct node *child = &tree.node[i];

        if (child->depth == node->depth + 1 && &tree.node[child->parent] == node) {
            fprintf(out, "%s<c%u> ", child->index > 0 ? "|" : "", child->index);
            if (child->index > 0) {
                fprintf(out, "%#" PRIx64, child->low);
            }
        }
    }
}

/* The same, as graphviz has it. */
static char *graph_of_tree(void)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    REQUIRE_NE(out, NULL);
    fprintf(out, "digraph rangemap {\n  node [fontname=monospace];\n");
    for (unsigned i = 0; i < tree.nodes; i++) {
        const struct node *node = &tree.node[i];

        fprintf(out, "  n%s [shape=%s, label=\"", node->address, node->level > 0 ? "record" : "box");
        print_label(out, node);
        fprintf(out, "\"];\n");
        if (node->depth > 0) {
            fprintf(out, "  n%s:c%u -> n%s;\n", tree.node[node->parent].address, node->index, node->address);
        }
    }
    fprintf(out, "}\n");
    REQUIRE_EQ(fclose(out), 0);
    return text;
}

/* Places, counts, spans, versions and values; in graphviz as in text. */
TEST_CASE(dump, each_line_says_what_is_so)
{
    static const uint64_t counts[] = {0, 1, 15, 40, 700};

    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        struct rangemap *map = map_of(counts[i]);
        char *wanted, *graph = dump(map, RANGEMAP_DUMP_GRAPHVIZ);

        check_text(map, counts[i]);
        wanted = graph_of_tree();
        CHECK_STR_EQ(graph, wanted);
        free(wanted);
        free(graph);
        CHECK_EQ(rangemap_destroy(map), 0);
    }
}

/* A file that can't be written to, a few lines at a time or many. */
static void fail_to_dump(uint64_t ranges, int mode)
{
    struct rangemap *map = map_of(ranges);
    FILE *full = fopen("/dev/full", "w");

    if (full == NULL) {
        TEST_SKIP("no /dev/full");
    }
    setvbuf(full, NULL, mode, mode == _IOFBF ? BUFSIZ : 0);
    CHECK_EQ(rangemap_dump(map, full, RANGEMAP_DUMP_TEXT), -EIO);
    CHECK_EQ(rangemap_dump(map, full, RANGEMAP_DUMP_GRAPHVIZ), -EIO);
    fclose(full);
    CHECK_EQ(rangemap_destroy(map), 0);
}

TEST_CASE(dump, reports_failed_output)
{
    static const uint64_t counts[] = {0, 1, 400};

    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        fail_to_dump(counts[i], _IONBF);
        fail_to_dump(counts[i], _IOFBF);
    }
}
