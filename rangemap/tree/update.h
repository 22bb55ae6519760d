// SPDX-License-Identifier: BSD-2-Clause
/* Runs an update: finds its place, publishes it, cleans up after it. */
#ifndef RANGEMAP_TREE_UPDATE_H
#define RANGEMAP_TREE_UPDATE_H

#include "rangemap/tree/short.h"

/* An attempt the long way. */
RM_INTERNAL enum rm_outcome rm_update_long(struct rangemap *map, struct rm_thread *thread, struct rm_op *op);

static inline enum rm_outcome rm_update_attempt(struct rangemap *map, struct rm_thread *thread,
                                                struct rm_op *op)
{
    enum rm_outcome outcome = RM_LONG_WAY;

    if (RM_LIKELY(!map->tracks_gaps && op->kind != RM_JOIN)) {
        outcome = rm_short_update(map, thread, op);
    }
    return RM_UNLIKELY(outcome == RM_LONG_WAY) ? rm_update_long(map, thread, op) : outcome;
}

/*
 * RM_DONE or the reason why nothing changed; never RM_RETRY. Lock-free; a section of its own. Runs the
 * callbacks of op and map.
 */
static inline enum rm_outcome rm_update(struct rangemap *map, struct rm_thread *thread, struct rm_op *op)
{
    enum rm_outcome outcome;

    rm_busy_enter(thread);
    rm_section_enter(thread);
    while (RM_UNLIKELY((outcome = rm_update_attempt(map, thread, op)) == RM_RETRY)) {
        rm_count_own(&thread->retries, 1);
    }
    rm_section_leave(thread);
    rm_busy_leave(thread);
    return outcome;
}

/* What all nodes weigh that so many updates can take, whatever happens meanwhile. */
RM_INTERNAL uint64_t rm_update_bytes_max(const struct rangemap *map, unsigned updates);

#endif
