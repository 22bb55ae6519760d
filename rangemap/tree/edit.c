// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/tree/edit.h"

#include <string.h>

#include "rangemap/node/rank.h"

struct rangemap_entry rm_leaf_entry(const struct rm_leaf *leaf, unsigned count, unsigned index)
{
    const struct rm_pair *pair = rm_leaf_pairs(leaf, count) + index;

    return (struct rangemap_entry){rm_node_keys(&leaf->node)[index], pair->last, pair->value};
}

void rm_leaf_overlap(const struct rm_leaf *leaf, unsigned count, uint64_t start, uint64_t last,
                     unsigned *from, unsigned *to)
{
    const uint64_t *starts = rm_node_keys(&leaf->node);
    unsigned rank = rm_rank(&leaf->node, count, start);
    unsigned end = rank;

    /* Few ranges overlap, mostly: stepping beats a second search. */
    while (end < count && starts[end] <= last) {
        end++;
    }
    *to = end;
    *from = rank - (rank > 0 && rm_leaf_pairs(leaf, count)[rank - 1].last >= start);
}

static void put(struct rm_edit *edit, uint64_t start, uint64_t last, void *value)
{
    edit->put[edit->puts++] = (struct rangemap_entry){start, last, value};
}

/* Insert, store, carve and join: cut what sticks out of [op->start, op->last], drop what is inside. */
static enum rm_outcome plan_spanning(struct rm_edit *edit, struct rm_op *op, const struct rm_values *values,
                                     const struct rm_leaf *leaf, unsigned count, enum rm_side side)
{
    struct rangemap_entry entry;

    rm_leaf_overlap(leaf, count, op->start, op->last, &edit->from, &edit->to);
    if (edit->from < edit->to) {
        entry = rm_leaf_entry(leaf, count, edit->from);
        if (op->kind == RM_INSERT) {
            op->found = entry;
            return RM_CONFLICT;
        }
        if (entry.start < op->start) {
            edit->has_left_part = true;
            put(edit, entry.start, op->start - 1, rm_values_part(values, &entry, entry.start, op->start - 1));
        }
    } else if (op->kind == RM_CARVE && side == RM_BOTH) {
        return RM_NOTHING;
    }
    if (rm_op_adds_range(op) && (side & RM_LEFT) != 0) {
        put(edit, op->start, op->last, op->value);
    }
    if (edit->from < edit->to) {
        entry = rm_leaf_entry(leaf, count, edit->to - 1);
        if (entry.last > op->last) {
            edit->has_right_part = true;
            put(edit, op->last + 1, entry.last, rm_values_part(values, &entry, op->last + 1, entry.last));
        }
    }
    return RM_DONE;
}

/* Erase and replace: one whole range, in this leaf or nowhere. */
static enum rm_outcome plan_single(struct rm_edit *edit, struct rm_op *op, const struct rm_leaf *leaf,
                                   unsigned count)
{
    struct rangemap_entry entry;

    rm_leaf_overlap(leaf, count, op->start, op->start, &edit->from, &edit->to);
    if (edit->from == edit->to) {
        return RM_NOTHING;
    }
    entry = rm_leaf_entry(leaf, count, edit->from);
    if (op->kind != RM_ERASE && (entry.start != op->start || entry.last != op->end)) {
        return RM_NOTHING;
    }
    op->found = entry;
    if (op->kind == RM_REPLACE) {
        if (entry.value != op->expected) {
            return RM_STALE;
        }
        put(edit, entry.start, entry.last, op->value);
    }
    return RM_DONE;
}

enum rm_outcome rm_edit_plan(struct rm_edit *edit, struct rm_op *op, const struct rm_values *values,
                             const struct rm_leaf *leaf, unsigned count, enum rm_side side)
{
    edit->puts = 0;
    edit->has_left_part = false;
    edit->has_right_part = false;
    edit->shares_value = false;
    return rm_op_is_spanning(op) ? plan_spanning(edit, op, values, leaf, count, side)
                                 : plan_single(edit, op, leaf, count);
}

void rm_edit_apply(const struct rm_edit *edit, const struct rm_leaf *leaf, unsigned count,
                   struct rm_leaf *edited)
{
    const uint64_t *start = rm_node_keys(&leaf->node);
    const struct rm_pair *pair = rm_leaf_pairs(leaf, count);
    unsigned new_count = rm_edit_count(edit, count);
    uint64_t *new_start = rm_node_keys(&edited->node);
    struct rm_pair *new_pair = rm_leaf_pairs(edited, new_count);
    unsigned tail = edit->from + edit->puts;

    memcpy(new_start, start, edit->from * sizeof *start);
    memcpy(new_pair, pair, edit->from * sizeof *pair);
    for (unsigned i = 0; i < edit->puts; i++) {
        new_start[edit->from + i] = edit->put[i].start;
        new_pair[edit->from + i] = (struct rm_pair){edit->put[i].last, edit->put[i].value};
    }
    memcpy(new_start + tail, start + edit->to, (count - edit->to) * sizeof *start);
    memcpy(new_pair + tail, pair + edit->to, (count - edit->to) * sizeof *pair);
}

/* How many of the ranges put carry on the ownership of the value of entry `index`. */
static unsigned carried(const struct rm_edit *edit, const struct rm_op *op, unsigned index, const void *value)
{
    unsigned owners = 0;

    if (op->kind == RM_JOIN) {
        /* The leftmost of the run lends its value to the whole. */
        return index == edit->from && edit->puts > 0;
    }
    owners += edit->has_left_part && index == edit->from && edit->put[0].value == value;
    owners += edit->has_right_part && index + 1 == edit->to && edit->put[edit->puts - 1].value == value;
    return owners;
}

bool rm_edit_stage_values(struct rm_edit *edit, const struct rm_op *op, const struct rm_values *values,
                          const struct rm_leaf *leaf, unsigned count, struct rm_thread *thread)
{
    const struct rm_pair *pair = rm_leaf_pairs(leaf, count);

    for (unsigned i = edit->from; i < edit->to; i++) {
        unsigned owners = carried(edit, op, i, pair[i].value);

        if (owners == 0 && !rm_retire_stage_value(thread, pair[i].value, values)) {
            return false;
        }
        edit->shares_value = owners == 2;
    }
    return true;
}
