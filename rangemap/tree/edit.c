// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/tree/edit.h"

static void put(struct rm_edit *edit, uint64_t start, uint64_t last, void *value)
{
    edit->put[edit->puts++] = (struct rangemap_entry){start, last, value};
}

/* Insert, store, carve and join: cut what sticks out of [op->start, op->last], drop what is inside. */
static enum rm_outcome plan_spanning(struct rm_edit *edit, struct rm_op *op, const struct rm_values *values,
                                     const struct rm_leaf *leaf, unsigned count, unsigned rank,
                                     enum rm_side side)
{
    struct rangemap_entry entry;

    edit->from = rm_leaf_from(leaf, count, rank, op->start);
    edit->to = rm_leaf_to(leaf, count, rank, op->last);
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
                                   unsigned count, unsigned rank)
{
    edit->from = rm_leaf_from(leaf, count, rank, op->start);
    edit->to = rank;
    if (edit->from == rank) {
        return RM_NOTHING;
    }
    op->found = rm_leaf_entry(leaf, count, edit->from);
    if (op->kind == RM_ERASE) {
        return RM_DONE;
    }
    if (op->found.start != op->start || op->found.last != op->end) {
        return RM_NOTHING;
    }
    if (op->kind == RM_REPLACE) {
        if (op->found.value != op->expected) {
            return RM_STALE;
        }
        put(edit, op->start, op->end, op->value);
    }
    return RM_DONE;
}

enum rm_outcome rm_edit_plan(struct rm_edit *edit, struct rm_op *op, const struct rm_values *values,
                             const struct rm_leaf *leaf, unsigned count, unsigned rank, enum rm_side side)
{
    edit->puts = 0;
    edit->has_left_part = false;
    edit->has_right_part = false;
    edit->shares_value = false;
    return rm_op_is_spanning(op) ? plan_spanning(edit, op, values, leaf, count, rank, side)
                                 : plan_single(edit, op, leaf, count, rank);
}

void rm_edit_apply(const struct rm_edit *edit, const struct rm_leaf *leaf, unsigned count,
                   struct rm_leaf *edited)
{
    struct rm_splice splice = rm_edit_splice(edit, count);
    uint64_t *start = rm_node_keys(&edited->node) + edit->from;
    struct rm_pair *pair = rm_leaf_pairs(edited, rm_splice_count(&splice)) + edit->from;

    rm_splice(edited, leaf, &splice);
    for (unsigned i = 0; i < edit->puts; i++) {
        start[i] = edit->put[i].start;
        pair[i] = (struct rm_pair){edit->put[i].last, edit->put[i].value};
    }
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

bool rm_edit_stage_owned_values(struct rm_edit *edit, const struct rm_op *op, const struct rm_values *values,
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
