// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a map is meant to do, as plainly as possible: a sorted array, one operation at a time. It always tells
 * the truth.
 */
#ifndef RANGEMAP_TEST_HISTORY_MODEL_H
#define RANGEMAP_TEST_HISTORY_MODEL_H

#include "test/history/operation.h"

struct model {
    bool splits; /* values move with the start of their range: operation_split() */
    unsigned count;
    uint64_t joined; /* by the one coalesce of the history, so far */
    struct rangemap_entry entry[OPERATION_ENTRIES];
};

/*
 * How many parts an operation has: mostly one. Those of a batch and of a cursor are separate observations,
 * each true at an instant of its own.
 */
unsigned model_parts(const struct operation *operation);

/* How an operation, or a part, relates to the map as it is. */
enum model_verdict {
    MODEL_NO,      /* it would have answered otherwise */
    MODEL_SAME,    /* it answered so and changed nothing */
    MODEL_CHANGED, /* it answered so; the model shows what it made of the map */
    MODEL_JOINS    /* a coalesce that has ranges left to join; see model_join() */
};
enum model_verdict model_apply(struct model *model, const struct operation *operation, unsigned part);

/* model_apply() for what changes nothing: test/history/read.c. */
enum model_verdict model_read(const struct model *model, const struct operation *operation, unsigned part);

/* model_apply() for what rewrites a window: test/history/window.c. */
enum model_verdict model_rewrite(struct model *model, const struct operation *operation);

/* Joins entries [from, to], both included, if a coalesce may do that now. */
bool model_join(struct model *model, const struct operation *operation, unsigned from, unsigned to);

bool model_equal(const struct model *a, const struct model *b);

/* Copies what is in use. */
void model_copy(struct model *to, const struct model *from);

#endif
