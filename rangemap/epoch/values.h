// SPDX-License-Identifier: BSD-2-Clause
/* What a map does with its values: the caller's callbacks from struct rangemap_options. */
#ifndef RANGEMAP_EPOCH_VALUES_H
#define RANGEMAP_EPOCH_VALUES_H

#include "rangemap/base/cancel.h"
#include "rangemap/base/compiler.h"
#include "rangemap/rangemap.h"

struct rm_values {
    rangemap_split_fn *split;
    rangemap_value_fn *release;
    rangemap_value_fn *retain;
    void *context;
} RM_LINE_ALIGNED; /* its address carries a tag, see struct rm_retired */

/* The value for the part [start, last] that remains of `whole`. */
static inline void *rm_values_part(const struct rm_values *values, const struct rangemap_entry *whole,
                                   uint64_t start, uint64_t last)
{
    if (values->split == NULL) {
        return whole->value;
    }
    return values->split(whole, start, last, values->context);
}

/* The value has one owner more, if the map's have any. */
static inline void rm_values_retain(const struct rm_values *values, void *value)
{
    if (values->retain != NULL) {
        int cancel = rm_cancel_hold();

        values->retain(value, values->context);
        rm_cancel_let_through(cancel);
    }
}

#endif
