// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/epoch/attach.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "rangemap/base/clock.h"
#include "rangemap/base/fence.h"
#include "rangemap/base/turn.h"
#include "rangemap/epoch/fork.h"
#include "rangemap/epoch/retire.h"
#include "rangemap/epoch/section.h"
#include "rangemap/epoch/unload.h"

static bool handles_fork; /* set when the library is loaded */

/*
 * When the library is loaded, where malloc is no harm: pthread_atfork() calls it. libc forgets the handler when the
 * program or library that this is a part of is unloaded.
 */
__attribute__((constructor)) static void prepare_at_load(void)
{
    rm_process_note();
    rm_unload_prepare();
    handles_fork = pthread_atfork(NULL, NULL, rm_fork_child) == 0;
}

/* ---- records without a thread ---- */

void rm_thread_forget_in_hand(struct rm_thread *thread)
{
    rm_cache_forget(&thread->cache);
    thread->bag = NULL;
    thread->committed_bag = NULL;
    thread->committed = 0;
}

/* By the thread that made the record MOVING, or popped it. Its last thread's section, if one is open, is over. */
static void end_section(struct rm_thread *thread)
{
    rm_happens_acquire(thread);
    ck_pr_store_uint(&thread->section.active, 0);
    rm_light_init(thread);
    if (thread->busy > 0) {
        rm_thread_forget_in_hand(thread);
    }
    thread->busy = 0;
    thread->reclaiming = false;
}

static void park(struct rm_thread *thread)
{
    struct rangemap_domain *domain = thread->domain;

    end_section(thread);
    rm_retire_close(thread);
    rm_cache_flush(&thread->cache, &domain->pool);
    rm_roster_set_attached(&domain->roster, thread, false);
    rm_record_push_parked(thread);
}

/* The caller's number, which its own record has. */
static int own_number(const struct rangemap_domain *domain)
{
    const struct rm_thread *own = rm_thread_existing(domain);

    return own != NULL ? rm_record_tid(own) : rm_thread_number();
}

/*
 * A record with the caller's number is another's, which is gone, unless a handler has just attached the caller: which
 * none does between this question and the seizing.
 */
static bool seize_abandoned(struct rm_thread *thread, int self)
{
    struct rm_signals before;
    bool seized;

    if (rm_record_tid(thread) != self) {
        return !rm_thread_is_own(thread) && rm_record_seize(thread, RM_THREAD_ATTACHED, 0);
    }
    before = rm_signals_hold();
    seized = !rm_thread_is_own(thread) && rm_record_seize(thread, RM_THREAD_ATTACHED, self);
    rm_signals_let_through(before);
    return seized;
}

void rm_thread_reap_if_gone(struct rm_thread *thread)
{
    if (!rm_thread_is_own(thread) && seize_abandoned(thread, own_number(thread->domain))) {
        park(thread);
    }
}

/* The walk, moved on to where the last one that looked at a few ended. */
static struct rm_roster_walk walk_on(struct rangemap_domain *domain, unsigned records)
{
    struct rm_roster_walk walk = rm_roster_begin(&domain->roster, false);
    uint64_t attached = rm_load_relaxed(&domain->roster.attached);

    if (attached > records) {
        rm_roster_skip(&walk, rm_turn(&domain->roster.looked, records, attached));
    }
    return walk;
}

void rm_thread_reap(struct rangemap_domain *domain, unsigned records)
{
    struct rm_roster_walk walk = walk_on(domain, records);
    struct rm_thread *thread;

    for (; records > 0 && (thread = rm_roster_next(&walk)) != NULL; records--) {
        rm_thread_reap_if_gone(thread);
    }
}

/*
 * When attaching: all of them, unless another did so within a tick, or within ten microseconds a record, so that this
 * takes a small part of a processor's time however many threads come.
 */
static void reap_all_if_due(struct rangemap_domain *domain)
{
    enum { NS_PER_RECORD = 10000 };
    uint64_t pause_ns = rm_load_relaxed(&domain->roster.attached) * NS_PER_RECORD;

    if (rm_turn_is_due(&domain->roster.reaped_all_ns, pause_ns, rm_coarse_ns())) {
        rm_thread_reap(domain, UINT_MAX);
    }
}

/* A record whose thread is gone, as that left it; a few are looked at. NULL: none of those. */
static struct rm_thread *find_abandoned(struct rangemap_domain *domain, int self)
{
    enum { LOOKS = 8 };
    struct rm_roster_walk walk = walk_on(domain, LOOKS);
    struct rm_thread *thread, *found = NULL;

    for (unsigned i = 0; i < LOOKS && found == NULL && (thread = rm_roster_next(&walk)) != NULL; i++) {
        found = seize_abandoned(thread, self) ? thread : NULL;
    }
    return found;
}

/* ---- attaching ---- */

static bool prepare_process(void)
{
    rm_fence_prepare();
    if (!handles_fork) {
        handles_fork = pthread_atfork(NULL, NULL, rm_fork_child) == 0;
    }
    return handles_fork;
}

static void drop_orphans(void)
{
    struct rm_thread *orphan;

    while ((orphan = rm_own_orphan()) != NULL) {
        rm_own_remove(orphan);
        rm_record_free(orphan);
    }
}

static struct rm_thread *new_record(struct rangemap_domain *domain)
{
    struct rm_thread *thread = rm_record_take();

    if (thread != NULL && !rm_record_join(thread, domain)) {
        rm_record_free(thread);
        thread = NULL;
    }
    return thread;
}

/*
 * Makes the record, which no other has, the thread's: unless a handler has attached the thread since it looked. While
 * the tree of its records changes, no handler comes.
 */
static struct rm_thread *adopt(struct rm_thread *thread, uint64_t standing)
{
    struct rm_signals before = rm_signals_hold();
    struct rm_thread *other = rm_thread_existing(thread->domain);

    drop_orphans();
    if (other == NULL) {
        rm_store_release(&thread->standing, standing);
        rm_own_add(thread);
    }
    rm_signals_let_through(before);
    if (other != NULL) {
        park(thread);
        return other;
    }
    return thread;
}

static uint64_t attaches(const struct rm_thread *thread)
{
    return rm_standing_attached(rm_load_relaxed(&thread->standing));
}

/*
 * A parked record, or one whose thread is gone, which is still attached. NULL: neither. Parked ones are looked at once
 * more at the end: while this thread looked for the others, another one may have parked them.
 */
static struct rm_thread *find_record(struct rangemap_domain *domain, int self, bool *is_attached)
{
    struct rm_thread *thread = rm_record_pop_parked(domain);

    *is_attached = false;
    if (thread == NULL) {
        thread = find_abandoned(domain, self);
        *is_attached = thread != NULL;
    }
    return thread != NULL ? thread : rm_record_pop_parked(domain);
}

/*
 * A record that no thread has, else a new one: so there are about as many as live threads. What the last thread owes,
 * its open bag and its share of work, goes over with the record.
 */
static struct rm_thread *attach(struct rangemap_domain *domain)
{
    struct rm_thread *thread;
    bool is_attached;
    int self;

    if (!prepare_process()) {
        return NULL;
    }
    reap_all_if_due(domain);
    self = rm_thread_number();
    thread = find_record(domain, self, &is_attached);
    thread = thread != NULL ? thread : new_record(domain);
    if (thread == NULL) {
        return rm_thread_existing(domain); /* by a handler, to which the last memory went */
    }
    end_section(thread);
    if (!is_attached) {
        rm_roster_set_attached(&domain->roster, thread, true);
    }
    thread = adopt(thread, rm_standing(RM_THREAD_ATTACHED, self, attaches(thread) + 1) |
                               (rm_thread_has_list() ? RM_STANDING_LIST : 0));
    rm_happens_release(thread);
    return thread;
}

struct rm_thread *rm_thread_find(struct rangemap_domain *domain)
{
    struct rm_thread *thread = rm_thread_existing(domain);

    if (thread != NULL) {
        rm_thread_last = thread;
        return thread;
    }
    return attach(domain);
}

/* ---- leaving ---- */

int rm_thread_detach(struct rangemap_domain *domain)
{
    struct rm_thread *thread = rm_thread_existing(domain);
    struct rm_signals before;

    if (thread != NULL && (rm_section_is_open(thread) || thread->reclaiming || thread->busy > 0)) {
        return -EBUSY;
    }
    before = rm_signals_hold();
    drop_orphans();
    if (thread != NULL) {
        rm_own_remove(thread);
        rm_record_set_state(thread, RM_THREAD_MOVING);
    }
    rm_signals_let_through(before);
    if (thread != NULL) {
        park(thread);
    }
    return 0;
}

static bool try_release(struct rm_thread *thread)
{
    uint64_t standing = rm_load_acquire(&thread->standing);

    if (rm_standing_state(standing) == RM_THREAD_PARKED || rm_record_seize(thread, RM_THREAD_ATTACHED, 0)) {
        rm_record_free(thread);
        return true;
    }
    return rm_standing_state(standing) == RM_THREAD_ATTACHED &&
           rm_cas_full(&thread->standing, standing, rm_standing_with(standing, RM_THREAD_ORPHAN));
}

/*
 * A record of no domain yet: that of a thread which was about to join when the process was forked, and is none of the
 * child's.
 */
static void release(struct rm_thread *thread)
{
    if (thread->section.global == NULL) {
        rm_record_free(thread);
        return;
    }
    /* Its owner compares this pointer only; it never follows it again. */
    ck_pr_store_ptr(&thread->section.global, NULL);
    while (!try_release(thread)) {
        (void)sched_yield(); /* MOVING: it is being parked right now */
    }
}

void rm_thread_release_all(struct rangemap_domain *domain)
{
    struct rm_roster_walk walk = rm_roster_begin(&domain->roster, true);
    struct rm_thread *thread;

    while ((thread = rm_roster_next(&walk)) != NULL) {
        release(thread);
    }
    rm_own_note_destroyed();
}
