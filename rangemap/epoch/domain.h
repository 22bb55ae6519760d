// SPDX-License-Identifier: BSD-2-Clause
/*
 * A reclamation domain, in the first chunk of its pool: the epoch that its readers announce themselves in, the pool
 * that nodes come from, and the roster of the records of its threads, with the shards in which garbage waits.
 *
 * The writers:
 *   epoch          the global counter by any poller, from one value to the next (epoch/grace.h)
 *   pool           any thread, lock-free
 *   pending_bytes  any thread, once per bag, where limits are set; else only the records count
 *   roster         any thread that attaches or leaves (epoch/roster.h)
 *   parked         any thread, lock-free: records without a thread, of which each may be in here once
 *   polled         any thread that is about to poll because of what it has handed over (epoch/upkeep.c); a hint
 *   work, waiters  any thread: see rm_domain_announce_work()
 */
#ifndef RANGEMAP_EPOCH_DOMAIN_H
#define RANGEMAP_EPOCH_DOMAIN_H

#include "rangemap/base/ck.h"
#include "rangemap/base/system.h"
#include "rangemap/base/tagged.h"
#include "rangemap/epoch/roster.h"
#include "rangemap/memory/cache.h"
#include "rangemap/rangemap.h"

struct rangemap_domain {
    ck_epoch_t epoch; /* first, so that a record's `global` tells its domain */
    struct rm_pool pool;
    rm_word pending_bytes RM_LINE_ALIGNED; /* sum over the records, if there is a limit */
    rm_word above_soft_limit;
    rm_word maps;
    rm_word ending; /* maps that were ended without waiting and are not gone */
    struct rm_tagged parked;
    rm_word work;    /* rises when there is something new to call back, or memory is short */
    rm_word waiters; /* threads that sleep until it does */
    rm_word polled;  /* the epoch that was last tried to be moved on */
    /* Never change. */
    uint64_t soft_limit_bytes RM_LINE_ALIGNED;
    uint64_t hard_limit_bytes;
    rangemap_pressure_fn *pressure;
    void *context;
    bool calls_back_when_asked;
    struct rm_roster roster;
};

static inline bool rm_domain_has_limit(const struct rangemap_domain *domain)
{
    return domain->soft_limit_bytes != 0 || domain->hard_limit_bytes != 0;
}

static inline bool rm_domain_is_over_soft_limit(const struct rangemap_domain *domain)
{
    return domain->soft_limit_bytes != 0 &&
           rm_load_relaxed(&domain->pending_bytes) > domain->soft_limit_bytes;
}

static inline bool rm_domain_is_over_hard_limit(const struct rangemap_domain *domain)
{
    return domain->hard_limit_bytes != 0 &&
           rm_load_relaxed(&domain->pending_bytes) >= domain->hard_limit_bytes;
}

/*
 * The epoch now. Acquire: what threads did that moved it here, and the ends of the sections they waited for, come
 * before what follows.
 */
static inline unsigned rm_domain_epoch(const struct rangemap_domain *domain)
{
    rm_explorer_point(&domain->epoch.epoch);
    return __atomic_load_n(&domain->epoch.epoch, __ATOMIC_ACQUIRE);
}

/* Where the domain's memory comes from; NULL: there is none. */
RM_INTERNAL struct rangemap_domain *rm_domain_new(const struct rangemap_domain_options *options);

/* Gives all memory back. No thread uses the domain any more. */
RM_INTERNAL void rm_domain_free(struct rangemap_domain *domain);

/* NULL stands for the default domain, which is made on first use; NULL if that fails. */
RM_INTERNAL struct rangemap_domain *rm_domain_or_default(struct rangemap_domain *domain);

/* The same, but does not make it: NULL if it was not. Any context. */
RM_INTERNAL struct rangemap_domain *rm_domain_existing(struct rangemap_domain *domain);
RM_INTERNAL bool rm_domain_is_default(const struct rangemap_domain *domain);

/* How many there are beside the default domain. */
RM_INTERNAL uint64_t rm_domain_others(void);

/* Frees the default domain. No thread uses it any more; the next use makes another. */
RM_INTERNAL void rm_domain_drop_default(void);

/* Wakes threads that wait in rangemap_domain_serve(). Lock-free; a system call only if there are any. */
RM_INTERNAL void rm_domain_announce_work(struct rangemap_domain *domain);

#endif
