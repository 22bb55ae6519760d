// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/tree/edit.h"

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

bool rm_edit_stage_whole(const struct rm_pair *pair, unsigned count, const struct rm_values *values,
                         struct rm_thread *thread)
{
    for (unsigned i = 0; i < count; i++) {
        if (!rm_retire_stage_value(thread, pair[i].value, values)) {
            return false;
        }
    }
    return true;
}

bool rm_edit_stage_carried(struct rm_edit *edit, const struct rm_op *op, const struct rm_values *values,
                           const struct rm_pair *pair, struct rm_thread *thread)
{
    if (values->release == NULL && values->retain == NULL) {
        return true;
    }
    for (unsigned i = edit->from; i < edit->to; i++) {
        unsigned owners = carried(edit, op, i, pair[i].value);

        if (owners == 0 && !rm_retire_stage_value(thread, pair[i].value, values)) {
            return false;
        }
        edit->shares_value = owners == 2;
    }
    return true;
}
