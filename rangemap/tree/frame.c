// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/tree/frame.h"

struct rm_frame rm_frame_enter(struct rm_node *node, struct rm_span span, enum rm_side side, uint64_t low,
                               uint64_t last)
{
    struct rm_frame frame = {.inner = rm_inner(node), .span = span, .side = side};

    frame.count = rm_node_count(node);
    frame.level = rm_node_level(node);
    frame.to = frame.count - 1;
    if ((side & RM_LEFT) != 0) {
        frame.from = rm_child_index(frame.inner, frame.count, low);
    }
    if ((side & RM_RIGHT) != 0) {
        frame.to = rm_child_index(frame.inner, frame.count, last);
        /* Nothing of it is left. The left spine goes on, to cover what becomes free (R3). */
        frame.keeps_to = last < rm_frame_span(&frame, frame.to).high;
    }
    return frame;
}

struct rm_child_plan rm_frame_plan_children(const struct rm_frame *frame)
{
    struct rm_child_plan plan = {0};

    plan.left = (frame->side & RM_LEFT) != 0;
    plan.same = frame->side == RM_BOTH && frame->from == frame->to;
    plan.right = (frame->side & RM_RIGHT) != 0 && frame->keeps_to && !plan.same;
    plan.drop_from = plan.left ? frame->from + 1 : 0;
    plan.drop_to = plan.right || plan.same ? frame->to : frame->to + 1;
    if (plan.same) {
        plan.drop_from = plan.drop_to;
    }
    return plan;
}

void rm_frame_reuse(const struct rm_frame *frame, unsigned from, unsigned to, struct rm_row *row)
{
    for (unsigned i = from; i < to; i++) {
        rm_row_append(row, rm_frame_span(frame, i).low, rm_frozen_word(frame->inner, i));
    }
}

struct rm_node *rm_frame_left_neighbour(const struct rm_frame *frame)
{
    bool has = (frame->side & RM_LEFT) != 0 && frame->from > 0;

    return has ? rm_frozen_child(frame->inner, frame->from - 1) : NULL;
}

struct rm_node *rm_frame_right_neighbour(const struct rm_frame *frame)
{
    bool has = (frame->side & RM_RIGHT) != 0 && frame->to + 1 < frame->count;

    return has ? rm_frozen_child(frame->inner, frame->to + 1) : NULL;
}
