// SPDX-License-Identifier: BSD-2-Clause
/* What must be true of a run: NULL, or what is not. */
#ifndef RANGEMAP_TEST_EXPLORER_JUDGE_H
#define RANGEMAP_TEST_EXPLORER_JUDGE_H

#include "rangemap/memory/pool.h"
#include "test/explorer/world.h"
#include "test/history/model.h"

/* What each thread does to a map that was `initial`, and what came of it. */
struct judge_history {
    struct model initial;
    unsigned threads;
    unsigned operations[WORLD_THREADS];
    struct operation operation[WORLD_THREADS][WORLD_STEPS];
};

/*
 * Some order of the operations explains all answers and the map that is left. Without a thread that was parked all
 * operations return; of that thread, one may be open and some never begun.
 */
const char *judge_history(const struct judge_history *history, const struct model *final);

/* With no thread at work, the hints lead to every free node: none is hidden. */
const char *judge_pool(const struct rm_pool *pool);

#endif
