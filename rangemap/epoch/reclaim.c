// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/epoch/reclaim.h"

#include "rangemap/base/cancel.h"

struct rm_callbacks rm_callbacks_enter(struct rm_thread *thread)
{
    struct rm_callbacks before = {rm_cancel_hold(), thread->reclaiming};

    rm_busy_enter(thread);
    thread->reclaiming = true;
    return before;
}

void rm_callbacks_leave(struct rm_thread *thread, struct rm_callbacks before)
{
    thread->reclaiming = before.reclaiming;
    rm_busy_leave(thread);
    rm_cancel_let_through(before.cancel_state);
}

/* ---- handing over ---- */

static void pending_add(struct rangemap_domain *domain, uint64_t bytes)
{
    if (rm_domain_has_limit(domain)) {
        (void)rm_add_relaxed(&domain->pending_bytes, bytes);
    }
}

/* What brings the domain below its soft limit makes the next crossing one to tell of: notes_crossing(). */
static void pending_drop(struct rangemap_domain *domain, uint64_t bytes)
{
    if (rm_domain_has_limit(domain)) {
        uint64_t before = rm_add_relaxed(&domain->pending_bytes, 0 - bytes), limit = domain->soft_limit_bytes;

        if (before > limit && before - bytes <= limit) {
            rm_store_relaxed(&domain->above_soft_limit, 0);
        }
    }
}

void rm_reclaim_submit_to(struct rm_thread *thread, struct rm_shard *shard, struct rm_garbage *garbage)
{
    uint64_t bytes = rm_garbage_bytes(garbage);
    bool calls_back = garbage->kind->calls_back;

    rm_count_own(&thread->retired_bytes, bytes);
    pending_add(thread->domain, bytes);
    rm_stack_push(&shard->inbox, &garbage->link); /* from here on others may dispose of it */
    if (calls_back) {
        rm_domain_announce_work(thread->domain);
    }
}

/* Whether some other thread is at the shard, perhaps for long. */
static bool is_occupied(const struct rm_shard *shard, const struct rm_thread *thread)
{
    uint64_t claim = rm_load_relaxed(&shard->claim);

    return claim != 0 && claim != rm_pointer_bits(thread);
}

/* A shard that no thread is at; if there is none, the thread's own. */
static struct rm_shard *find_shard(struct rm_thread *thread)
{
    struct rm_roster_walk walk = rm_roster_begin(&thread->domain->roster, true);
    struct rm_thread *other;

    while ((other = rm_roster_next(&walk)) != NULL) {
        if (!is_occupied(&other->shard, thread)) {
            return &other->shard;
        }
    }
    return &thread->shard;
}

static struct rm_shard *choose_shard(struct rm_thread *thread)
{
    if (RM_LIKELY(!is_occupied(&thread->shard, thread))) {
        return &thread->shard;
    }
    if (thread->elsewhere == NULL || is_occupied(thread->elsewhere, thread)) {
        thread->elsewhere = find_shard(thread);
    }
    return thread->elsewhere;
}

void rm_reclaim_submit(struct rm_thread *thread, struct rm_garbage *garbage, uint64_t entries)
{
    rm_reclaim_submit_to(thread, choose_shard(thread), garbage);
    thread->retired_since_visit += entries;
    thread->retired_since_poll += entries;
}

/* ---- moving on: by the holder of the claim ---- */

/* Acquire: what the last holder did to the shard is visible. */
static bool claim_shard(struct rm_shard *shard, const struct rm_thread *thread)
{
    return rm_load_relaxed(&shard->claim) == 0 && rm_cas_full(&shard->claim, 0, rm_pointer_bits(thread));
}

static bool holds_something(const struct rm_shard *shard)
{
    return !rm_queue_is_empty(&shard->old.queue) || !rm_queue_is_empty(&shard->young.queue) ||
           !rm_queue_is_empty(&shard->ready) || !rm_queue_is_empty(&shard->asked);
}

static void unclaim(struct rm_shard *shard)
{
    rm_store_release(&shard->holds, holds_something(shard));
    rm_store_release(&shard->claim, 0);
}

/* What is out of sight when the epoch is `epoch` becomes ready. */
static void ripen(struct rm_shard *shard, unsigned epoch)
{
    if (rm_grace_is_over(shard->old.stamp, epoch)) {
        rm_queue_append_all(&shard->ready, &shard->old.queue);
    }
    if (rm_grace_is_over(shard->young.stamp, epoch)) {
        rm_queue_append_all(&shard->ready, &shard->old.queue);
        rm_queue_append_all(&shard->ready, &shard->young.queue);
    }
}

static struct rm_link *reverse(struct rm_link *link)
{
    struct rm_link *reversed = NULL;

    while (link != NULL) {
        struct rm_link *next = link->next;

        link->next = reversed;
        reversed = link;
        link = next;
    }
    return reversed;
}

/*
 * The grace period of the inbox begins. Taking it is a full fence: the epoch is read after the compare-and-swaps
 * that made the garbage unreachable. What was younger than the epoch is then of the one before: two queues do.
 */
static void start_grace_period(struct rm_shard *shard, struct rangemap_domain *domain)
{
    struct rm_link *link, *next;
    unsigned epoch;

    rm_store_relaxed(&shard->holds, 1); /* before the swap, by its fence: pairs with rm_shard_is_empty() */
    link = reverse(rm_stack_take_all(&shard->inbox));
    epoch = rm_domain_epoch(domain);
    rm_happens_acquire(&domain->epoch); /* the ends of the sections that threads moving it here waited for */
    ripen(shard, epoch);
    if (shard->young.stamp != epoch) {
        rm_queue_append_all(&shard->old.queue, &shard->young.queue);
        shard->old.stamp = shard->young.stamp;
        shard->young.stamp = epoch;
    }
    for (; link != NULL; link = next) {
        next = link->next;
        shard->bytes += rm_garbage_bytes(RM_CONTAINER_OF(link, struct rm_garbage, link));
        rm_queue_append(&shard->young.queue, link);
    }
}

static void poll_for(struct rm_shard *shard, struct rm_work *work)
{
    struct rangemap_domain *domain = work->thread->domain;
    enum rm_grace grace;

    if (work->polls == 0 ||
        (rm_queue_is_empty(&shard->old.queue) && rm_queue_is_empty(&shard->young.queue))) {
        return;
    }
    grace = rm_grace_poll(domain, &work->blocker);
    /* A poll that was blocked once will be again: nothing of this call can help. */
    work->polls = grace == RM_GRACE_BLOCKED ? 0 : work->polls - 1;
    if (grace == RM_GRACE_QUIET) {
        rm_queue_append_all(&shard->ready, &shard->old.queue);
        rm_queue_append_all(&shard->ready, &shard->young.queue);
    } else {
        ripen(shard, rm_domain_epoch(domain));
    }
}

/* Disposes of the first of `queue`, or of a part of it. True: it is gone. */
static bool dispose_first(struct rm_queue *queue, struct rm_work *work)
{
    struct rm_garbage *garbage = rm_queue_first(queue);
    uint64_t bytes = rm_garbage_bytes(garbage);
    struct rm_link *next = queue->first->next;

    if (!garbage->kind->dispose(garbage, work->thread, &work->budget)) {
        return false;
    }
    queue->first = next;
    work->thread->disposed++;
    /* After what was handed over was counted, which the inbox has shown: pairs with rm_record_pending_bytes(). */
    rm_store_release(&work->thread->reclaimed_bytes, rm_word_private(&work->thread->reclaimed_bytes) + bytes);
    pending_drop(work->thread->domain, bytes);
    return true;
}

static void dispose_ready(struct rm_shard *shard, struct rm_work *work)
{
    while (!rm_queue_is_empty(&shard->ready)) {
        uint64_t bytes = rm_garbage_bytes(rm_queue_first(&shard->ready));

        if (rm_queue_first(&shard->ready)->kind->calls_back && !work->calls_back) {
            struct rm_link *link = shard->ready.first;

            rm_queue_drop_first(&shard->ready);
            rm_queue_append(&shard->asked, link);
        } else if (work->budget == 0 || !dispose_first(&shard->ready, work)) {
            return;
        }
        shard->bytes -= bytes;
    }
}

static void dispose_asked(struct rm_shard *shard, struct rm_work *work)
{
    while (work->calls_back && work->budget > 0 && !rm_queue_is_empty(&shard->asked) &&
           dispose_first(&shard->asked, work)) {
    }
}

bool rm_reclaim_visit(struct rm_shard *shard, struct rm_work *work)
{
    struct rm_thread *thread = work->thread;
    struct rm_callbacks before;

    if (rm_shard_is_empty(shard)) {
        return true;
    }
    before = rm_callbacks_enter(thread);
    if (!claim_shard(shard, thread)) {
        rm_callbacks_leave(thread, before);
        return false;
    }
    rm_store_relaxed(&shard->visited_ns, work->now_ns);
    start_grace_period(shard, thread->domain);
    poll_for(shard, work);
    if (shard->bytes > RM_SHARD_BYTES) {
        rm_work_grant(&work->budget, work->surplus);
        work->surplus = 0;
    }
    dispose_asked(shard, work);
    dispose_ready(shard, work);
    unclaim(shard);
    rm_callbacks_leave(thread, before);
    return true;
}

bool rm_reclaim_is_empty(struct rangemap_domain *domain)
{
    struct rm_roster_walk walk = rm_roster_begin(&domain->roster, true);
    struct rm_thread *thread;

    while ((thread = rm_roster_next(&walk)) != NULL) {
        if (!rm_shard_is_empty(&thread->shard)) {
            return false;
        }
    }
    return true;
}
