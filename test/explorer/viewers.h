// SPDX-License-Identifier: BSD-2-Clause
/* The threads of weak memory, for views.c: what each has seen, and the fences that they have passed. */
#ifndef RANGEMAP_TEST_EXPLORER_VIEWERS_H
#define RANGEMAP_TEST_EXPLORER_VIEWERS_H

#include "test/explorer/view.h"

struct viewer {
    struct view now;      /* what it has seen */
    struct view acquired; /* and what it will have once it passes an acquire fence */
    struct view released; /* what its relaxed stores carry: what it had seen when it passed a release fence */
    struct view followed; /* what it has seen of nodes, by following addresses */
    uint32_t number;      /* of its last access */
};

extern struct viewer viewers[SCHEDULE_THREADS];

static inline bool viewers_acquires(int order)
{
    return order == __ATOMIC_ACQUIRE || order == __ATOMIC_ACQ_REL || order == __ATOMIC_SEQ_CST;
}

static inline bool viewers_releases(int order)
{
    return order == __ATOMIC_RELEASE || order == __ATOMIC_ACQ_REL || order == __ATOMIC_SEQ_CST;
}

void viewers_reset(void);

/* Keeps the first one, for views_fault(). */
void viewers_set_fault(const char *text);

/* One more access of the thread. */
static inline void viewers_count(unsigned thread)
{
    struct viewer *viewer = &viewers[thread];

    viewer->number++;
    viewer->now.seen[thread] = viewer->number;
    viewer->now.before[thread] = viewer->number;
}

/* The last of all sequentially consistent accesses and fences, and a new one. */
uint32_t viewers_last_order(void);
uint32_t viewers_next_order(void);

/*
 * Whether a fence up to that place in the order of all sequentially consistent accesses has seen the thread's access.
 */
bool viewers_fenced(unsigned thread, uint32_t number, uint32_t order);

/*
 * What a release carries: also what was followed, which it comes behind on every processor. An ordered store carries
 * what all full fences before it had seen, too (multi-copy atomicity, where the library needs it): what was stored
 * before such a fence is seen by all others from then on.
 */
struct view viewers_released(unsigned thread, int order);

#endif
