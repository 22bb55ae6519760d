// SPDX-License-Identifier: BSD-2-Clause
/* How threads come to their records, and records to their next thread. */
#ifndef RANGEMAP_EPOCH_ATTACH_H
#define RANGEMAP_EPOCH_ATTACH_H

#include "rangemap/epoch/own.h"

/* The slow way: another record of this thread, or a new one; NULL if out of memory. */
RM_INTERNAL struct rm_thread *rm_thread_find(struct rangemap_domain *domain);

/* The calling thread's record in `domain`, attaching it if need be; NULL if out of memory. */
static inline struct rm_thread *rm_thread_current(struct rangemap_domain *domain)
{
    struct rm_thread *thread = rm_thread_last;

    if (RM_LIKELY(thread->section.global == &domain->epoch)) {
        return thread;
    }
    return rm_thread_find(domain);
}

/* Gives the calling thread's record back. -EBUSY in a section, update or callback; 0 also without a record. */
RM_INTERNAL int rm_thread_detach(struct rangemap_domain *domain);

/*
 * Parks the record if its thread is gone: its section is over, its garbage goes to its shard, its nodes to the
 * pool. Lock-free.
 */
RM_INTERNAL void rm_thread_reap_if_gone(struct rm_thread *thread);

/*
 * Looks at so many attached records of the domain, from where the last call ended, and parks those whose thread is
 * gone.
 */
RM_INTERNAL void rm_thread_reap(struct rangemap_domain *domain, unsigned records);

/* Hands every record of a domain that is about to go to FREE or ORPHAN. May wait for a thread that parks one. */
RM_INTERNAL void rm_thread_release_all(struct rangemap_domain *domain);

/* What a record's thread had in hand when it ended in the middle of something: it may be half moved. */
RM_INTERNAL void rm_thread_forget_in_hand(struct rm_thread *thread);

#endif
