// SPDX-License-Identifier: BSD-2-Clause
/* Runs of touching, equal ranges. */
#ifndef RANGEMAP_TREE_JOIN_H
#define RANGEMAP_TREE_JOIN_H

#include "rangemap/tree/op.h"

static inline bool rm_join_equal(const struct rm_op *op, const struct rangemap_entry *left,
                                 const struct rangemap_entry *right)
{
    return op->equal == NULL ? left->value == right->value : op->equal(left, right, op->equal_context);
}

/*
 * Whether the ranges in [op->start, op->last] below `node`, two or more, fill it exactly, begin with value op->value,
 * and are pairwise equal: op->joined is their number less one. They need not be those that rm_join_find() saw. Inside
 * a section; `node` is a leaf or frozen.
 */
RM_INTERNAL bool rm_join_is_valid(const struct rangemap *map, struct rm_op *op, const struct rm_node *node,
                                  uint64_t meta);

/*
 * The first run of two or more in [start, last] as of now: its bounds and value go to `op`. False: there is none.
 * Inside a section.
 */
RM_INTERNAL bool rm_join_find(const struct rangemap *map, struct rm_op *op, uint64_t start, uint64_t last);

#endif
