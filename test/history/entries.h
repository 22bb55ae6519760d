// SPDX-License-Identifier: BSD-2-Clause
/* Entries, for the files that say what operations mean to them. */
#ifndef RANGEMAP_TEST_HISTORY_ENTRIES_H
#define RANGEMAP_TEST_HISTORY_ENTRIES_H

#include "test/history/model.h"

static inline bool same_entry(const struct rangemap_entry *a, const struct rangemap_entry *b)
{
    return a->start == b->start && a->last == b->last && a->value == b->value;
}

static inline enum model_verdict same_if(bool holds)
{
    return holds ? MODEL_SAME : MODEL_NO;
}

/* The entries that share a key with [start, last] are [*from, result). */
unsigned model_overlap(const struct model *model, uint64_t start, uint64_t last, unsigned *from);

/* Whether the answer was exactly entries [from, to), in the order asked for. */
bool model_answered(const struct model *model, const struct operation *operation, unsigned from, unsigned to);

/* The first fit, by trying every key of the window. */
bool model_first_fit(const struct model *model, const struct operation *operation, uint64_t *start);

#endif
