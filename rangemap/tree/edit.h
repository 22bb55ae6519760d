// SPDX-License-Identifier: BSD-2-Clause
/* What an update does to one leaf. */
#ifndef RANGEMAP_TREE_EDIT_H
#define RANGEMAP_TREE_EDIT_H

#include "rangemap/epoch/retire.h"
#include "rangemap/node/entry.h"
#include "rangemap/node/splice.h"
#include "rangemap/tree/op.h"

/*
 * An update over several leaves edits only the outermost two; those between are dropped. The new range goes
 * to the left one.
 */
enum rm_side { RM_LEFT = 1, RM_RIGHT = 2, RM_BOTH = 3 };

/* Whether a plan may cut ranges; else it ends with RM_LONG_WAY where it would have to, and puts one range at most. */
enum rm_cuts { RM_WHOLE_RANGES, RM_MAY_CUT };

/* Entries [from, to) of the leaf give way to those of `put`. */
struct rm_edit {
    unsigned from, to;
    unsigned puts;
    struct rangemap_entry put[3];
    bool has_left_part, has_right_part; /* put[0] and put[puts-1] are what remains of cut ranges */
    bool shares_value;                  /* out of staging: one value gained a second owner */
};

static inline void rm_edit_put(struct rm_edit *edit, uint64_t start, uint64_t last, void *value)
{
    edit->put[edit->puts++] = (struct rangemap_entry){start, last, value};
}

/* Insert, store, carve and join: cut what sticks out of [op->start, op->last], drop what is inside. */
RM_ALWAYS_INLINE enum rm_outcome rm_edit_plan_spanning(struct rm_edit *edit, struct rm_op *op,
                                                       const struct rm_values *values,
                                                       const struct rm_leaf *leaf, unsigned count,
                                                       unsigned rank, enum rm_side side, enum rm_cuts cuts)
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
            if (cuts == RM_WHOLE_RANGES) {
                return RM_LONG_WAY;
            }
            edit->has_left_part = true;
            rm_edit_put(edit, entry.start, op->start - 1,
                        rm_values_part(values, &entry, entry.start, op->start - 1));
        }
    } else if (op->kind == RM_CARVE && side == RM_BOTH) {
        return RM_NOTHING;
    }
    if (rm_op_adds_range(op) && (side & RM_LEFT) != 0) {
        rm_edit_put(edit, op->start, op->last, op->value);
    }
    if (edit->from < edit->to) {
        entry = rm_leaf_entry(leaf, count, edit->to - 1);
        if (entry.last > op->last) {
            if (cuts == RM_WHOLE_RANGES) {
                return RM_LONG_WAY;
            }
            edit->has_right_part = true;
            rm_edit_put(edit, op->last + 1, entry.last,
                        rm_values_part(values, &entry, op->last + 1, entry.last));
        }
    }
    return RM_DONE;
}

/* Erase and replace: one whole range, in this leaf or nowhere; of two leaves, in the right one. */
RM_ALWAYS_INLINE enum rm_outcome rm_edit_plan_single(struct rm_edit *edit, struct rm_op *op,
                                                     const struct rm_leaf *leaf, unsigned count,
                                                     unsigned rank, enum rm_side side)
{
    edit->from = rm_leaf_from(leaf, count, rank, op->start);
    edit->to = rank;
    if (edit->from == rank) {
        return side == RM_LEFT ? RM_DONE : RM_NOTHING; /* the left one is there for its span (G1) */
    }
    op->found = rm_leaf_entry(leaf, count, edit->from);
    if (op->kind == RM_ERASE) {
        return RM_DONE;
    }
    if (op->found.start != op->start || op->found.last != op->end) {
        return RM_NOTHING;
    }
    if (op->kind == RM_ERASE_EXACT) {
        return RM_DONE;
    }
    if (op->found.value != op->expected) {
        return RM_STALE;
    }
    if (op->kind == RM_REPLACE) {
        rm_edit_put(edit, op->start, op->end, op->value);
    }
    return RM_DONE;
}

/*
 * RM_DONE: `edit` says what to change. Else the outcome of the operation as far as this leaf tells. `rank` is
 * that of op->start in the leaf.
 */
RM_ALWAYS_INLINE enum rm_outcome rm_edit_plan(struct rm_edit *edit, struct rm_op *op,
                                              const struct rm_values *values, const struct rm_leaf *leaf,
                                              unsigned count, unsigned rank, enum rm_side side,
                                              enum rm_cuts cuts)
{
    edit->puts = 0;
    edit->has_left_part = false;
    edit->has_right_part = false;
    edit->shares_value = false;
    return rm_op_is_spanning(op) ? rm_edit_plan_spanning(edit, op, values, leaf, count, rank, side, cuts)
                                 : rm_edit_plan_single(edit, op, leaf, count, rank, side);
}

static inline unsigned rm_edit_count(const struct rm_edit *edit, unsigned count)
{
    return rm_spliced_count(count, edit->from, edit->to, edit->puts);
}

static inline void rm_edit_write(const struct rm_edit *edit, unsigned index, struct rm_leaf *edited,
                                 unsigned new_count)
{
    const struct rangemap_entry *put = &edit->put[index];

    rm_node_keys(&edited->node)[edit->from + index] = put->start;
    rm_leaf_pairs(edited, new_count)[edit->from + index] = (struct rm_pair){put->last, put->value};
}

/* Writes the edited leaf, of `new_count`, into unpublished memory of the right size. */
RM_ALWAYS_INLINE void rm_edit_apply(rm_splice_fn *splice, enum rm_cuts cuts, const struct rm_edit *edit,
                                    const struct rm_leaf *leaf, unsigned count, struct rm_leaf *edited,
                                    unsigned new_count)
{
    splice(edited, leaf, count, edit->from, edit->to, edit->puts);
    if (edit->puts > 0) {
        rm_edit_write(edit, 0, edited, new_count);
    }
    for (unsigned i = 1; cuts == RM_MAY_CUT && i < edit->puts; i++) {
        rm_edit_write(edit, i, edited, new_count);
    }
}

/* Of `count` ranges, of which no part remains. */
RM_INTERNAL bool rm_edit_stage_whole(const struct rm_pair *pair, unsigned count,
                                     const struct rm_values *values, struct rm_thread *thread);

/* Of those that the edit drops; ranges put may carry on the ownership of some. */
RM_INTERNAL bool rm_edit_stage_carried(struct rm_edit *edit, const struct rm_op *op,
                                       const struct rm_values *values, const struct rm_pair *pair,
                                       struct rm_thread *thread);

/* Stages the release of the values that the edit leaves without an owner. False: out of memory. */
RM_ALWAYS_INLINE bool rm_edit_stage_values(enum rm_cuts cuts, struct rm_edit *edit, const struct rm_op *op,
                                           const struct rm_values *values, const struct rm_leaf *leaf,
                                           unsigned count, struct rm_thread *thread)
{
    const struct rm_pair *pair = rm_leaf_pairs(leaf, count);

    return cuts == RM_MAY_CUT ? rm_edit_stage_carried(edit, op, values, pair, thread)
                              : rm_edit_stage_whole(pair + edit->from, edit->to - edit->from, values, thread);
}

/* After the edit took effect: the value that is in two ranges now. */
static inline void rm_edit_retain(const struct rm_edit *edit, const struct rm_values *values)
{
    if (edit->shares_value) {
        rm_values_retain(values, edit->put[0].value);
    }
}

#endif
