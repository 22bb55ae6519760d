// SPDX-License-Identifier: BSD-2-Clause
/*
 * Freezing: what an update does to the inner nodes that it is about to replace, so that no thread changes their
 * slots any more (rule R2). FROZEN bits are never cleared: frozen nodes are replaced.
 */
#ifndef RANGEMAP_TREE_FREEZE_H
#define RANGEMAP_TREE_FREEZE_H

#include "rangemap/tree/version.h"

/* Freezes every slot of one inner node and stamps every child. */
RM_INTERNAL void rm_freeze_node(const struct rangemap *map, struct rm_inner *inner);

/*
 * Freezes, top-down, every inner node at and below `node` whose span touches [start, last]. What lies there
 * cannot change afterwards. Returns the bytes of all nodes on the way, leaves included.
 */
RM_INTERNAL uint64_t rm_freeze_region(const struct rangemap *map, struct rm_node *node, uint64_t start,
                                      uint64_t last);

/* A child pointer of a frozen node. */
static inline struct rm_node *rm_frozen_child(struct rm_inner *inner, unsigned index)
{
    return rm_slot_node(rm_load_relaxed(&inner->slot[index]));
}

/* The word of such a slot, for an unfrozen slot of the node that takes its place; G5: with the class it has now. */
static inline uint64_t rm_frozen_word(struct rm_inner *inner, unsigned index)
{
    return rm_load_relaxed(&inner->slot[index]) & ~RM_FROZEN;
}

#endif
