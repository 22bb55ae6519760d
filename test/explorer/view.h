// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a thread, or who reads a message of it, may no longer overlook. Every access of a thread has a number, from 1
 * on; a view says up to which one of each thread it reaches.
 */
#ifndef RANGEMAP_TEST_EXPLORER_VIEW_H
#define RANGEMAP_TEST_EXPLORER_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "test/explorer/schedule.h"

struct view {
    uint32_t seen[SCHEDULE_THREADS];   /* what is not older than these must not be read any more */
    uint32_t before[SCHEDULE_THREADS]; /* these happened before; less than `seen` where fences alone order */
    uint32_t fence;                    /* the last of the sequentially consistent fences that came before */
    uint32_t order; /* the last of all sequentially consistent accesses and fences that did */
};

static inline uint32_t view_later(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static inline void view_join(struct view *view, const struct view *other)
{
    for (unsigned i = 0; i < SCHEDULE_THREADS; i++) {
        view->seen[i] = view_later(view->seen[i], other->seen[i]);
        view->before[i] = view_later(view->before[i], other->before[i]);
    }
    view->fence = view_later(view->fence, other->fence);
    view->order = view_later(view->order, other->order);
}

/* Whether all accesses of `last`, one of each thread, happened before. */
static inline bool view_is_after(const struct view *view, const uint32_t last[SCHEDULE_THREADS])
{
    bool is = true;

    for (unsigned i = 0; i < SCHEDULE_THREADS; i++) {
        is &= last[i] <= view->before[i];
    }
    return is;
}

#endif
