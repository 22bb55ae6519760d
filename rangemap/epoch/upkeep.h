// SPDX-License-Identifier: BSD-2-Clause
/*
 * What threads do for their domain: a share of reclamation after updates, and all that waits.
 *
 * After an update a thread disposes of as many things as it has handed over since it last did: so many nodes come
 * into its cache as go out of it, and what an update pays is in proportion to what it did. If more than
 * RM_SHARD_BYTES wait, of RM_SHARE_FACTOR times as many, so that the backlog shrinks, and of as many more as it has
 * put in: an update that builds much without replacing anything, as a load does, pays for what others have dropped.
 * Once in a tick of the coarse clock it disposes of up to RM_TICK_ENTRIES more, which ends what less there is; and it
 * looks after RM_TEND_RECORDS shards of others, whose threads may be idle or gone, and disposes of up to
 * RM_TEND_ENTRIES things there; above the soft limit, of up to RM_PRESSED_ENTRIES more. That is all that an update
 * may be made to do for others, but that free memory moves on: to other threads' stripes, and to the system.
 */
#ifndef RANGEMAP_EPOCH_UPKEEP_H
#define RANGEMAP_EPOCH_UPKEEP_H

#include "rangemap/epoch/reclaim.h"

enum {
    RM_SHARE_FACTOR = 3,
    RM_TICK_ENTRIES = 64,
    RM_TEND_RECORDS = 16,
    RM_TEND_ENTRIES = 64,
    RM_PRESSED_ENTRIES = 256,
    RM_POLL_ENTRIES = 256 /* rangemap_domain_poll() */
};

RM_INTERNAL void rm_upkeep_share(struct rm_thread *thread);

/*
 * After an update, outside its section: a share of the work if the thread handed anything over. Not of one that a
 * callback has made: the section of the update that called it is open, and that one does the share afterwards.
 */
static inline void rm_upkeep(struct rm_thread *thread)
{
    if (RM_UNLIKELY(thread->retired_since_visit > 0) && thread->busy == 0) {
        rm_upkeep_share(thread);
    }
    rm_happens_release(thread);
}

/* The same after an update that has put in so many ranges, perhaps without handing anything over. */
static inline void rm_upkeep_built(struct rm_thread *thread, uint64_t ranges)
{
    thread->built_since_visit += ranges;
    if (thread->retired_since_visit + thread->built_since_visit > 0 && thread->busy == 0) {
        rm_upkeep_share(thread);
    }
    rm_happens_release(thread);
}

/* One round over all shards, waiting for nothing, disposing of up to `budget` things. True: there may be more to do. */
RM_INTERNAL bool rm_upkeep_poll(struct rm_thread *thread, unsigned budget);

/* Tries to get under the hard limit, without waiting. */
RM_INTERNAL bool rm_upkeep_below_limit(struct rm_thread *thread);

/*
 * Waits until every section that is open now has ended. Outside sections and callbacks. A cancellation point, which
 * leaves nothing behind.
 */
RM_INTERNAL void rm_upkeep_wait_grace(struct rm_thread *thread);

/* Waits until everything submitted before is disposed of. The same. */
RM_INTERNAL void rm_upkeep_barrier(struct rm_thread *thread);

#endif
