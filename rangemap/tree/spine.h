// SPDX-License-Identifier: BSD-2-Clause
/* The way through a frozen region down to one end of a rewrite's route, and what lies beside it. */
#ifndef RANGEMAP_TREE_SPINE_H
#define RANGEMAP_TREE_SPINE_H

#include "rangemap/tree/build.h"
#include "rangemap/tree/freeze.h"
#include "rangemap/tree/path.h"

/* An inner node on the way, and which of its children the way goes on with. */
struct rm_turn {
    struct rm_inner *inner;
    unsigned count, index;
    struct rm_span span;
};

struct rm_spine {
    struct rm_turn at[RM_HEIGHT_MAX + 1]; /* by level, from 1 on */
    unsigned top;                         /* the anchor's level */
    struct rm_leaf *leaf;
    struct rm_span leaf_span;
};

/* From `node`, which covers `span`, to the leaf of `key`. */
RM_INTERNAL void rm_spine_trace(struct rm_spine *spine, struct rm_node *node, struct rm_span span,
                                uint64_t key);

static inline struct rm_span rm_turn_span(const struct rm_turn *turn, unsigned index)
{
    return rm_child_span(turn->inner, turn->count, index, turn->span);
}

/* A child as it is to be in a new node; its class as it is after the freeze (G5). */
static inline struct rm_child rm_turn_child(const struct rm_turn *turn, unsigned index)
{
    return (struct rm_child){rm_turn_span(turn, index).low, rm_frozen_word(turn->inner, index)};
}

/* Whether beside the way, on the right, there is nothing from `level` on upwards. */
RM_INTERNAL bool rm_spine_is_last(const struct rm_spine *spine, unsigned level);

/* The last key that the leaves below the lowest inner node on the way cover, up to the way's own. */
RM_INTERNAL uint64_t rm_spine_leaves_high(const struct rm_spine *spine);

/* The node of `level` next to the way on the right, under the same parent: NULL if there is none. */
RM_INTERNAL struct rm_node *rm_spine_right(const struct rm_spine *spine, unsigned level);

#endif
