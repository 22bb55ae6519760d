// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/epoch/report.h"

#include <errno.h>
#include <string.h>

static struct rm_thread *first_thread(struct rangemap_domain *domain)
{
    struct rm_link *link = rm_load_pointer(&domain->threads.head);

    return link != NULL ? RM_CONTAINER_OF(link, struct rm_thread, of_domain) : NULL;
}

static struct rm_thread *next_thread(struct rm_thread *thread)
{
    struct rm_link *link = thread->of_domain.next;

    return link != NULL ? RM_CONTAINER_OF(link, struct rm_thread, of_domain) : NULL;
}

void rm_report_blocker(struct rangemap_domain *domain, struct rangemap_blocker *blocker)
{
    unsigned epoch = ck_pr_load_uint(&domain->epoch.epoch);
    struct rm_thread *thread;

    blocker->tid = 0;
    blocker->behind = 0;
    blocker->pending_bytes = rm_pending_bytes(domain);
    for (thread = first_thread(domain); thread != NULL; thread = next_thread(thread)) {
        unsigned behind = epoch - ck_pr_load_uint(&thread->section.epoch);

        /* A section in the current epoch does not block yet; one that began since has a later epoch. */
        if (ck_pr_load_uint(&thread->section.active) != 0 && (int)behind > (int)blocker->behind) {
            blocker->behind = behind;
            blocker->tid = (int)rm_load_relaxed(&thread->tid);
        }
    }
}

int rangemap_domain_blocker(struct rangemap_domain *domain, struct rangemap_blocker *blocker)
{
    domain = rm_domain_or_default(domain);
    if (blocker == NULL) {
        return -EINVAL;
    }
    if (domain == NULL) {
        return -ENOMEM;
    }
    rm_report_blocker(domain, blocker);
    return 0;
}

int rangemap_domain_stats(struct rangemap_domain *domain, struct rangemap_domain_statistics *statistics)
{
    uint64_t carved = 0;
    struct rm_thread *thread;

    domain = rm_domain_or_default(domain);
    if (statistics == NULL) {
        return -EINVAL;
    }
    if (domain == NULL) {
        return -ENOMEM;
    }
    memset(statistics, 0, sizeof *statistics);
    for (thread = first_thread(domain); thread != NULL; thread = next_thread(thread)) {
        statistics->node_bytes += rm_load_relaxed(&thread->cache.live_bytes);
        statistics->retries += rm_load_relaxed(&thread->retries);
        carved += rm_load_relaxed(&thread->cache.carved_bytes);
        statistics->threads += rm_load_relaxed(&thread->state) == RM_THREAD_ATTACHED;
        statistics->records++;
    }
    statistics->chunk_bytes = rm_load_relaxed(&domain->pool.chunk_bytes);
    statistics->pending_bytes = rm_pending_bytes(domain);
    statistics->epoch = ck_pr_load_uint(&domain->epoch.epoch);
    statistics->maps = (unsigned)rm_load_relaxed(&domain->maps);
    if (carved > statistics->node_bytes) { /* read at different instants */
        statistics->pooled_bytes = carved - statistics->node_bytes;
    }
    return 0;
}
