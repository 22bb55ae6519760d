// SPDX-License-Identifier: BSD-2-Clause
/* A frozen inner node that a fold rebuilds, and which of its children the update touches. */
#ifndef RANGEMAP_TREE_FRAME_H
#define RANGEMAP_TREE_FRAME_H

#include "rangemap/tree/build.h"
#include "rangemap/tree/edit.h"
#include "rangemap/tree/freeze.h"
#include "rangemap/tree/path.h"

struct rm_frame {
    struct rm_inner *inner;
    unsigned count, level;
    struct rm_span span;
    enum rm_side side; /* which ends of the update lie in it */
    unsigned from, to; /* children it touches, inclusive; those strictly inside are dropped */
    bool keeps_to;     /* false: child `to` is dropped as well */
};

/* Of an update with the route [low, last], whose ends `side` lie in `node`, which covers `span`. */
RM_INTERNAL struct rm_frame rm_frame_enter(struct rm_node *node, struct rm_span span, enum rm_side side,
                                           uint64_t low, uint64_t last);

/* Which children are rebuilt, and which dropped: calls nothing, decides for leaves and inner nodes alike. */
struct rm_child_plan {
    bool left, right; /* child `from` is the left spine, child `to` the right spine */
    bool same;        /* both are one child */
    unsigned drop_from, drop_to;
};

RM_INTERNAL struct rm_child_plan rm_frame_plan_children(const struct rm_frame *frame);

static inline struct rm_span rm_frame_span(const struct rm_frame *frame, unsigned index)
{
    return rm_child_span(frame->inner, frame->count, index, frame->span);
}

/* Appends children [from, to), with their classes as they are after the freeze (G5), to the row. */
RM_INTERNAL void rm_frame_reuse(const struct rm_frame *frame, unsigned from, unsigned to, struct rm_row *row);

/* The neighbours that a small node may take in; NULL where there is none. */
RM_INTERNAL struct rm_node *rm_frame_left_neighbour(const struct rm_frame *frame);
RM_INTERNAL struct rm_node *rm_frame_right_neighbour(const struct rm_frame *frame);

#endif
