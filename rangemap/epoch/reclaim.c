// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/epoch/reclaim.h"

#include <limits.h>

#include "rangemap/base/clock.h"
#include "rangemap/epoch/grace.h"
#include "rangemap/epoch/report.h"

enum {
    /*
     * A thread sees to its shard when it has handed over this many things, and disposes of three times as many
     * as it handed over. So the backlog shrinks, and what an update pays is in proportion to what it did.
     */
    VISIT_THINGS = RM_BAG_ENTRIES,
    SHARE_FACTOR = 3,
    HELP_BUDGET = 256,
    PRESSED_BUDGET = 1024,
    /*
     * A poll reads lines of every record, which their threads write, and perhaps interrupts those threads. So it
     * waits for this many things and for four per record, but not longer than a tick of the coarse clock.
     */
    POLL_THINGS = 64,
    POLL_THINGS_PER_RECORD = 4
};

void rm_shard_init(struct rm_shard *shard, struct rangemap_domain *domain)
{
    rm_word_set_private(&shard->claim, 0);
    rm_word_set_private(&shard->inbox.head, 0);
    rm_word_set_private(&shard->outstanding, 0);
    rm_word_set_private(&shard->pending_bytes, 0);
    rm_word_set_private(&shard->visited_ns, 0);
    shard->ready = NULL;
    ck_epoch_register(&domain->epoch, &shard->record, NULL);
}

/* Acquire: what the last holder did to the shard is visible. */
static bool claim_shard(struct rm_shard *shard)
{
    if (rm_broken(RM_CLAIM)) {
        return true;
    }
    return rm_load_relaxed(&shard->claim) == 0 && rm_cas_full(&shard->claim, 0, 1);
}

static void unclaim(struct rm_shard *shard)
{
    rm_store_release(&shard->claim, 0);
}

static void never_called(ck_epoch_entry_t *entry)
{
    (void)entry;
}

/*
 * The grace period of the inbox begins here. Taking it is a full fence, so that the global epoch, which
 * ck_epoch_call reads, is read after the compare-and-swap that unlinked the garbage.
 */
static void admit_inbox(struct rm_shard *shard)
{
    struct rm_link *link = rm_stack_take_all(&shard->inbox);

    while (link != NULL) {
        struct rm_garbage *garbage = RM_CONTAINER_OF(link, struct rm_garbage, link);

        link = link->next;
        if (rm_broken(RM_GRACE)) {
            garbage->link.next = shard->ready;
            shard->ready = &garbage->link;
            continue;
        }
        ck_epoch_call(&shard->record, &garbage->epoch_entry, never_called);
    }
}

/* Moves what is past its grace period to the ready list, without waiting. */
static void poll_record(struct rm_shard *shard, struct rangemap_domain *domain)
{
    ck_stack_t over = CK_STACK_INITIALIZER;
    ck_stack_entry_t *cursor, *next;

    if (shard->record.n_pending == 0) {
        return;
    }
    (void)rm_grace_poll(domain, &shard->record, &over);
    for (cursor = CK_STACK_FIRST(&over); cursor != NULL; cursor = next) {
        ck_epoch_entry_t *entry = RM_CONTAINER_OF(cursor, ck_epoch_entry_t, stack_entry);
        struct rm_garbage *garbage = RM_CONTAINER_OF(entry, struct rm_garbage, epoch_entry);

        next = CK_STACK_NEXT(cursor);
        garbage->link.next = shard->ready;
        shard->ready = &garbage->link;
    }
}

static void dispose_ready(struct rm_shard *shard, struct rm_thread *thread, unsigned budget)
{
    while (shard->ready != NULL && budget > 0) {
        struct rm_link *next = shard->ready->next;
        struct rm_garbage *garbage = RM_CONTAINER_OF(shard->ready, struct rm_garbage, link);
        uint64_t bytes = rm_retire_bytes(garbage);

        if (!garbage->dispose(garbage, thread, &budget)) {
            return;
        }
        rm_pending_add(thread->domain, shard, 0 - bytes);
        shard->ready = next;
        (void)rm_add_relaxed(&shard->outstanding, (uint64_t)0 - 1);
    }
}

/* Claims `shard` if it is free, and does a share of its work. False: another thread is at it. */
static bool visit_shard(struct rm_shard *shard, struct rm_thread *thread, uint64_t now, bool poll,
                        unsigned budget)
{
    if (rm_load_relaxed(&shard->outstanding) == 0) {
        return true;
    }
    if (!claim_shard(shard)) {
        return false;
    }
    rm_busy_enter(thread);
    thread->reclaiming = true;
    rm_store_relaxed(&shard->visited_ns, now);
    admit_inbox(shard);
    if (poll) {
        poll_record(shard, thread->domain);
    }
    dispose_ready(shard, thread, budget);
    thread->reclaiming = false;
    rm_busy_leave(thread);
    unclaim(shard);
    return true;
}

void rm_reclaim_submit(struct rm_thread *thread, struct rm_garbage *garbage, uint64_t things)
{
    struct rangemap_domain *domain = thread->domain;
    struct rm_shard *shard = &domain->shard[thread->shard];

    /* A claim that is held when we come may be held for long: move to the next shard, for good. */
    for (unsigned i = 1; i < RM_SHARDS && rm_load_relaxed(&shard->claim) != 0; i++) {
        thread->shard = (thread->shard + 1) % RM_SHARDS;
        shard = &domain->shard[thread->shard];
    }
    (void)rm_add_relaxed(&shard->outstanding, 1);
    rm_pending_add(domain, shard, rm_retire_bytes(garbage));
    rm_stack_push(&shard->inbox, &garbage->link);
    thread->unvisited += things;
    thread->unpolled += things;
}

/* Tells the caller's callback, once per crossing of the soft limit. */
static void report_pressure(struct rangemap_domain *domain, bool pressed)
{
    if (pressed == (rm_load_relaxed(&domain->above_soft_limit) != 0) ||
        !rm_cas_full(&domain->above_soft_limit, !pressed, pressed)) {
        return;
    }
    if (pressed && domain->pressure != NULL) {
        struct rangemap_blocker blocker;

        rm_report_blocker(domain, &blocker);
        domain->pressure(domain, &blocker, domain->context);
    }
}

/* Whether the thread is to poll now; if so, starts counting anew. */
static bool is_poll_due(struct rm_thread *thread, uint64_t now, bool pressed)
{
    uint64_t things = POLL_THINGS_PER_RECORD * rm_load_relaxed(&thread->domain->records);
    bool few = thread->unpolled < POLL_THINGS || thread->unpolled < things;

    if (few && !pressed && now == thread->polled_ns) {
        return false;
    }
    thread->unpolled = 0;
    return true;
}

/*
 * A tick has passed: looks for shards that nobody has visited since the tick before, those of threads that are
 * idle or gone. Others are left alone: nodes freed here that another thread used last are cold here and
 * missing there.
 */
static void help_idle_shards(struct rm_thread *thread, uint64_t now)
{
    struct rangemap_domain *domain = thread->domain;

    for (unsigned i = 0; i < RM_SHARDS; i++) {
        struct rm_shard *shard = &domain->shard[i];

        if (rm_load_relaxed(&shard->visited_ns) < thread->polled_ns) {
            (void)visit_shard(shard, thread, now, true, HELP_BUDGET);
        }
    }
    thread->polled_ns = now;
}

static unsigned share_budget(const struct rm_thread *thread, bool pressed)
{
    uint64_t budget = SHARE_FACTOR * thread->unvisited + (pressed ? PRESSED_BUDGET : 0);

    return budget < UINT_MAX ? (unsigned)budget : UINT_MAX;
}

void rm_reclaim_visit(struct rm_thread *thread)
{
    struct rangemap_domain *domain = thread->domain;
    uint64_t now = rm_coarse_ns();
    bool pressed =
        domain->soft_limit_bytes != 0 && rm_load_relaxed(&domain->pending_bytes) > domain->soft_limit_bytes;
    bool due = is_poll_due(thread, now, pressed);

    if (!due && thread->unvisited < VISIT_THINGS) {
        return;
    }
    if (visit_shard(&domain->shard[thread->shard], thread, now, due, share_budget(thread, pressed))) {
        thread->unvisited = 0;
    }
    if (now != thread->polled_ns) {
        help_idle_shards(thread, now);
    }
    if (domain->soft_limit_bytes != 0) {
        rm_busy_enter(thread);     /* its callback must not detach the thread, */
        thread->reclaiming = true; /* nor wait for what we are in the middle of */
        report_pressure(domain, pressed);
        thread->reclaiming = false;
        rm_busy_leave(thread);
    }
}

bool rm_reclaim_poll(struct rm_thread *thread, unsigned budget)
{
    struct rangemap_domain *domain = thread->domain;
    uint64_t now = rm_coarse_ns();
    bool more = false;

    if (thread->reclaiming) {
        return true;
    }
    for (unsigned i = 0; i < RM_SHARDS; i++) {
        (void)visit_shard(&domain->shard[i], thread, now, true, budget);
        more |= rm_load_relaxed(&domain->shard[i].outstanding) != 0;
    }
    return more;
}

bool rm_reclaim_below_limit(struct rm_thread *thread)
{
    (void)rm_reclaim_poll(thread, PRESSED_BUDGET);
    return !rm_reclaim_is_over_limit(thread->domain);
}

bool rm_reclaim_is_empty(struct rangemap_domain *domain)
{
    for (unsigned i = 0; i < RM_SHARDS; i++) {
        if (rm_load_acquire(&domain->shard[i].outstanding) != 0) {
            return false;
        }
    }
    return true;
}

/* Disposes of all that is in a claimed shard, waiting for readers and for other pollers. */
static int empty_shard(struct rm_shard *shard, struct rm_thread *thread)
{
    unsigned looks = 0;
    int result = 0;

    admit_inbox(shard);
    for (;;) {
        poll_record(shard, thread->domain);
        dispose_ready(shard, thread, UINT_MAX);
        if (shard->record.n_pending == 0 && shard->ready == NULL) {
            return 0;
        }
        rm_grace_back_off(&looks);
        result = rm_grace_check(thread->domain);
        if (result != 0) {
            return result;
        }
    }
}

static int drain_shard(struct rm_shard *shard, struct rm_thread *thread)
{
    unsigned looks = 0;
    int result;

    while (!claim_shard(shard)) {
        rm_grace_back_off(&looks);
    }
    rm_busy_enter(thread);
    thread->reclaiming = true;
    result = empty_shard(shard, thread);
    thread->reclaiming = false;
    rm_busy_leave(thread);
    unclaim(shard);
    return result;
}

int rm_reclaim_barrier(struct rm_thread *thread)
{
    int result = 0;

    for (unsigned i = 0; i < RM_SHARDS && result == 0; i++) {
        result = drain_shard(&thread->domain->shard[i], thread);
    }
    return result;
}
