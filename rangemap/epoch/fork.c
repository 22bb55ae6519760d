// SPDX-License-Identifier: BSD-2-Clause
/*
 * The child of a fork has one thread and a copy of everything. The maps are consistent: every step of an
 * update leaves a legal state. What other threads had in hand is not: their caches, the bags that they were
 * filling and the shards that they had claimed may have been in motion, so the child forgets those (their
 * memory stays in the pool's chunks until the domain is destroyed). Their sections would block reclamation
 * for ever, so they are ended.
 */
#include <string.h>

#include "rangemap/epoch/retire.h"

/* A claim in the child is that of a thread that is no more: the shard's lists may be half moved. */
static void reset_shards(struct rangemap_domain *domain)
{
    rm_store_release(&domain->poller.claim, 0);
    for (unsigned i = 0; i < RM_SHARDS; i++) {
        struct rm_shard *shard = &domain->shard[i];

        if (rm_load_relaxed(&shard->claim) == 0) {
            continue;
        }
        shard->ready = NULL;
        memset(shard->record.pending, 0, sizeof shard->record.pending);
        shard->record.n_pending = 0;
        rm_store_release(&shard->claim, 0);
    }
}

static void take_over(struct rm_thread *thread)
{
    ck_pr_store_uint(&thread->section.active, 0);
    if (thread->busy > 0 || rm_load_relaxed(&thread->state) == RM_THREAD_PARKING) {
        memset(&thread->cache.magazine, 0, sizeof thread->cache.magazine);
        thread->cache.unused = NULL;
        thread->cache.unused_end = NULL;
        thread->bag = NULL;
        thread->committed_bag = NULL;
        thread->committed = 0;
    }
    rm_store_release(&thread->state, RM_THREAD_PARKED);
}

void rm_fork_child(void)
{
    struct rm_link *link;

    for (link = rm_load_pointer(&rm_thread_all.head); link != NULL; link = link->next) {
        struct rm_thread *thread = RM_CONTAINER_OF(link, struct rm_thread, of_process);
        uint64_t state = rm_load_relaxed(&thread->state);

        if (state != RM_THREAD_ATTACHED && state != RM_THREAD_PARKING) {
            continue;
        }
        reset_shards(thread->domain);
        if (rm_thread_is_own(thread)) {
            rm_store_relaxed(&thread->tid, (uint64_t)rm_gettid());
        } else {
            take_over(thread);
        }
    }
}

void rangemap_after_fork_in_child(void)
{
    rm_fork_child();
}
