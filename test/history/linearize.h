// SPDX-License-Identifier: BSD-2-Clause
/*
 * Is there an order of the operations, each at one instant between its begin and its end, in which a plain
 * sequential map would have given all these answers and ended up like this? The search is that of Wing and
 * Gong (1993) with Lowe's (2017) memory of the states that led nowhere.
 */
#ifndef RANGEMAP_TEST_HISTORY_LINEARIZE_H
#define RANGEMAP_TEST_HISTORY_LINEARIZE_H

#include "test/history/model.h"

enum { HISTORY_EVENTS = 64 };

/* Any number of threads; at most one coalesce, and HISTORY_EVENTS parts in all. */
bool linearize(const struct model *initial, const struct operation *const *operations, unsigned count,
               const struct model *final);

/*
 * The same when `open` has begun and never returned: it may have taken effect, whatever it would have answered,
 * or not.
 */
bool linearize_open(const struct model *initial, const struct operation *const *operations, unsigned count,
                    const struct operation *open, const struct model *final);

#endif
