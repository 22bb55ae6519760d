// SPDX-License-Identifier: BSD-2-Clause
/* Visits the leaves of a range in order, in the tree as it is or as of a version. Inside a section. */
#ifndef RANGEMAP_TREE_WALK_H
#define RANGEMAP_TREE_WALK_H

#include "rangemap/tree/version.h"

enum rm_direction { RM_UPWARD, RM_DOWNWARD };

/*
 * Entries [from, to) of a leaf of `count` share a key with the range that is walked; from == to if none do.
 * False stops the walk.
 */
typedef bool rm_walk_fn(void *state, const struct rm_leaf *leaf, unsigned count, unsigned from, unsigned to);

struct rm_walk {
    const struct rangemap *map;
    uint64_t version; /* RM_VERSION_CURRENT: no common instant */
    uint64_t start, last;
    enum rm_direction direction;
    rm_walk_fn *visit;
    void *state;
};

/* Walks below `node`, which must cover the range. False: `visit` stopped it. */
RM_INTERNAL bool rm_walk_node(const struct rm_walk *walk, const struct rm_node *node, uint64_t meta);

/* Walks the whole map. */
RM_INTERNAL bool rm_walk_map(const struct rm_walk *walk);

/* The leaf that covers `key` as of walk->version, and its span. */
RM_INTERNAL const struct rm_leaf *rm_walk_leaf(const struct rangemap *map, uint64_t version, uint64_t key,
                                               unsigned *count, struct rm_span *span);

/* A walk's `visit` that takes the first entry into *(struct rangemap_entry *)state and stops. */
RM_INTERNAL bool rm_walk_first(void *state, const struct rm_leaf *leaf, unsigned count, unsigned from,
                               unsigned to);

#endif
