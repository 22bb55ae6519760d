// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/tree/spine.h"

void rm_spine_trace(struct rm_spine *spine, struct rm_node *node, struct rm_span span, uint64_t key)
{
    spine->top = rm_node_level(node);
    for (unsigned level = spine->top; level > 0; level--) {
        struct rm_turn *turn = &spine->at[level];

        turn->inner = rm_inner(node);
        turn->count = rm_node_count(node);
        turn->index = rm_child_index(turn->inner, turn->count, key);
        turn->span = span;
        span = rm_turn_span(turn, turn->index);
        node = rm_frozen_child(turn->inner, turn->index);
    }
    spine->leaf = rm_leaf(node);
    spine->leaf_span = span;
}

bool rm_spine_is_last(const struct rm_spine *spine, unsigned level)
{
    for (; level <= spine->top; level++) {
        if (spine->at[level].index + 1 < spine->at[level].count) {
            return false;
        }
    }
    return true;
}

uint64_t rm_spine_leaves_high(const struct rm_spine *spine)
{
    return spine->top == 0 ? spine->leaf_span.high : rm_turn_span(&spine->at[1], spine->at[1].index).high;
}

struct rm_node *rm_spine_right(const struct rm_spine *spine, unsigned level)
{
    const struct rm_turn *turn = &spine->at[level + 1];
    bool has = level + 1 <= spine->top && turn->index + 1 < turn->count;

    return has ? rm_frozen_child(turn->inner, turn->index + 1) : NULL;
}
