// SPDX-License-Identifier: BSD-2-Clause
/*
 * What an update of one range makes of the tree, node by node: which leaves and inner nodes merge, and when not; how
 * full the parts of a split are; how many nodes are built anew, of which the others are to be none. All of it is right
 * in other ways, too, and slower: so it is foretold from the tree before, and compared.
 */
#include <stdio.h>
#include <string.h>

#include "rangemap/map/inspect.h"
#include "rangemap/node/entry.h"
#include "rangemap/rangemap.h"
#include "rangemap/tree/build.h"
#include "test/shim/ctest.h"
#include "test/shim/prng.h"

enum { MAX = RM_INNER_ROOM + 2, RANGES = 900, STEPS = 1200, PHASE = 300 };

/* ---- a tree of three levels, as it is ---- */

struct leaf {
    const void *node;
    uint64_t low, high, key[RM_LEAF_ROOM];
    unsigned count;
};

struct tree {
    unsigned height, inners, leaves[MAX], nodes;
    const void *node[MAX * MAX]; /* all of them, in order */
    struct leaf leaf[MAX][MAX];
};

static bool read_place(void *state, const struct rm_place *place)
{
    struct tree *tree = state;
    unsigned level = rm_meta_level(place->meta), count = rm_meta_count(place->meta);

    tree->node[tree->nodes++] = place->node;
    if (place->depth == 0) {
        tree->height = level;
    }
    if (level == 1) {
        tree->inners++;
    } else if (level == 0) {
        unsigned inner = tree->inners > 0 ? tree->inners - 1 : 0;
        struct leaf *leaf = &tree->leaf[inner][tree->leaves[inner]++];

        *leaf = (struct leaf){
            .node = place->node, .low = place->span.low, .high = place->span.high, .count = count};
        for (unsigned i = 0; i < count; i++) {
            leaf->key[i] = rm_leaf_entry(rm_leaf(place->node), count, i).start;
        }
    }
    return true;
}

static void read_tree(const struct rangemap *map, struct tree *tree)
{
    tree->height = tree->inners = tree->nodes = 0;
    memset(tree->leaves, 0, sizeof tree->leaves);
    REQUIRE_EQ(rm_inspect(map, read_place, tree), 0);
}

/* Nodes reused keep their order. */
static unsigned new_nodes(const struct tree *before, const struct tree *after)
{
    unsigned made = 0, seen = 0;

    for (unsigned i = 0; i < after->nodes; i++) {
        unsigned at = seen;

        while (at < before->nodes && before->node[at] != after->node[i]) {
            at++;
        }
        if (at == before->nodes) {
            made++;
        } else {
            seen = at + 1;
        }
    }
    return made;
}

/* ---- what an update is to make of it ---- */

struct shape {
    unsigned inners, leaves[MAX], count[MAX][MAX], made;
};

/* A row: `old` elements from `at` on give way to `new` of them. */
static void splice_row(unsigned *row, unsigned *count, unsigned at, unsigned old, const unsigned *put,
                       unsigned new)
{
    memmove(row + at + new, row + at + old, (*count - at - old) * sizeof *row);
    memcpy(row + at, put, new * sizeof *put);
    *count += new - old;
}

/* Inner node `i` is rebuilt, and with it the root: small, it takes in a neighbour; large, it splits. */
static void rebuild_inner(struct shape *shape, unsigned i)
{
    unsigned all[2 * MAX], total = shape->leaves[i], first = i, merged = 1, parts, from = 0;

    memcpy(all, shape->count[i], sizeof shape->count[i]);
    if (total < RM_INNER_MIN && shape->inners > 1) {
        bool right = i + 1 < shape->inners;
        unsigned other = right ? i + 1 : i - 1, more = shape->leaves[other];

        first = right ? i : i - 1;
        merged = 2;
        memmove(all + (right ? 0 : more), all, total * sizeof *all);
        memcpy(all + (right ? total : 0), shape->count[other], more * sizeof *all);
        total += more;
    }
    parts = (total + RM_INNER_MAX - 1) / RM_INNER_MAX;
    memmove(shape->count + first + parts, shape->count + first + merged,
            (shape->inners - first - merged) * sizeof shape->count[0]);
    memmove(shape->leaves + first + parts, shape->leaves + first + merged,
            (shape->inners - first - merged) * sizeof shape->leaves[0]);
    shape->inners += parts - merged;
    shape->made += parts + 1;
    for (unsigned part = 0; part < parts; part++) {
        unsigned left = parts - part, size = (total - from + left - 1) / left;

        shape->leaves[first + part] = size;
        memcpy(shape->count[first + part], all + from, size * sizeof *all);
        from += size;
    }
}

/* Leaves of node `i` change in number: with that node alone, if it has room for `growth` more and can lose one. */
static void replace_leaves(struct shape *shape, unsigned i, unsigned at, unsigned old, const unsigned *put,
                           unsigned new, unsigned growth)
{
    bool alone = shape->leaves[i] > RM_INNER_MIN && shape->leaves[i] + growth <= RM_INNER_MAX;

    splice_row(shape->count[i], &shape->leaves[i], at, old, put, new);
    shape->made = new;
    if (alone) {
        shape->made++;
    } else {
        rebuild_inner(shape, i);
    }
}

static bool takes_in(unsigned count, unsigned neighbour)
{
    return count == 0 || count + neighbour <= RM_MERGED_LEAF_MAX;
}

static void foretell_erase(struct shape *shape, unsigned i, unsigned j, unsigned growth)
{
    unsigned *row = shape->count[i], count = row[j] - 1;
    bool left = j > 0 && takes_in(count, row[j - 1]);
    bool right = j + 1 < shape->leaves[i] && takes_in(count, row[j + 1]);

    if (count >= RM_LEAF_MIN || (!left && !right)) {
        row[j] = count;
        shape->made = 1;
        return;
    }
    count += left ? row[j - 1] : row[j + 1];
    replace_leaves(shape, i, left ? j - 1 : j, 2, &count, 1, growth);
}

static void foretell_insert(struct shape *shape, unsigned i, unsigned j, unsigned at, bool evenly,
                            unsigned growth)
{
    unsigned *row = shape->count[i], count = row[j] + 1;
    unsigned part[2] = {(count + 1) / 2, count / 2};

    if (count <= RM_LEAF_MAX) {
        row[j] = count;
        shape->made = 1;
        return;
    }
    if (!evenly && j + 1 == shape->leaves[i] && at == row[j]) {
        part[0] = RM_LEAF_MAX;
        part[1] = 1;
    } else if (!evenly && j == 0 && at == 0) {
        part[0] = 1;
        part[1] = RM_LEAF_MAX;
    }
    replace_leaves(shape, i, j, 1, part, 2, growth);
}

static void shape_of(const struct tree *tree, struct shape *shape)
{
    memset(shape, 0, sizeof *shape);
    shape->inners = tree->inners;
    for (unsigned i = 0; i < tree->inners; i++) {
        shape->leaves[i] = tree->leaves[i];
        for (unsigned j = 0; j < tree->leaves[i]; j++) {
            shape->count[i][j] = tree->leaf[i][j].count;
        }
    }
}

static bool is_same_shape(const struct shape *shape, const struct tree *tree)
{
    bool same = shape->inners == tree->inners;

    for (unsigned i = 0; same && i < tree->inners; i++) {
        same = shape->leaves[i] == tree->leaves[i];
        for (unsigned j = 0; same && j < tree->leaves[i]; j++) {
            same = shape->count[i][j] == tree->leaf[i][j].count;
        }
    }
    return same;
}

/* ---- updates ---- */

static struct tree before, after;
static struct shape foretold;
static unsigned alone, with_root, inner_merges, inner_splits;

/* What the test has come across, or it would prove nothing. */
static void count_kinds(void)
{
    alone += foretold.made > 1 && foretold.made <= 3 && foretold.inners == before.inners;
    with_root += foretold.made >= 3;
    inner_merges += foretold.inners < before.inners;
    inner_splits += foretold.inners > before.inners;
}

static int drop(const struct rangemap_entry *part, const struct rangemap_entry *whole, void **value,
                void *context)
{
    (void)part;
    (void)whole;
    (void)value;
    (void)context;
    return RANGEMAP_DROP;
}

/* As an update of a range, or as one of a window. */
static int erase(struct rangemap *map, uint64_t key, bool window)
{
    return window ? rangemap_update(map, key, key, drop, NULL, NULL) : rangemap_erase(map, key, NULL);
}

static int insert(struct rangemap *map, uint64_t key, bool window)
{
    const struct rangemap_entry entry = {key, key, NULL};

    return window ? rangemap_splice(map, key, key, &entry, 1, NULL)
                  : rangemap_insert(map, key, key, NULL, NULL);
}

/* A free key of the leaf before its range `at`, or behind its last one. False: none. */
static bool free_key(const struct leaf *leaf, unsigned at, uint64_t *key)
{
    uint64_t low = at > 0 ? leaf->key[at - 1] + 1 : leaf->low;
    uint64_t behind = at < leaf->count ? leaf->key[at] : leaf->high;

    *key = low + (behind - low) / 2;
    return low < behind;
}

/* One update in node `i`. False: the tree is no longer of three levels, or nothing was done. */
static bool step(struct rangemap *map, struct prng *random, unsigned i, bool grows, bool window)
{
    unsigned j = (unsigned)prng_below(random, before.leaves[i]), at;
    const struct leaf *leaf = &before.leaf[i][j];
    unsigned growth = window ? 2 : 1; /* a window may be cut at both ends */
    uint64_t key;

    shape_of(&before, &foretold);
    if (grows) {
        unsigned choice = (unsigned)prng_below(random, 3);

        at = choice == 0 ? 0 : choice == 1 ? leaf->count : (unsigned)prng_below(random, leaf->count + 1);
        if (!free_key(leaf, at, &key)) {
            return true;
        }
        foretell_insert(&foretold, i, j, at, window, growth);
        REQUIRE_EQ(insert(map, key, window), 0);
    } else if (leaf->count > 0) {
        foretell_erase(&foretold, i, j, growth);
        REQUIRE_EQ(erase(map, leaf->key[prng_below(random, leaf->count)], window), 0);
    } else {
        return true;
    }
    read_tree(map, &after);
    if (after.height != 2) {
        return false;
    }
    REQUIRE(is_same_shape(&foretold, &after), "node %u of %u, leaf %u of %u, of %u ranges, %s", i,
            before.inners, j, before.leaves[i], leaf->count, grows ? "grows" : "shrinks");
    REQUIRE_EQ(new_nodes(&before, &after), foretold.made, "nodes built anew");
    count_kinds();
    before = after;
    return true;
}

static struct rangemap *new_map(void)
{
    static struct rangemap_entry entries[RANGES];
    struct rangemap *map = NULL;

    for (uint64_t k = 0; k < RANGES; k++) {
        entries[k].start = entries[k].last = (k + 1) << 40;
    }
    REQUIRE_EQ(rangemap_create(NULL, &map), 0);
    REQUIRE_EQ(rangemap_load(map, entries, RANGES, NULL), 0);
    return map;
}

/* Now and then in another node, that grows or shrinks until it has merged or split. */
static void run(uint64_t seed, bool window, bool grows_first)
{
    struct prng random = prng_stream(test_seed(), seed);
    struct rangemap *map = new_map();
    bool grows = grows_first;
    unsigned i = 0;

    REQUIRE_EQ(rangemap_read_begin(map), 0); /* no address is used twice */
    read_tree(map, &before);
    REQUIRE_EQ(before.height, 2u);
    for (unsigned done = 0; done < STEPS && before.inners < RM_INNER_MAX - 1; done++) {
        if (done % PHASE == 0) {
            i = (unsigned)prng_below(&random, before.inners);
            grows = done / PHASE % 2 == 0 ? grows_first : !grows_first;
        }
        i = i < before.inners ? i : before.inners - 1;
        if (!step(map, &random, i, grows, window)) {
            break;
        }
    }
    rangemap_read_end(map);
    CHECK_EQ(rangemap_destroy(map), 0);
}

TEST_CASE(shape, is_as_foretold)
{
    for (uint64_t seed = 0; seed < 4; seed++) {
        run(seed, false, seed % 2 == 0);
        run(seed, true, seed % 2 == 0);
    }
    printf("%u with one inner node, %u with the root, %u inner nodes less, %u more\n", alone, with_root,
           inner_merges, inner_splits);
    CHECK_GT(alone, 100u);
    CHECK_GT(with_root, 100u);
    CHECK_GT(inner_merges, 5u);
    CHECK_GT(inner_splits, 5u);
}

/* ---- what is left of two nodes when what lies between is gone ---- */

/* Leaves that stay of the second node and of the third, which become one: a small one takes in the fourth. */
static void check_seam(unsigned of_left, unsigned of_right, bool window)
{
    struct rangemap *map = new_map();
    unsigned total = of_left + of_right;
    uint64_t start, last;

    read_tree(map, &before);
    shape_of(&before, &foretold);
    REQUIRE_EQ(before.leaves[1], (unsigned)RM_INNER_MAX);
    REQUIRE_EQ(before.leaves[2], (unsigned)RM_INNER_MAX);
    start = before.leaf[1][of_left].low;
    last = of_right > 0 ? before.leaf[2][RM_INNER_MAX - of_right].low - 1
                        : before.leaf[2][RM_INNER_MAX - 1].high;
    memmove(foretold.count + 2, foretold.count + 3, sizeof foretold.count[0] * (before.inners - 3));
    memmove(foretold.leaves + 2, foretold.leaves + 3, sizeof foretold.leaves[0] * (before.inners - 3));
    foretold.inners--;
    foretold.leaves[1] = total;
    if (total < RM_INNER_MIN) {
        rebuild_inner(&foretold, 1);
    }
    REQUIRE_EQ(window ? rangemap_evict(map, start, last, NULL, NULL)
                      : rangemap_carve(map, start, last, NULL, NULL),
               0);
    read_tree(map, &after);
    CHECK(is_same_shape(&foretold, &after), "%u and %u leaves stay", of_left, of_right);
    CHECK_EQ(rangemap_destroy(map), 0);
}

TEST_CASE(shape, seam_of_two_nodes)
{
    for (unsigned left = 1; left <= RM_INNER_MIN + 1; left++) {
        for (unsigned right = 0; right <= RM_INNER_MIN + 1; right++) {
            check_seam(left, right, false);
            check_seam(left, right, true);
        }
    }
}
