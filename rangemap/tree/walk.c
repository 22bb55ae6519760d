// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/tree/walk.h"

#include "rangemap/tree/edit.h"
#include "rangemap/tree/path.h"

static bool walk_leaf(const struct rm_walk *walk, const struct rm_leaf *leaf, unsigned count)
{
    unsigned from = rm_rank(&leaf->node, count, walk->start), to = count;

    from = rm_leaf_from(leaf, count, from, walk->start);
    if (count > 0 && rm_node_keys(&leaf->node)[count - 1] > walk->last) {
        to = rm_leaf_to(leaf, count, from, walk->last); /* not one of the leaves in between */
    }
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

static const struct rm_leaf *walk_down(const struct rangemap *map, uint64_t version, uint64_t key,
                                       unsigned *count, struct rm_span *span, struct rm_walk_place *place)
{
    uint64_t meta;
    struct rm_node *node;

    *place = (struct rm_walk_place){&map->root, rm_load_dependent(&map->root)};
    node = rm_version_of(map, place->word, version, &meta);
    *span = RM_ALL_KEYS;
    while (rm_meta_level(meta) > 0) {
        struct rm_inner *inner = rm_inner(node);
        unsigned children = rm_meta_count(meta);
        unsigned index = rm_child_index(inner, children, key);

        *span = rm_child_span(inner, children, index, *span);
        *place = (struct rm_walk_place){&inner->slot[index], rm_load_dependent(&inner->slot[index])};
        node = rm_version_of(map, place->word, version, &meta);
    }
    *count = rm_meta_count(meta);
    return rm_leaf(node);
}

const struct rm_leaf *rm_walk_leaf(const struct rangemap *map, uint64_t version, uint64_t key,
                                   unsigned *count, struct rm_span *span)
{
    struct rm_walk_place place;

    return walk_down(map, version, key, count, span, &place);
}

const struct rm_leaf *rm_walk_current(const struct rangemap *map, uint64_t key, unsigned *count,
                                      struct rm_span *span, struct rm_walk_place *place)
{
    return walk_down(map, RM_VERSION_CURRENT, key, count, span, place);
}

bool rm_walk_first(void *state, const struct rm_leaf *leaf, unsigned count, unsigned from, unsigned to)
{
    struct rangemap_entry *entry = state;

    if (from < to) {
        *entry = rm_leaf_entry(leaf, count, from);
    }
    return from == to;
}

bool rm_walk_finds_nothing(struct rm_walk *walk)
{
    walk->version = RM_VERSION_CURRENT;
    if (!rm_walk_map(walk)) {
        return false;
    }
    walk->version = rm_version_take(walk->map);
    return rm_walk_map(walk);
}
