// SPDX-License-Identifier: BSD-2-Clause
/*
 * The child of a fork has one thread and a copy of everything. The maps are consistent: every step of an
 * update leaves a legal state. What other threads had in hand is not: their caches, the bags that they were
 * filling, the batches that they were moving and the shards that they had claimed may have been in motion, so
 * the child forgets those. Nodes stay in the pool's chunks until the domain is destroyed; values and deferred
 * objects in a claimed shard are not released in the child. Their sections would block reclamation for ever,
 * so they are ended.
 */
#include <string.h>

#include "rangemap/epoch/retire.h"

struct tally {
    uint64_t objects, bytes;
};

static void count_links(struct tally *tally, const struct rm_link *link)
{
    for (; link != NULL; link = link->next) {
        tally->objects++;
        tally->bytes += rm_retire_bytes(RM_CONTAINER_OF(link, struct rm_garbage, link));
    }
}

static void count_pending(struct tally *tally, const ck_epoch_record_t *record)
{
    for (unsigned i = 0; i < CK_EPOCH_LENGTH; i++) {
        const ck_stack_entry_t *cursor = record->pending[i].head;

        for (; cursor != NULL; cursor = cursor->next) {
            const ck_epoch_entry_t *entry = RM_CONTAINER_OF(cursor, ck_epoch_entry_t, stack_entry);

            tally->objects++;
            tally->bytes += rm_retire_bytes(RM_CONTAINER_OF(entry, struct rm_garbage, epoch_entry));
        }
    }
}

/* A claim in the child is that of a thread that is no more: the shard's lists may be half moved. */
static uint64_t reset_shard(struct rm_shard *shard)
{
    struct tally left = {0, 0};

    if (rm_load_relaxed(&shard->claim) != 0) {
        shard->ready = NULL;
        memset(shard->record.pending, 0, sizeof shard->record.pending);
        shard->record.n_pending = 0;
        rm_store_release(&shard->claim, 0);
    }
    count_links(&left, rm_load_pointer(&shard->inbox.head));
    count_links(&left, shard->ready);
    count_pending(&left, &shard->record);
    rm_store_relaxed(&shard->outstanding, left.objects);
    rm_store_relaxed(&shard->pending_bytes, left.bytes);
    return left.bytes;
}

static void reset_domain(struct rangemap_domain *domain)
{
    uint64_t bytes = 0;

    domain->poller.owes_fence = false; /* no other thread is left */
    rm_store_relaxed(&domain->poller.refused, 0);
    rm_store_release(&domain->poller.claim, 0);
    for (unsigned i = 0; i < RM_SHARDS; i++) {
        bytes += reset_shard(&domain->shard[i]);
    }
    rm_store_relaxed(&domain->pending_bytes, bytes);
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

        if (state == RM_THREAD_FREE || state == RM_THREAD_ORPHAN) {
            continue; /* its domain is gone */
        }
        if (rm_load_pointer(&thread->domain->threads.head) == &thread->of_domain) {
            reset_domain(thread->domain); /* once, with its latest record */
        }
        if (rm_thread_is_own(thread)) {
            rm_store_relaxed(&thread->tid, (uint64_t)rm_gettid());
        } else if (state != RM_THREAD_PARKED) {
            take_over(thread);
        }
    }
}

void rangemap_after_fork_in_child(void)
{
    rm_fork_child();
}
