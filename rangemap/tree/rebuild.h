// SPDX-License-Identifier: BSD-2-Clause
/*
 * The fold (rule R1): a frozen region is rebuilt with an update applied to it, as private nodes that one
 * compare-and-swap at the anchor will put in its place.
 *
 * The region is the anchor's node and below it both spines of [low, op->last] and everything between
 * them. The spines are rebuilt fresh, what is between is dropped, all other children are reused as they are
 * and keep exactly their spans (R3). Nodes that get too small take in a neighbour.
 */
#ifndef RANGEMAP_TREE_REBUILD_H
#define RANGEMAP_TREE_REBUILD_H

#include "rangemap/tree/build.h"
#include "rangemap/tree/edit.h"
#include "rangemap/tree/path.h"

struct rm_rebuild {
    struct rangemap *map;
    struct rm_op *op;
    struct rm_thread *thread;
    uint64_t low;       /* where the route of the update begins: op->start, or the key before it (G1) */
    uint64_t left_high; /* the last key that the left spine is to cover, if there is a right one */
    struct rm_builder builder;
    struct rm_edit edit;     /* of the one leaf, if only one is edited */
    enum rm_outcome outcome; /* why it stopped, if it did not end in RM_DONE */
    uint64_t bytes;          /* of everything staged for retirement */
};

static inline void rm_rebuild_init(struct rm_rebuild *rebuild, struct rangemap *map, struct rm_op *op,
                                   uint64_t low, struct rm_thread *thread)
{
    rebuild->low = low;
    rebuild->left_high = op->last;
    rebuild->map = map;
    rebuild->op = op;
    rebuild->thread = thread;
    rebuild->outcome = RM_DONE;
    rebuild->bytes = 0;
    rm_builder_init(&rebuild->builder, map, thread);
}

/*
 * Rebuilds the region at `anchor`, which is frozen and covers `span`, and stages what it replaces. RM_DONE: *top
 * is the word to publish. Else the outcome of the operation; the caller discards and aborts.
 */
RM_INTERNAL enum rm_outcome rm_rebuild_region(struct rm_rebuild *rebuild, const struct rm_step *anchor,
                                              struct rm_span span, uint64_t *top);

#endif
