// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/epoch/upkeep.h"

#include <limits.h>

#include "rangemap/base/clock.h"
#include "rangemap/base/turn.h"
#include "rangemap/epoch/attach.h"
#include "rangemap/epoch/report.h"
#include "rangemap/epoch/retire.h"

enum {
    /* A thread sees to its shard when it has handed over this many things. */
    VISIT_ENTRIES = RM_BAG_ENTRIES,
    /*
     * A poll reads lines of every attached record, which their threads write, and perhaps interrupts those
     * threads. So it waits for this many things, but not longer than a tick of the coarse clock; and as one poll
     * serves all shards, a thread that others poll for makes none. A blocked thread waits for more things
     * the more records there are.
     */
    POLL_ENTRIES = 64,
    BLOCKED_ENTRIES_PER_RECORD = 4,
    BLOCKED_ENTRIES_MAX = 1024,
    /* Polls that one call of rangemap_domain_poll() makes at most. */
    POLLS_AT_ONCE = 8,
    REAP_AT_ONCE = 64
};

/* ---- a share of an update ---- */

/*
 * Whether this thread is the one to tell that the soft limit was passed upwards: of each crossing it is one, or each
 * that saw it before another cleared the word. Who brings the domain below it does so (epoch/reclaim.c); that may have
 * been before this thread set it, and what comes late is put right by the next share below. Relaxed: it is a hint, of
 * which nothing but the call depends.
 */
static bool notes_crossing(struct rangemap_domain *domain, bool pressed)
{
    if (pressed == (rm_load_relaxed(&domain->above_soft_limit) != 0) ||
        !rm_cas_relaxed(&domain->above_soft_limit, !pressed, pressed)) {
        return false;
    }
    if (pressed && !rm_domain_is_over_soft_limit(domain)) {
        rm_store_relaxed(&domain->above_soft_limit, 0);
    }
    return pressed;
}

static void tell_pressure(struct rm_thread *thread)
{
    struct rangemap_domain *domain = thread->domain;

    if (domain->pressure != NULL) {
        struct rm_callbacks before = rm_callbacks_enter(thread);
        struct rangemap_blocker blocker;

        rm_report_blocker(domain, &blocker);
        domain->pressure(domain, &blocker, domain->context);
        rm_callbacks_leave(thread, before);
    }
}

static uint64_t entries_before_poll(const struct rm_thread *thread)
{
    uint64_t entries = BLOCKED_ENTRIES_PER_RECORD * rm_load_relaxed(&thread->domain->roster.attached);

    if (!thread->was_blocked || entries < POLL_ENTRIES) {
        return POLL_ENTRIES;
    }
    return entries < BLOCKED_ENTRIES_MAX ? entries : BLOCKED_ENTRIES_MAX;
}

/* Whether no other thread has begun to poll in this epoch; if so, this one has. Of several at a time one is first. */
static bool is_first_to_poll(struct rangemap_domain *domain, unsigned epoch)
{
    uint64_t polled = rm_load_relaxed(&domain->polled);

    return polled != epoch && rm_cas_relaxed(&domain->polled, polled, epoch); /* a hint */
}

/*
 * Whether others poll for a thread that has counted anew in `counted` and now again. If they have moved the epoch on
 * by two, what it had handed over by then is out of sight already. If by less, another one may be about to; should
 * that one be stopped meanwhile, the epoch is the same at the next count.
 */
static bool is_served(struct rangemap_domain *domain, unsigned counted, unsigned epoch)
{
    return epoch != counted && (rm_grace_is_over(counted, epoch) || !is_first_to_poll(domain, epoch));
}

/* Whether the thread is to poll now; if it might have been, starts counting anew. */
static bool is_poll_due(struct rm_thread *thread, uint64_t now_ns, bool pressed)
{
    bool is_time = pressed || now_ns != thread->tended_ns;
    unsigned counted = thread->counted_epoch;

    if (!is_time && thread->retired_since_poll < entries_before_poll(thread)) {
        return false;
    }
    thread->retired_since_poll = 0;
    thread->counted_epoch = rm_domain_epoch(thread->domain);
    return is_time || !is_served(thread->domain, counted, thread->counted_epoch);
}

/*
 * Where it has handed things over, or maps that it ended have gone on, which may go on from there. That it sees no
 * end of is left to others.
 */
static void visit_elsewhere(struct rm_work *work)
{
    struct rm_thread *thread = work->thread;
    struct rm_shard *shard = NULL;

    for (unsigned i = 0; i < RM_TEND_RECORDS && thread->elsewhere != shard; i++) {
        shard = thread->elsewhere;
        if (rm_reclaim_visit(shard, work) && thread->elsewhere == shard && rm_shard_is_empty(shard)) {
            thread->elsewhere = NULL;
            return;
        }
    }
}

/* What callbacks hand over meanwhile is the next share's. */
static void visit_own(struct rm_work *work)
{
    struct rm_thread *thread = work->thread;
    uint64_t retired = thread->retired_since_visit, built = thread->built_since_visit;

    thread->retired_since_visit = thread->built_since_visit = 0;
    if (!rm_reclaim_visit(&thread->shard, work)) {
        thread->retired_since_visit += retired;
        thread->built_since_visit += built;
    }
    visit_elsewhere(work);
}

/* By one thread of all, once a tick. */
static void tend_domain(struct rangemap_domain *domain, uint64_t now_ns)
{
    uint64_t before_ns = rm_load_relaxed(&domain->roster.reaped_ns);

    if (before_ns != now_ns &&
        rm_cas_relaxed(&domain->roster.reaped_ns, before_ns, now_ns)) { /* a time alone */
        rm_thread_reap(domain, REAP_AT_ONCE);
        rm_pool_settle(&domain->pool, RM_SETTLE_SLABS);
    }
}

/*
 * Once a tick: gives free nodes away that are better off with others, parks records whose threads are gone, and works
 * on shards not visited since the tick before, those of threads that are idle or gone. Others are left alone: nodes
 * freed here that another thread used last are cold here and missing there.
 */
static void tend_others(struct rm_work *work)
{
    struct rangemap_domain *domain = work->thread->domain;
    struct rm_roster_walk walk = rm_roster_begin(&domain->roster, true);
    uint64_t places = rm_load_relaxed(&domain->roster.places);
    uint64_t since_ns = work->thread->tended_ns;
    struct rm_thread *other;

    work->thread->tended_ns = work->now_ns;
    rm_thread_separate(work->thread, work->now_ns);
    work->polls = 1;
    rm_work_grant(&work->budget, RM_TEND_ENTRIES);
    tend_domain(domain, work->now_ns);
    if (places > RM_TEND_RECORDS) {
        rm_roster_skip(&walk, rm_turn(&domain->roster.tended, RM_TEND_RECORDS, places));
    }
    for (unsigned i = 0; i < RM_TEND_RECORDS && (other = rm_roster_next(&walk)) != NULL; i++) {
        if (rm_load_relaxed(&other->shard.visited_ns) <= since_ns) {
            (void)rm_reclaim_visit(&other->shard, work);
        }
    }
}

void rm_upkeep_share(struct rm_thread *thread)
{
    struct rangemap_domain *domain = thread->domain;
    struct rm_work work = {.thread = thread, .now_ns = rm_coarse_ns()};
    bool pressed = rm_domain_is_over_soft_limit(domain), is_tick = work.now_ns != thread->tended_ns;
    bool polls, tells;

    polls = is_poll_due(thread, work.now_ns, pressed);
    work.polls = polls;
    if (!polls && thread->retired_since_visit + thread->built_since_visit < VISIT_ENTRIES) {
        return;
    }
    work.calls_back = !domain->calls_back_when_asked;
    tells = domain->soft_limit_bytes != 0 && work.calls_back && notes_crossing(domain, pressed);
    rm_work_grant(&work.budget, thread->retired_since_visit + (is_tick ? RM_TICK_ENTRIES : 0) +
                                    (pressed ? RM_PRESSED_ENTRIES : 0));
    rm_work_grant(&work.surplus,
                  (RM_SHARE_FACTOR - 1) * thread->retired_since_visit + thread->built_since_visit);
    visit_own(&work);
    if (is_tick) {
        tend_others(&work);
    }
    thread->was_blocked = work.blocker != NULL || (thread->was_blocked && !polls);
    if (work.blocker != NULL && is_tick) { /* to find out takes system calls */
        rm_thread_reap_if_gone(work.blocker);
    }
    if (tells) {
        tell_pressure(thread);
    } else if (pressed && !work.calls_back) {
        rm_domain_announce_work(domain);
    }
}

/* ---- on demand ---- */

bool rm_upkeep_poll(struct rm_thread *thread, unsigned budget)
{
    struct rangemap_domain *domain = thread->domain;
    struct rm_work work = {.thread = thread,
                           .now_ns = rm_coarse_ns(),
                           .budget = budget,
                           .polls = POLLS_AT_ONCE,
                           .calls_back = true};
    struct rm_roster_walk walk = rm_roster_begin(&domain->roster, true);
    struct rm_thread *other;
    bool works = false, tells;

    if (thread->busy > 0) {
        return true;
    }
    tells = domain->soft_limit_bytes != 0 && notes_crossing(domain, rm_domain_is_over_soft_limit(domain));
    tend_domain(domain, work.now_ns); /* not each time: it asks the kernel */
    while ((other = rm_roster_next(&walk)) != NULL) {
        works |= !rm_shard_is_empty(&other->shard);
        (void)rm_reclaim_visit(&other->shard, &work);
    }
    rm_pool_settle(&domain->pool, RM_SETTLE_SLABS);
    if (work.blocker != NULL) {
        rm_thread_reap_if_gone(work.blocker);
    }
    if (tells) {
        tell_pressure(thread);
    }
    rm_happens_release(thread);
    /* Looked at in the end: callbacks hand things over, and maps that end go on, to shards that were visited before. */
    return (works && !rm_reclaim_is_empty(domain)) || rm_load_relaxed(&domain->ending) != 0;
}

bool rm_upkeep_below_limit(struct rm_thread *thread)
{
    struct rangemap_domain *domain = thread->domain;
    struct rm_work work = {.thread = thread,
                           .now_ns = rm_coarse_ns(),
                           .budget = RM_PRESSED_ENTRIES,
                           .polls = POLLS_AT_ONCE,
                           /* A callback may have made the update: rm_upkeep(). */
                           .calls_back = !domain->calls_back_when_asked && thread->busy == 0};
    struct rm_roster_walk walk = rm_roster_begin(&domain->roster, true);
    struct rm_thread *other;

    if (!thread->reclaiming) {
        tend_domain(domain, work.now_ns);
        while (work.budget > 0 && (other = rm_roster_next(&walk)) != NULL) {
            (void)rm_reclaim_visit(&other->shard, &work);
        }
        if (work.blocker != NULL) {
            rm_thread_reap_if_gone(work.blocker);
        }
    }
    rm_happens_release(thread);
    return !rm_domain_is_over_hard_limit(domain);
}

/* ---- waiting: nothing is held while a thread sleeps ---- */

/* Polls until the epoch is two further than `from`; or, if `may_be_quiet`, until no section is open. */
static void await_epoch(struct rangemap_domain *domain, unsigned from, bool may_be_quiet)
{
    unsigned attempts = 0;

    while (!rm_grace_is_over(from, rm_domain_epoch(domain))) {
        struct rm_thread *blocker;
        enum rm_grace grace = rm_grace_poll(domain, &blocker);

        if (grace == RM_GRACE_QUIET && may_be_quiet) {
            return;
        }
        if (grace == RM_GRACE_BLOCKED) {
            if (blocker != NULL) {
                rm_thread_reap_if_gone(blocker);
            }
            rm_back_off(&attempts);
        }
    }
}

void rm_upkeep_wait_grace(struct rm_thread *thread)
{
    /* What the caller made unreachable, before the epoch is read. */
    ck_pr_fence_memory();
    await_epoch(thread->domain, rm_domain_epoch(thread->domain), true);
    rm_happens_release(thread);
}

/* Visits every shard, waiting for the thread that is at it; what is ready by now is disposed of. */
static void visit_all(struct rm_thread *thread)
{
    struct rm_roster_walk walk = rm_roster_begin(&thread->domain->roster, true);
    struct rm_thread *other;

    while ((other = rm_roster_next(&walk)) != NULL) {
        struct rm_work work = {
            .thread = thread, .now_ns = rm_coarse_ns(), .budget = UINT_MAX, .calls_back = true};
        unsigned attempts = 0;

        while (!rm_reclaim_visit(&other->shard, &work)) {
            rm_back_off(&attempts);
        }
    }
}

void rm_upkeep_barrier(struct rm_thread *thread)
{
    struct rangemap_domain *domain = thread->domain;

    rm_thread_reap(domain, UINT_MAX);
    visit_all(thread); /* every inbox has been admitted, at the latest in the epoch that is read next */
    if (!rm_reclaim_is_empty(domain)) {
        await_epoch(domain, rm_domain_epoch(domain), false);
        visit_all(thread);
    }
    rm_happens_release(thread);
}
