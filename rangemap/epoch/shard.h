// SPDX-License-Identifier: BSD-2-Clause
/*
 * A place where garbage waits; every record of a thread has one. Any thread pushes onto its inbox; the thread that
 * wins its claim, by one compare-and-swap that is not waited for, moves things on:
 *
 *   inbox -> limbo    stamped with the epoch: the grace period begins
 *   limbo -> ready    the epoch is two further, or no section was open: the grace period is over
 *   ready -> gone     disposed of
 *         -> asked    or, if that calls back and the domain calls back only when asked: kept for then
 *
 * Everything is first in, first out, so that what came last can tell that all before it is gone.
 */
#ifndef RANGEMAP_EPOCH_SHARD_H
#define RANGEMAP_EPOCH_SHARD_H

#include "rangemap/epoch/garbage.h"

/* Garbage whose grace period has begun when the epoch was `stamp`. */
struct rm_limbo {
    struct rm_queue queue;
    unsigned stamp;
};

struct rm_shard {
    struct rm_stack inbox; /* any thread pushes, the holder of the claim takes */
    rm_word claim;         /* the record of the thread that works on the shard; 0: none */
    rm_word holds;         /* 1: there may be something in the queues below; by the holder, all read */
    rm_word visited_ns;    /* coarse time of the last visit; by the holder, all read */
    /* The holder's. Stamps of `old` are lower than that of `young`. */
    struct rm_limbo old, young;
    struct rm_queue ready, asked;
    uint64_t bytes; /* of nodes that wait in the queues, but for what has been asked for */
} RM_LINE_ALIGNED;

/*
 * Nothing waits here or is just being disposed of. The holder of the claim sets `holds` before it empties the inbox,
 * and the loads here stay in order: a thread that finds the inbox emptied finds that, too. Acquire, of `holds`: what
 * callbacks wrote that the last holder ran is visible to a barrier that finds nothing left.
 */
static inline bool rm_shard_is_empty(const struct rm_shard *shard)
{
    return rm_load_acquire(&shard->inbox.head) == 0 && rm_load_acquire(&shard->holds) == 0;
}

#endif
