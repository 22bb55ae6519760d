// SPDX-License-Identifier: BSD-2-Clause
/*
 * Where garbage waits for its grace period.
 *
 * Any thread pushes onto a shard's inbox. A thread that wins the shard's `claim` (one compare-and-swap, never
 * waited for) plays the owner that ck_epoch_call and ck_epoch_poll ask for: it moves the inbox into the
 * shard's record, polls, and disposes of some of what is ready. So garbage is nobody's own: an idle thread
 * strands none, and a thread that exits leaves none behind. A claim held by a stopped thread holds up that
 * shard only, and no operation.
 *
 * Why not ck_epoch_call_strict straight into the record: ck 0.7.1's poll dispatches every list of the record
 * when it saw no thread active; an entry pushed between that scan and the dispatch would skip its grace
 * period. Here the poller alone pushes, before it polls.
 */
#ifndef RANGEMAP_EPOCH_RECLAIM_H
#define RANGEMAP_EPOCH_RECLAIM_H

#include "rangemap/epoch/retire.h"

RM_INTERNAL void rm_shard_init(struct rm_shard *shard, struct rangemap_domain *domain);

/* Hands over garbage of `things`; it must be unreachable for new readers. Lock-free. */
RM_INTERNAL void rm_reclaim_submit(struct rm_thread *thread, struct rm_garbage *garbage, uint64_t things);

RM_INTERNAL void rm_reclaim_visit(struct rm_thread *thread);

/* After an update, outside its section: a share of the work if the thread submitted anything. */
static inline void rm_reclaim_share(struct rm_thread *thread)
{
    if (RM_UNLIKELY(thread->unvisited > 0) && !thread->reclaiming) {
        rm_reclaim_visit(thread);
    }
}

/* One round over all shards, waiting for nothing. True: there may be more to do. */
RM_INTERNAL bool rm_reclaim_poll(struct rm_thread *thread, unsigned budget);

/* Waits until everything submitted before is disposed of. Outside sections and callbacks. -EPERM or 0. */
RM_INTERNAL int rm_reclaim_barrier(struct rm_thread *thread);

/* Whether no garbage is left. */
RM_INTERNAL bool rm_reclaim_is_empty(struct rangemap_domain *domain);

/* Tries to get under the hard limit, without waiting. */
RM_INTERNAL bool rm_reclaim_below_limit(struct rm_thread *thread);

static inline bool rm_reclaim_is_over_limit(struct rangemap_domain *domain)
{
    return domain->hard_limit_bytes != 0 &&
           rm_load_relaxed(&domain->pending_bytes) >= domain->hard_limit_bytes;
}

#endif
