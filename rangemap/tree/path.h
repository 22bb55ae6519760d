// SPDX-License-Identifier: BSD-2-Clause
/* The way of an update from the root to the lowest node that covers its whole range. */
#ifndef RANGEMAP_TREE_PATH_H
#define RANGEMAP_TREE_PATH_H

#include "rangemap/node/rank.h"
#include "rangemap/tree/version.h"

struct rm_step {
    rm_word *slot;
    struct rm_node *node; /* what the slot held */
    uint64_t meta;
    bool frozen; /* whether it was frozen */
    struct rm_span span;
};

struct rm_path {
    unsigned last; /* index of the deepest step */
    struct rm_step step[RM_HEIGHT_MAX + 1];
};

/*
 * Descends while one child covers [start, last]. The last step is a leaf, or the inner node at which the
 * ends part. Inside a section.
 */
RM_INTERNAL void rm_path_descend(struct rm_path *path, struct rangemap *map, uint64_t start, uint64_t last);

static inline unsigned rm_child_index(const struct rm_inner *inner, unsigned count, uint64_t key)
{
    return rm_rank(&inner->node, count - 1, key);
}

#endif
