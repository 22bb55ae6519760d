// SPDX-License-Identifier: BSD-2-Clause
/* Questions about several ranges, answered as of one instant. */
#ifndef RANGEMAP_MAP_QUERY_H
#define RANGEMAP_MAP_QUERY_H

#include "rangemap/tree/walk.h"

/*
 * Runs a walk, whose state is `state_bytes` long (at most RM_QUERY_STATE_BYTES), so that all that it ends up with was
 * true at one instant: if one leaf settles it, by reading that leaf; if a few do, by reading them in turn and finding
 * that they are all still in the tree; else once more, from the state it began with, in a snapshot. Wait-free. In a
 * section of its own. False: out of memory.
 */
RM_INTERNAL bool rm_query_run(struct rm_walk *walk, size_t state_bytes);

enum { RM_QUERY_STATE_BYTES = 96 };

#endif
