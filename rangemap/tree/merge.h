// SPDX-License-Identifier: BSD-2-Clause
/* When a leaf is so small that it had better join a neighbour. No rule depends on it. */
#ifndef RANGEMAP_TREE_MERGE_H
#define RANGEMAP_TREE_MERGE_H

#include "rangemap/tree/build.h"
#include "rangemap/tree/path.h"

static inline bool rm_neighbour_has_room(const struct rm_inner *parent, unsigned index, unsigned count)
{
    const struct rm_node *node = rm_slot_node(rm_load_dependent(&parent->slot[index]));

    return count == 0 || rm_node_count(node) + count <= RM_MERGED_LEAF_MAX;
}

/* Whether the leaf gets so small that it should join a neighbour under the same parent: a guess. */
static inline bool rm_should_merge(const struct rm_path *path, unsigned count, unsigned new_count)
{
    const struct rm_step *parent;
    const struct rm_inner *inner;
    unsigned index;

    if (new_count >= count || new_count >= RM_LEAF_MIN + (RM_LEAF_MIN == 0) || path->last == 0) {
        return false;
    }
    parent = &path->step[path->last - 1];
    inner = rm_inner(rm_step_node(parent));
    index = (unsigned)(path->step[path->last].slot - inner->slot);
    return (index > 0 && rm_neighbour_has_room(inner, index - 1, new_count)) ||
           (index + 1 < rm_meta_count(parent->meta) && rm_neighbour_has_room(inner, index + 1, new_count));
}

#endif
