// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/epoch/fork.h"

#include <string.h>

#include "rangemap/epoch/attach.h"
#include "rangemap/epoch/retire.h"

/* Everything here is relaxed: the child has one thread, and what the others had done is what the kernel has copied. */

struct waiting {
    uint64_t bytes, maps;
};

static void count(const struct rm_link *link, struct waiting *waiting)
{
    for (; link != NULL; link = link->next) {
        const struct rm_garbage *garbage = RM_CONTAINER_OF(link, struct rm_garbage, link);

        waiting->bytes += rm_garbage_bytes(garbage);
        waiting->maps += garbage->kind->is_map;
    }
}

/* A claim in the child is that of a thread that is no more: the shard's queues may be half moved. */
static void reset_shard(struct rm_shard *shard)
{
    if (rm_load_relaxed(&shard->claim) != 0) {
        memset(&shard->old, 0, sizeof shard->old);
        memset(&shard->young, 0, sizeof shard->young);
        memset(&shard->ready, 0, sizeof shard->ready);
        memset(&shard->asked, 0, sizeof shard->asked);
        shard->bytes = 0;
        rm_store_relaxed(&shard->holds, 0);
        rm_store_relaxed(&shard->claim, 0);
    }
}

/* What waits in the shard is counted anew: what was lost is not pending. */
static void recount(struct rm_thread *thread, struct waiting *all)
{
    const struct rm_shard *shard = &thread->shard;
    struct waiting waiting = {0, 0};

    count(rm_load_pointer_relaxed(&shard->inbox.head), &waiting);
    count(shard->old.queue.first, &waiting);
    count(shard->young.queue.first, &waiting);
    count(shard->ready.first, &waiting);
    count(shard->asked.first, &waiting);
    rm_store_relaxed(&thread->retired_bytes, waiting.bytes);
    rm_store_relaxed(&thread->reclaimed_bytes, 0);
    all->bytes += waiting.bytes;
    all->maps += waiting.maps;
}

static void take_over(struct rm_thread *thread)
{
    ck_pr_store_uint(&thread->section.active, 0);
    if (thread->busy > 0) {
        rm_thread_forget_in_hand(thread);
        thread->busy = 0;
    }
    rm_roster_set_attached(&thread->domain->roster, thread, false);
    rm_record_push_parked(thread);
}

/* A thread that is no more was parking it, or taking it over: it is in no stack. */
static bool is_in_motion(const struct rm_thread *thread, enum rm_thread_state state)
{
    return state == RM_THREAD_MOVING || (state == RM_THREAD_PARKED && rm_roster_is_attached(thread));
}

/* But the child's own. Parked ones, too, may have been on their way to the stack or from it. */
static void reset_record(struct rm_thread *thread)
{
    enum rm_thread_state state = rm_standing_state(rm_load_relaxed(&thread->standing));

    if (rm_thread_is_own(thread)) {
        return;
    }
    if (is_in_motion(thread, state)) {
        thread->busy = 1;
        take_over(thread);
    } else if (state == RM_THREAD_ATTACHED) {
        take_over(thread);
    } else if (state == RM_THREAD_PARKED) {
        rm_record_push_parked(thread);
    }
}

static bool is_of_domain(const struct rm_thread *thread)
{
    return thread != NULL && thread->section.global != NULL;
}

/*
 * Once for each domain: the first place may be empty for good, or its record of no domain yet, if its thread was about
 * to take it.
 */
static bool is_first(const struct rm_thread *thread)
{
    struct rm_roster_walk walk = rm_roster_begin(&thread->domain->roster, true);
    const struct rm_thread *first;

    do {
        first = rm_roster_next(&walk); /* `thread` at the latest */
    } while (!is_of_domain(first));
    return first == thread;
}

static void reset_domain(struct rangemap_domain *domain)
{
    struct rm_roster_walk walk = rm_roster_begin(&domain->roster, true);
    struct rm_thread *thread;
    struct waiting all = {0, 0};

    while ((thread = rm_roster_next(&walk)) != NULL) {
        reset_shard(&thread->shard);
        recount(thread, &all);
    }
    rm_store_relaxed(&domain->pending_bytes, all.bytes);
    if (!rm_domain_is_over_soft_limit(domain)) {
        rm_store_relaxed(&domain->above_soft_limit, 0);
    }
    rm_store_relaxed(&domain->ending, all.maps);
    rm_store_relaxed(&domain->waiters, 0);
    rm_roster_recount(&domain->roster);
    rm_tagged_clear(&domain->parked);
}

/* Calls `function` for each record that a domain has: others are free, or orphans. */
static void for_each(void (*function)(struct rm_thread *thread))
{
    uint32_t numbers = rm_record_numbers();

    for (uint32_t i = 0; i < numbers; i++) {
        struct rm_thread *thread = rm_record_at(i);

        if (is_of_domain(thread)) {
            function(thread);
        }
    }
}

static void reset_domain_of(struct rm_thread *thread)
{
    if (is_first(thread)) {
        reset_domain(thread->domain);
    }
}

/* All domains before any record, which goes to what is the domain's. */
void rm_fork_child(void)
{
    rm_process_note();
    rm_own_renumber(rm_thread_number());
    for_each(reset_domain_of);
    for_each(reset_record);
}
