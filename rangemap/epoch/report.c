// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/epoch/report.h"

#include <string.h>

/* A section in the current epoch does not block yet; one that began since has a later epoch. */
static void note_section(struct rangemap_blocker *blocker, const struct rm_thread *thread, unsigned epoch)
{
    unsigned behind = epoch - ck_pr_load_uint(&thread->section.epoch);

    if (ck_pr_load_uint(&thread->section.active) != 0 && (int)behind > (int)blocker->behind) {
        blocker->behind = behind;
        blocker->tid = rm_record_tid(thread);
    }
}

/* The thread that works on a shard, perhaps since long: its garbage waits for that thread. */
static int claimer_of_any(struct rangemap_domain *domain)
{
    struct rm_roster_walk walk = rm_roster_begin(&domain->roster, true);
    struct rm_thread *thread;

    while ((thread = rm_roster_next(&walk)) != NULL) {
        struct rm_thread *holder =
            rm_load_pointer_relaxed(&thread->shard.claim); /* for its number, an atomic word */

        if (holder != NULL) {
            return rm_record_tid(holder);
        }
    }
    return 0;
}

void rm_report_blocker(struct rangemap_domain *domain, struct rangemap_blocker *blocker)
{
    unsigned epoch = rm_domain_epoch(domain);
    struct rm_roster_walk walk = rm_roster_begin(&domain->roster, false);
    struct rm_thread *thread;

    blocker->tid = 0;
    blocker->behind = 0;
    blocker->pending_bytes = rm_record_pending_bytes(domain);
    while ((thread = rm_roster_next(&walk)) != NULL) {
        note_section(blocker, thread, epoch);
    }
    if (blocker->tid == 0 && blocker->pending_bytes != 0) {
        blocker->tid = claimer_of_any(domain);
    }
}

/* Of what was read at different instants. */
static uint64_t difference(uint64_t all, uint64_t part)
{
    return all > part ? all - part : 0;
}

void rm_report_statistics(struct rangemap_domain *domain, struct rangemap_domain_statistics *statistics)
{
    struct rm_roster_walk walk = rm_roster_begin(&domain->roster, true);
    struct rm_pool_usage usage;
    struct rm_thread *thread;
    uint64_t drawn = 0;

    memset(statistics, 0, sizeof *statistics);
    while ((thread = rm_roster_next(&walk)) != NULL) {
        statistics->node_bytes += rm_load_relaxed(&thread->cache.live_bytes);
        statistics->retries += rm_load_relaxed(&thread->retries);
        drawn += rm_load_relaxed(&thread->cache.drawn_bytes);
        statistics->threads += rm_record_is_live(thread);
        statistics->records++;
    }
    usage = rm_pool_measure(&domain->pool);
    statistics->chunk_bytes = usage.chunk_bytes;
    statistics->idle_bytes = usage.idle_bytes;
    statistics->discarded_bytes = usage.discarded_bytes;
    statistics->pooled_bytes = difference(usage.node_bytes, statistics->node_bytes);
    statistics->cached_bytes = difference(drawn, statistics->node_bytes);
    statistics->pinned_bytes = difference(usage.node_bytes, drawn);
    statistics->pending_bytes = rm_record_pending_bytes(domain);
    statistics->epoch = rm_domain_epoch(domain);
    statistics->maps = (unsigned)rm_load_relaxed(&domain->maps);
}
