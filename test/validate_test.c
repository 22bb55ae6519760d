// SPDX-License-Identifier: BSD-2-Clause
/* That rangemap_validate() sees each rule broken, one word at a time, and nothing where none is. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "rangemap/map/inspect.h"
#include "rangemap/node/entry.h"
#include "rangemap/rangemap.h"
#include "test/shim/ctest.h"

enum { RANGES = 300, PLACES = 1000, STEP = 100, FIRST = 10, LENGTH = 41 };

/* A tree of at least two levels of which every node is known. */
struct tree {
    struct rangemap *map;
    struct rm_place place[PLACES];
    unsigned count;
};

static bool note_place(void *state, const struct rm_place *place)
{
    struct tree *tree = state;

    REQUIRE_LT(tree->count, (unsigned)PLACES);
    tree->place[tree->count++] = *place;
    return true;
}

static void insert_all(struct rangemap *map)
{
    for (uint64_t i = 0; i < RANGES; i++) {
        uint64_t start = FIRST + i * STEP;

        REQUIRE_EQ(rangemap_insert(map, start, i % 7 == 0 ? start : start + LENGTH - 1, NULL, NULL), 0);
    }
}

static void tree_make(struct tree *tree, bool track_gaps)
{
    const struct rangemap_options options = {.track_gaps = track_gaps};

    tree->count = 0;
    REQUIRE_EQ(rangemap_create(&options, &tree->map), 0);
    insert_all(tree->map);
    REQUIRE_EQ(rangemap_validate(tree->map, NULL, 0), 0);
    REQUIRE_EQ(rm_inspect(tree->map, note_place, tree), 0);
    REQUIRE_GE(rm_meta_level(tree->place[0].meta), 1u);
}

/* The leaf in the middle, which has neighbours on both sides, or the first or last. */
enum { LOWEST, MIDDLE, HIGHEST };

static struct rm_place *leaf_at(struct tree *tree, int where)
{
    unsigned leaves = 0, wanted;

    for (unsigned i = 0; i < tree->count; i++) {
        leaves += rm_meta_level(tree->place[i].meta) == 0;
    }
    wanted = where == LOWEST ? 0 : where == MIDDLE ? leaves / 2 : leaves - 1;
    for (unsigned i = 0;; i++) {
        if (rm_meta_level(tree->place[i].meta) == 0 && wanted-- == 0) {
            return &tree->place[i];
        }
    }
}

/* What validation says with this word changed, which it then gets back. */
static void check_rule_at(const struct tree *tree, uint64_t *word, uint64_t broken, const char *rule)
{
    uint64_t before = *word;
    char message[512] = "";

    *word = broken;
    CHECK_EQ(rangemap_validate(tree->map, message, sizeof message), rule != NULL ? -EUCLEAN : 0, "%s",
             rule != NULL ? rule : message);
    CHECK(strstr(message, rule != NULL ? rule : "") != NULL, "'%s' does not say '%s'", message, rule);
    CHECK_EQ(rangemap_validate(tree->map, NULL, 0), rule != NULL ? -EUCLEAN : 0);
    *word = before;
    CHECK_EQ(rangemap_validate(tree->map, message, sizeof message), 0, "%s", message);
}

/* That no rule is broken by it, but for what it does to gaps. */
static void check_legal_at(const struct tree *tree, uint64_t *word, uint64_t legal)
{
    if (!tree->map->tracks_gaps) {
        check_rule_at(tree, word, legal, NULL);
    }
}

static void check_meta(const struct tree *tree, const struct rm_place *place, unsigned count, unsigned level,
                       const char *rule)
{
    struct rm_node *node = (struct rm_node *)(uintptr_t)place->node;

    check_rule_at(tree, (uint64_t *)&node->meta, rm_meta(count, level, rm_meta_stamp(place->meta)), rule);
}

static struct rm_pair *pair_of(const struct rm_place *place, unsigned index)
{
    return &rm_leaf_pairs(rm_leaf(place->node), rm_meta_count(place->meta))[index];
}

static void with_trees(void (*body)(struct tree *tree))
{
    static struct tree tree;

    for (unsigned gaps = 0; gaps < 2; gaps++) {
        tree_make(&tree, gaps != 0);
        body(&tree);
        CHECK_EQ(rangemap_destroy(tree.map), 0);
    }
}

static void break_ranges(struct tree *tree)
{
    struct rm_place *leaf = leaf_at(tree, MIDDLE), *last = leaf_at(tree, HIGHEST);
    unsigned count = rm_meta_count(leaf->meta);
    uint64_t *start = rm_node_keys(leaf->node);

    REQUIRE_GE(count, 2u);
    check_rule_at(tree, &start[1], pair_of(leaf, 1)->last + 1, "a range starts at or below its last key");
    check_legal_at(tree, &start[1], pair_of(leaf, 1)->last);
    check_rule_at(tree, &start[0], leaf->span.low - 1, "no range begins below its leaf's span");
    check_rule_at(tree, &start[1], pair_of(leaf, 0)->last, "sorted and disjoint");
    check_legal_at(tree, &start[1], pair_of(leaf, 0)->last + 1);
    check_rule_at(tree, &pair_of(leaf, count - 1)->last, leaf->span.high + 1, "no range crosses a separator");
    check_legal_at(tree, &pair_of(leaf, count - 1)->last, leaf->span.high);
    REQUIRE_GE(rm_meta_count(last->meta), 2u);
    for (unsigned i = 0; i + 1 < rm_meta_count(last->meta); i++) {
        check_rule_at(tree, &pair_of(last, i)->last, UINT64_MAX, "sorted and disjoint");
    }
    check_legal_at(tree, &pair_of(last, rm_meta_count(last->meta) - 1)->last, UINT64_MAX);
}

TEST_CASE(validate, ranges)
{
    with_trees(break_ranges);
}

static void break_counts(struct tree *tree)
{
    const struct rm_place *leaf = leaf_at(tree, MIDDLE), *root = &tree->place[0];
    unsigned level = rm_meta_level(root->meta), count = rm_meta_count(root->meta);

    check_meta(tree, leaf, RM_LEAF_MAX + 1, 0, "at most RM_LEAF_MAX ranges");
    check_meta(tree, leaf, 31, 0, "at most RM_LEAF_MAX ranges");
    check_meta(tree, root, 0, level, "1 to RM_INNER_MAX children");
    check_meta(tree, root, RM_INNER_MAX + 1, level, "1 to RM_INNER_MAX children");
    check_meta(tree, root, count, level + 1, "levels go down by one");
    check_meta(tree, root, count, RM_HEIGHT_MAX + 1, "levels go down by one");
    check_meta(tree, leaf, rm_meta_count(leaf->meta), 1, "levels go down by one");
    check_meta(tree, leaf, rm_meta_count(leaf->meta), 2, "levels go down by one");
}

TEST_CASE(validate, counts_and_levels)
{
    with_trees(break_counts);
}

/* An inner node that has another one at its right, or the root. */
static const struct rm_place *inner_of(const struct tree *tree, unsigned separators)
{
    const struct rm_place *found = NULL;

    for (unsigned i = 0; i < tree->count && found == NULL; i++) {
        const struct rm_place *place = &tree->place[i];

        if (rm_meta_level(place->meta) > 0 && rm_meta_count(place->meta) > separators &&
            place->span.high < UINT64_MAX) {
            found = place;
        }
    }
    return found;
}

static void break_separators(struct tree *tree)
{
    const struct rm_place *root = &tree->place[0], *inner = inner_of(tree, 1);
    struct rm_inner *node = rm_inner(root->node);

    check_rule_at(tree, &node->separator[0], 0, "separators ascend");
    for (unsigned i = 0; i < tree->count; i++) {
        const struct rm_place *place = &tree->place[i];

        for (unsigned j = 1; rm_meta_level(place->meta) > 0 && j + 1 < rm_meta_count(place->meta); j++) {
            uint64_t *separator = rm_inner(place->node)->separator;

            check_rule_at(tree, &separator[j], separator[j - 1], "separators ascend");
        }
    }
    if (inner != NULL) {
        unsigned last = rm_meta_count(inner->meta) - 2;

        node = rm_inner(inner->node);
        check_rule_at(tree, &node->separator[last], inner->span.high + 1, "separators ascend");
        if (rm_meta_level(inner->meta) == 1) { /* it is legal here; the leaf below is too large then */
            check_rule_at(tree, &node->separator[last], inner->span.high,
                          tree->map->tracks_gaps ? "(G" : "span (I1)");
        }
    }
}

TEST_CASE(validate, separators)
{
    with_trees(break_separators);
}

/* The slot that holds a node. */
static uint64_t *slot_of(const struct rm_place *place)
{
    return (uint64_t *)&rm_inner(place->parent)->slot[place->index];
}

TEST_CASE(validate, gap_classes)
{
    static struct tree tree;
    struct rm_place *leaf;
    uint64_t *start;

    tree_make(&tree, true);
    leaf = leaf_at(&tree, MIDDLE);
    start = rm_node_keys(leaf->node);
    REQUIRE_LT(start[0], pair_of(leaf, 0)->last);
    check_rule_at(&tree, &start[0], leaf->span.low + 1, "begins with a range at its separator (G1)");
    check_rule_at(&tree, slot_of(leaf), rm_slot_word(leaf->node, leaf->gap_class - 1), "(G2)");
    check_rule_at(&tree, slot_of(leaf), rm_slot_word(leaf->node, leaf->gap_class + 1),
                  "a leaf's class is exact");
    for (unsigned i = 0; i < tree.count; i++) {
        const struct rm_place *place = &tree.place[i];

        if (place->parent != NULL && rm_meta_level(place->meta) > 0) {
            check_rule_at(&tree, slot_of(place), rm_slot_word(place->node, 0), "(G2)");
            check_rule_at(&tree, slot_of(place), rm_slot_word(place->node, place->gap_class + 1), NULL);
        }
    }
    CHECK_EQ(rangemap_destroy(tree.map), 0);
}

/* As many as fit is not too many. */
TEST_CASE(validate, full_nodes)
{
    enum { FULL = RM_LEAF_MAX * RM_INNER_MAX };
    static struct rangemap_entry entry[FULL];
    static struct tree tree;

    for (uint64_t i = 0; i < FULL; i++) {
        entry[i] = (struct rangemap_entry){i * STEP, i * STEP + 1, NULL};
    }
    tree.count = 0;
    REQUIRE_EQ(rangemap_create(NULL, &tree.map), 0);
    REQUIRE_EQ(rangemap_load(tree.map, entry, FULL, NULL), 0);
    REQUIRE_EQ(rm_inspect(tree.map, note_place, &tree), 0);
    CHECK_EQ(rm_meta_count(tree.place[0].meta), (unsigned)RM_INNER_MAX);
    CHECK_EQ(rm_meta_count(tree.place[1].meta), (unsigned)RM_LEAF_MAX);
    CHECK_EQ(rangemap_validate(tree.map, NULL, 0), 0);
    CHECK_EQ(rangemap_destroy(tree.map), 0);
}

/* The root's slot has no class, that of a leaf below it has. */
TEST_CASE(validate, shallow_trees)
{
    static struct tree tree;
    const struct rangemap_options options = {.track_gaps = true};

    tree.count = 0;
    REQUIRE_EQ(rangemap_create(&options, &tree.map), 0);
    for (uint64_t i = 0; i <= RM_LEAF_MAX; i++) {
        CHECK_EQ(rangemap_validate(tree.map, NULL, 0), 0, "%u ranges", (unsigned)i);
        REQUIRE_EQ(rangemap_insert(tree.map, 1 + i * STEP, 1 + i * STEP, NULL, NULL), 0);
    }
    REQUIRE_EQ(rm_inspect(tree.map, note_place, &tree), 0);
    REQUIRE_EQ(rm_meta_level(tree.place[0].meta), 1u);
    for (unsigned i = 1; i < tree.count; i++) {
        const struct rm_place *leaf = &tree.place[i];

        check_rule_at(&tree, slot_of(leaf), rm_slot_word(leaf->node, leaf->gap_class + 1),
                      "a leaf's class is exact");
    }
    CHECK_EQ(rangemap_destroy(tree.map), 0);
}

/* A leaf without a range is not at its separator, but for the lowest. */
TEST_CASE(validate, empty_leaves)
{
    static struct tree tree;

    tree_make(&tree, true);
    check_meta(&tree, leaf_at(&tree, MIDDLE), 0, 0, "begins with a range at its separator (G1)");
    check_meta(&tree, leaf_at(&tree, LOWEST), 0, 0, "(G2)");
    CHECK_EQ(rangemap_destroy(tree.map), 0);
    tree_make(&tree, false);
    check_meta(&tree, leaf_at(&tree, MIDDLE), 0, 0, NULL);
    CHECK_EQ(rangemap_destroy(tree.map), 0);
}

/* Of an older version, to which `prev` leads, nothing is taken for granted either. */
TEST_CASE(validate, alignment_of_older_versions)
{
    static struct tree tree;
    static _Alignas(RM_CACHE_LINE) unsigned char copy[2 * sizeof(struct rm_inner)];
    struct rm_inner *root;
    void *moved = copy + 8; /* 8 beside where a node may lie */
    uint64_t meta;

    tree_make(&tree, false);
    root = rm_inner(tree.place[0].node);
    meta = tree.place[0].meta;
    memcpy(moved, root, sizeof *root);
    rm_store_relaxed(&root->prev, rm_pointer_bits(moved));
    check_rule_at(&tree, (uint64_t *)&root->node.meta,
                  rm_meta_with_stamp(meta, rm_load_relaxed(&tree.map->clock) + 1000),
                  "aligned to a cache line");
    rm_store_relaxed(&root->prev, 0);
    CHECK_EQ(rangemap_destroy(tree.map), 0);
}

/* A message says where, and fits the room that it is given. */
TEST_CASE(validate, message)
{
    static struct tree tree;
    char message[512] = "", expected[256];
    struct rm_place *leaf;
    uint64_t *start, before;

    tree_make(&tree, false);
    leaf = leaf_at(&tree, MIDDLE);
    start = rm_node_keys(leaf->node);
    before = start[0];
    start[0] = leaf->span.low - 1;
    CHECK_EQ(rangemap_validate(tree.map, message, sizeof message), -EUCLEAN);
    (void)snprintf(expected, sizeof expected,
                   "leaf node %p (level 0, %u entries, keys %#" PRIx64 "..%#" PRIx64 ", child %u of %p): ",
                   (const void *)leaf->node, rm_meta_count(leaf->meta), leaf->span.low, leaf->span.high,
                   leaf->index, (const void *)leaf->parent);
    CHECK(strncmp(message, expected, strlen(expected)) == 0, "%s", message);
    memset(message, 'x', sizeof message);
    CHECK_EQ(rangemap_validate(tree.map, message, 1), -EUCLEAN);
    CHECK(message[0] == '\0' && message[1] == 'x');
    start[0] = before;
    CHECK_EQ(rangemap_validate(tree.map, NULL, 1), -EINVAL);
    CHECK_EQ(rangemap_validate(NULL, message, sizeof message), -EINVAL);
    CHECK_EQ(rangemap_destroy(tree.map), 0);
}
