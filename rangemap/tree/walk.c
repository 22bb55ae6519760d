// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/tree/walk.h"

#include "rangemap/tree/edit.h"
#include "rangemap/tree/path.h"

static bool walk_leaf(const struct rm_walk *walk, const struct rm_leaf *leaf, unsigned count)
{
    unsigned from, to;

    rm_leaf_overlap(leaf, count, walk->start, walk->last, &from, &to);
    return walk->visit(walk->state, leaf, count, from, to);
}

bool rm_walk_node(const struct rm_walk *walk, const struct rm_node *node, uint64_t meta)
{
    const struct rm_inner *inner = rm_inner(node);
    unsigned count = rm_meta_count(meta);
    unsigned from, to;

    if (rm_meta_level(meta) == 0) {
        return walk_leaf(walk, rm_leaf(node), count);
    }
    from = rm_child_index(inner, count, walk->start);
    to = rm_child_index(inner, count, walk->last);
    for (unsigned i = 0; i <= to - from; i++) {
        unsigned index = walk->direction == RM_UPWARD ? from + i : to - i;
        uint64_t child_meta;
        struct rm_node *child = rm_version_follow(walk->map, &inner->slot[index], walk->version, &child_meta);

        if (!rm_walk_node(walk, child, child_meta)) {
            return false;
        }
    }
    return true;
}

bool rm_walk_map(const struct rm_walk *walk)
{
    uint64_t meta;
    struct rm_node *root = rm_version_follow(walk->map, &walk->map->root, walk->version, &meta);

    return rm_walk_node(walk, root, meta);
}

const struct rm_leaf *rm_walk_leaf(const struct rangemap *map, uint64_t version, uint64_t key,
                                   unsigned *count, struct rm_span *span)
{
    uint64_t meta;
    struct rm_node *node = rm_version_follow(map, &map->root, version, &meta);

    *span = RM_WHOLE_DOMAIN;
    while (rm_meta_level(meta) > 0) {
        struct rm_inner *inner = rm_inner(node);
        unsigned children = rm_meta_count(meta);
        unsigned index = rm_child_index(inner, children, key);

        *span = rm_child_span(inner, children, index, *span);
        node = rm_version_follow(map, &inner->slot[index], version, &meta);
    }
    *count = rm_meta_count(meta);
    return rm_leaf(node);
}

bool rm_walk_first(void *state, const struct rm_leaf *leaf, unsigned count, unsigned from, unsigned to)
{
    struct rangemap_entry *entry = state;

    if (from < to) {
        *entry = rm_leaf_entry(leaf, count, from);
    }
    return from == to;
}
