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

/* Entries [from, to) of the leaf give way to those of `put`. */
struct rm_edit {
    unsigned from, to;
    unsigned puts;
    struct rangemap_entry put[3];
    bool has_left_part, has_right_part; /* put[0] and put[puts-1] are what remains of cut ranges */
    bool shares_value;                  /* out of staging: one value gained a second owner */
};

/*
 * RM_DONE: `edit` says what to change. Else the outcome of the operation as far as this leaf tells. `rank` is
 * that of op->start in the leaf.
 */
RM_INTERNAL enum rm_outcome rm_edit_plan(struct rm_edit *edit, struct rm_op *op,
                                         const struct rm_values *values, const struct rm_leaf *leaf,
                                         unsigned count, unsigned rank, enum rm_side side);

/* The copying of a leaf of `count` that it takes. */
static inline struct rm_splice rm_edit_splice(const struct rm_edit *edit, unsigned count)
{
    return (struct rm_splice){count, edit->from, edit->to, edit->puts};
}

static inline unsigned rm_edit_count(const struct rm_edit *edit, unsigned count)
{
    struct rm_splice splice = rm_edit_splice(edit, count);

    return rm_splice_count(&splice);
}

/* Writes the edited leaf, which must fit, into unpublished memory of the right size. */
RM_INTERNAL void rm_edit_apply(const struct rm_edit *edit, const struct rm_leaf *leaf, unsigned count,
                               struct rm_leaf *edited);

RM_INTERNAL bool rm_edit_stage_owned_values(struct rm_edit *edit, const struct rm_op *op,
                                            const struct rm_values *values, const struct rm_leaf *leaf,
                                            unsigned count, struct rm_thread *thread);

/* Stages the release of the values that the edit leaves without an owner. False: out of memory. */
static inline bool rm_edit_stage_values(struct rm_edit *edit, const struct rm_op *op,
                                        const struct rm_values *values, const struct rm_leaf *leaf,
                                        unsigned count, struct rm_thread *thread)
{
    return (values->release == NULL && values->retain == NULL) ||
           rm_edit_stage_owned_values(edit, op, values, leaf, count, thread);
}

/* After the edit took effect: the value that is in two ranges now. */
static inline void rm_edit_retain(const struct rm_edit *edit, const struct rm_values *values)
{
    if (edit->shares_value && values->retain != NULL) {
        values->retain(edit->put[0].value, values->context);
    }
}

#endif
