// SPDX-License-Identifier: BSD-2-Clause
/*
 * A reclamation domain: the epoch that its readers announce themselves in, the pool that nodes come from,
 * the shards in which garbage waits for its grace period, and the records of its threads.
 *
 * Who writes what:
 *   epoch          ck_epoch; the global counter by whoever polls
 *   pool           any thread, lock-free
 *   poller         the holder of its `claim`
 *   shard[]        `inbox`, `outstanding` and `pending_bytes` by any thread; the rest by the holder of `claim`
 *   pending_bytes  any thread, once per bag, where limits are set; else only the shards count
 *   threads        push-only list of records; a record's own words: see epoch/thread.h
 */
#ifndef RANGEMAP_EPOCH_DOMAIN_H
#define RANGEMAP_EPOCH_DOMAIN_H

#include "rangemap/base/ck.h"
#include "rangemap/base/stack.h"
#include "rangemap/memory/pool.h"
#include "rangemap/rangemap.h"

/* As many as threads are likely to update at once; tests make it small. */
#if !defined(RANGEMAP_SHARDS)
#define RANGEMAP_SHARDS 32
#endif
enum { RM_SHARDS = RANGEMAP_SHARDS };

/* See epoch/grace.h. */
struct rm_poller {
    rm_word claim;            /* 1 while a thread polls, in whatever shard */
    rm_word refused;          /* 1: the kernel refused the last heavy fence; holder of claim, all read */
    bool owes_fence;          /* `light` was taken away, but not fenced yet; holder of claim */
    ck_epoch_record_t record; /* to poll without garbage; holder of claim */
} RM_LINE_ALIGNED;

/* See epoch/reclaim.h. */
struct rm_shard {
    rm_word claim;            /* 1 while a thread works on the shard */
    struct rm_stack inbox;    /* garbage whose grace period has not begun */
    rm_word outstanding;      /* objects in inbox, record and ready; any thread */
    rm_word pending_bytes;    /* of the nodes that those name; any thread */
    rm_word visited_ns;       /* coarse time of the last visit; holder of claim, all read */
    struct rm_link *ready;    /* garbage whose grace period is over; holder of claim */
    ck_epoch_record_t record; /* garbage in its grace period; never in a section; holder of claim */
} RM_LINE_ALIGNED;

struct rangemap_domain {
    ck_epoch_t epoch; /* first, so that a record's `global` tells its domain */
    struct rm_pool pool;
    rm_word pending_bytes RM_LINE_ALIGNED; /* sum over the shards, if there is a limit */
    rm_word above_soft_limit;
    rm_word maps;
    rm_word records RM_LINE_ALIGNED; /* length of `threads` */
    struct rm_stack threads;         /* rm_thread.of_domain; never popped while the domain lives */
    uint64_t soft_limit_bytes, hard_limit_bytes;
    rangemap_pressure_fn *pressure;
    void *context;
    struct rm_poller poller;
    struct rm_shard shard[RM_SHARDS];
};

static inline bool rm_domain_has_limit(const struct rangemap_domain *domain)
{
    return domain->soft_limit_bytes != 0 || domain->hard_limit_bytes != 0;
}

static inline void rm_pending_add(struct rangemap_domain *domain, struct rm_shard *shard, uint64_t bytes)
{
    (void)rm_add_relaxed(&shard->pending_bytes, bytes);
    if (rm_domain_has_limit(domain)) {
        (void)rm_add_relaxed(&domain->pending_bytes, bytes);
    }
}

/* Not of one instant: bytes may be missed that are handed over meanwhile. */
RM_INTERNAL uint64_t rm_pending_bytes(const struct rangemap_domain *domain);

/* NULL stands for the default domain, which is made on first use; NULL if that fails. */
RM_INTERNAL struct rangemap_domain *rm_domain_or_default(struct rangemap_domain *domain);

#endif
