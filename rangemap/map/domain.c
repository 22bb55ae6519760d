// SPDX-License-Identifier: BSD-2-Clause
/* The public functions on domains. */
#include <errno.h>
#include <limits.h>
#include <pthread.h>

#include "rangemap/base/clock.h"
#include "rangemap/epoch/attach.h"
#include "rangemap/epoch/defer.h"
#include "rangemap/epoch/report.h"
#include "rangemap/epoch/retire.h"
#include "rangemap/epoch/section.h"
#include "rangemap/epoch/upkeep.h"

static bool is_allocator(const struct rangemap_chunk_allocator *chunks)
{
    return chunks == NULL || (chunks->alloc != NULL && chunks->free != NULL);
}

int rangemap_domain_create(const struct rangemap_domain_options *options, struct rangemap_domain **domain)
{
    struct rangemap_domain *made;

    if (domain == NULL ||
        (options != NULL && (!is_allocator(options->chunks) ||
                             (unsigned)options->callbacks > (unsigned)RANGEMAP_CALLBACKS_WHEN_ASKED))) {
        return -EINVAL;
    }
    made = rm_domain_new(options);
    if (made == NULL) {
        return -ENOMEM;
    }
    *domain = made;
    return 0;
}

int rangemap_domain_destroy(struct rangemap_domain *domain)
{
    int result;

    if (domain == NULL || rm_domain_is_default(domain)) {
        return -EINVAL;
    }
    if (rm_load_relaxed(&domain->maps) != 0) { /* a count; the caller has ended all uses */
        return -EBUSY;
    }
    do { /* callbacks may have deferred again */
        result = rangemap_domain_barrier(domain);
    } while (result == 0 && !rm_reclaim_is_empty(domain));
    if (result != 0) {
        return result;
    }
    rm_thread_release_all(domain);
    rm_domain_free(domain);
    return 0;
}

/* The calling thread's record in *domain, which NULL makes the default; NULL if out of memory. */
static struct rm_thread *enter_domain(struct rangemap_domain *domain)
{
    domain = rm_domain_or_default(domain);
    return domain != NULL ? rm_thread_current(domain) : NULL;
}

/* ---- attaching ---- */

int rangemap_domain_attach(struct rangemap_domain *domain)
{
    return enter_domain(domain) != NULL ? 0 : -ENOMEM;
}

int rangemap_domain_detach(struct rangemap_domain *domain)
{
    domain = rm_domain_or_default(domain);
    return domain != NULL ? rm_thread_detach(domain) : -ENOMEM;
}

int rangemap_domain_is_attached(struct rangemap_domain *domain)
{
    domain = rm_domain_existing(domain);
    return domain != NULL && rm_thread_existing(domain) != NULL;
}

/* ---- sections ---- */

int rangemap_domain_read_begin(struct rangemap_domain *domain)
{
    struct rm_thread *thread = enter_domain(domain);

    if (thread == NULL) {
        return -ENOMEM;
    }
    rm_section_enter(thread);
    return 0;
}

void rangemap_domain_read_end(struct rangemap_domain *domain)
{
    domain = rm_domain_existing(domain);
    if (domain != NULL) {
        rm_section_end_checked(rm_thread_existing(domain));
    }
}

/* ---- deferring and reclaiming ---- */

int rangemap_domain_defer(struct rangemap_domain *domain, struct rangemap_deferred *deferred,
                          rangemap_deferred_fn *run, void *context)
{
    struct rm_thread *thread;

    if (deferred == NULL || run == NULL) {
        return -EINVAL;
    }
    thread = enter_domain(domain);
    if (thread == NULL) {
        return -ENOMEM;
    }
    rm_reclaim_submit(thread, rm_defer_prepare(deferred, run, context), 1);
    rm_upkeep(thread);
    return 0;
}

static void close_bag(struct rm_thread *thread)
{
    rm_busy_enter(thread);
    rm_retire_close(thread);
    rm_busy_leave(thread);
}

static int poll(struct rm_thread *thread)
{
    if (thread->busy == 0) {
        close_bag(thread);
    }
    return rm_upkeep_poll(thread, RM_POLL_ENTRIES);
}

int rangemap_domain_poll(struct rangemap_domain *domain)
{
    struct rm_thread *thread = enter_domain(domain);

    return thread != NULL ? poll(thread) : -ENOMEM;
}

int rangemap_domain_trim(struct rangemap_domain *domain)
{
    struct rm_thread *thread;

    domain = rm_domain_or_default(domain);
    if (domain == NULL) {
        return -ENOMEM;
    }
    rm_thread_reap(domain, UINT_MAX);
    thread = rm_thread_existing(domain);
    if (thread != NULL) {
        rm_busy_enter(thread);
        rm_cache_flush(&thread->cache, &domain->pool);
        rm_busy_leave(thread);
    }
    return rm_pool_trim(&domain->pool);
}

static bool may_not_wait(const struct rm_thread *thread)
{
    return rm_section_is_open(thread) || thread->reclaiming;
}

/* Sleeps until something is announced after `work` was read, or for so long. Leaves nothing behind if cancelled. */
static void sleep_until_work(struct rangemap_domain *domain, uint64_t work, int64_t limit_ns)
{
    uint64_t waiters;
    int cancel_state;

    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
    do {
        waiters = rm_load_relaxed(&domain->waiters);
    } while (!rm_cas_full(&domain->waiters, waiters, waiters + 1));
    rm_sleep_on((const uint32_t *)(const void *)&domain->work, (uint32_t)work, limit_ns);
    (void)rm_add_relaxed(&domain->waiters, (uint64_t)0 - 1);
    (void)pthread_setcancelstate(cancel_state, NULL);
    pthread_testcancel();
}

/*
 * What waits for readers is looked at often; what is not there yet is announced, where callbacks are made when asked.
 */
static int64_t pause_ns(const struct rangemap_domain *domain, bool more)
{
    enum { LOOK_NS = 1000000, IDLE_NS = 100000000 };

    return more || !domain->calls_back_when_asked ? LOOK_NS : IDLE_NS;
}

int rangemap_domain_serve(struct rangemap_domain *domain, int timeout_ms)
{
    struct rm_thread *thread = enter_domain(domain);
    uint64_t began_ns = rm_coarse_ns(), limit_ns = (uint64_t)(unsigned)timeout_ms * 1000000;

    if (thread == NULL) {
        return -ENOMEM;
    }
    if (may_not_wait(thread)) {
        return -EDEADLK;
    }
    for (;;) {
        uint64_t work = rm_load_acquire(&thread->domain->work), disposed = thread->disposed, took_ns;
        int64_t sleep_ns = pause_ns(thread->domain, poll(thread) != 0);

        if (thread->disposed != disposed) {
            return 1;
        }
        took_ns = rm_coarse_ns() - began_ns;
        if (timeout_ms >= 0 && took_ns >= limit_ns) {
            return 0;
        }
        if (timeout_ms >= 0 && limit_ns - took_ns < (uint64_t)sleep_ns) {
            sleep_ns = (int64_t)(limit_ns - took_ns);
        }
        sleep_until_work(thread->domain, work, sleep_ns);
    }
}

int rangemap_domain_synchronize(struct rangemap_domain *domain)
{
    struct rm_thread *thread = enter_domain(domain);

    if (thread == NULL) {
        return -ENOMEM;
    }
    if (may_not_wait(thread)) {
        return -EDEADLK;
    }
    rm_upkeep_wait_grace(thread);
    return 0;
}

/*
 * A map that was ended goes from shard to shard, a grace period each: in so many rounds as there are shards, those that
 * come meanwhile included, those are gone that were ended before the first. While others are ended all the time, it
 * makes all of them.
 */
static void await_ends(struct rm_thread *thread)
{
    const struct rangemap_domain *domain = thread->domain;

    for (uint64_t rounds = 0; rm_load_acquire(&domain->ending) != 0; rounds++) {
        if (rounds > rm_load_relaxed(&domain->roster.places)) {
            return;
        }
        rm_upkeep_barrier(thread);
    }
}

int rangemap_domain_barrier(struct rangemap_domain *domain)
{
    struct rm_thread *thread = enter_domain(domain);

    if (thread == NULL) {
        return -ENOMEM;
    }
    if (may_not_wait(thread)) {
        return -EDEADLK;
    }
    close_bag(thread);
    rm_upkeep_barrier(thread);
    await_ends(thread);
    rm_busy_enter(thread);
    rm_cache_settle(&thread->cache, &thread->domain->pool);
    rm_busy_leave(thread);
    return 0;
}

/* ---- looking inside ---- */

int rangemap_domain_blocker(struct rangemap_domain *domain, struct rangemap_blocker *blocker)
{
    if (blocker == NULL) {
        return -EINVAL;
    }
    domain = rm_domain_or_default(domain);
    if (domain == NULL) {
        return -ENOMEM;
    }
    rm_report_blocker(domain, blocker);
    return 0;
}

int rangemap_domain_stats(struct rangemap_domain *domain, struct rangemap_domain_statistics *statistics)
{
    if (statistics == NULL) {
        return -EINVAL;
    }
    domain = rm_domain_or_default(domain);
    if (domain == NULL) {
        return -ENOMEM;
    }
    rm_report_statistics(domain, statistics);
    return 0;
}
