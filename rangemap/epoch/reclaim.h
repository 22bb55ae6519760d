// SPDX-License-Identifier: BSD-2-Clause
/*
 * The work on shards (epoch/shard.h): handing garbage over, and moving it on.
 *
 * A thread hands its garbage to its record's own shard, unless another is at it: then, for that time, to another
 * record's. So what a stopped thread has claimed holds up no more than it held then.
 */
#ifndef RANGEMAP_EPOCH_RECLAIM_H
#define RANGEMAP_EPOCH_RECLAIM_H

#include <limits.h>

#include "rangemap/epoch/grace.h"

/* Hands over garbage of so many `entries`; it must be unreachable for new readers. Lock-free. */
RM_INTERNAL void rm_reclaim_submit(struct rm_thread *thread, struct rm_garbage *garbage, uint64_t entries);

/* The same to a certain shard. */
RM_INTERNAL void rm_reclaim_submit_to(struct rm_thread *thread, struct rm_shard *shard,
                                      struct rm_garbage *garbage);

/*
 * A thread that disposes of as much as it hands over finds in its cache what it needs: what it disposes of at once
 * beyond that, the cache may not hold. So it does so only where more waits than is due to grace periods.
 */
enum { RM_SHARD_BYTES = 128 << 10 };

/* How a thread works on shards. */
struct rm_work {
    struct rm_thread *thread;
    unsigned budget;           /* things that may still be disposed of; counts down */
    unsigned surplus;          /* further ones, if a shard holds more than RM_SHARD_BYTES */
    unsigned polls;            /* that may still be made; counts down */
    bool calls_back;           /* disposes of what calls back, too */
    uint64_t now_ns;           /* coarse time */
    struct rm_thread *blocker; /* that blocked the last poll; NULL: none */
};

/* Adds to one of the two, which does not pass its greatest value. */
static inline void rm_work_grant(unsigned *budget, uint64_t entries)
{
    uint64_t sum = *budget + entries;

    *budget = sum < UINT_MAX ? (unsigned)sum : UINT_MAX;
}

/* Does some work on the shard if no other thread is at it. False: one is. Lock-free but for callbacks. */
RM_INTERNAL bool rm_reclaim_visit(struct rm_shard *shard, struct rm_work *work);

/* Whether no garbage is left in any shard. */
RM_INTERNAL bool rm_reclaim_is_empty(struct rangemap_domain *domain);

/*
 * Around callbacks that reclamation makes: they must not detach the thread, nor wait for what it is in the middle
 * of, nor be cancelled half way, which would leave that undone.
 */
struct rm_callbacks {
    int cancel_state;
    bool reclaiming;
};

RM_INTERNAL struct rm_callbacks rm_callbacks_enter(struct rm_thread *thread);
RM_INTERNAL void rm_callbacks_leave(struct rm_thread *thread, struct rm_callbacks before);

#endif
