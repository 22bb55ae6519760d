// SPDX-License-Identifier: BSD-2-Clause
/*
 * Kernel: mm/mmu_notifier.c (6.1); docs/pagemap.md, section 14, for the protocol. Each kind of address has a tree of
 * intervals and a list of invalidations under way, both under one mutex, which is never held while a callback runs.
 */
#include "pagemap/notifier/notifier.h"

#include <errno.h>

#include "pagemap/base/cancel.h"
#include "pagemap/base/interval.h"
#include "pagemap/base/wait.h"
#include "pagemap/base/warn.h"

/* The innermost invalidation that this thread has begun and not ended; one that is over is there for its callbacks. */
static _Thread_local struct mmu_notifier_range *innermost;

/* ---- intervals ---- */

static struct mmu_interval_notifier *subscription_of(struct pm_interval *interval)
{
    return interval == NULL ? NULL : PM_CONTAINER_OF(interval, struct mmu_interval_notifier, _interval);
}

static int subscribe(struct mmu_interval_notifier *subscription, struct pm_told_space *space,
                     struct mm_struct *mm, uint64_t start, uint64_t bytes,
                     const struct mmu_interval_notifier_ops *ops)
{
    struct mmu_interval_notifier made = {.ops = ops, .mm = mm, ._space = space};
    int error;

    if (subscription == NULL || ops == NULL || ops->invalidate == NULL) {
        return -EINVAL;
    }
    if (bytes == 0 || bytes - 1 > UINT64_MAX - start) {
        return -EOVERFLOW;
    }
    error = pm_told_handle_forks();
    if (error != 0) {
        return error;
    }
    made._interval.first = start;
    made._interval.last = start + (bytes - 1);
    pm_told_lock(space);
    made._generation = space->generation;
    made._born = space->seq;
    made.invalidate_seq = space->seq; /* what was read before the newest invalidation is stale */
    *subscription = made;
    pm_interval_insert(&space->root, &subscription->_interval);
    pm_told_unlock(space);
    return 0;
}

int mmu_interval_notifier_insert(struct mmu_interval_notifier *subscription, struct mm_struct *mm,
                                 unsigned long start, unsigned long length,
                                 const struct mmu_interval_notifier_ops *ops)
{
    return subscribe(subscription, &pm_told_addresses, mm, start, length, ops);
}

int pagemap_interval_notifier_insert(struct mmu_interval_notifier *subscription, phys_addr_t start,
                                     uint64_t bytes, const struct mmu_interval_notifier_ops *ops)
{
    return subscribe(subscription, &pm_told_physical, NULL, start, bytes, ops);
}

static bool runs_here(const struct mmu_interval_notifier *subscription)
{
    for (const struct mmu_notifier_range *range = innermost; range != NULL; range = range->_outer) {
        if (range->_running == subscription) {
            return true;
        }
    }
    return false;
}

/*
 * Takes it out of the tree once no callback of it runs: a thread that walks the tree stands on one whose callback does.
 */
static bool has_left(void *context)
{
    struct mmu_interval_notifier *subscription = context;
    struct pm_told_space *space = subscription->_space;
    bool done;

    pm_told_lock(space);
    done = subscription->_nr_running == 0 || subscription->_generation != space->generation;
    if (done && subscription->_generation == space->generation) {
        pm_interval_remove(&space->root, &subscription->_interval);
    }
    pm_told_unlock(space);
    return done;
}

int mmu_interval_notifier_remove(struct mmu_interval_notifier *subscription)
{
    struct pm_told_space *space = subscription == NULL ? NULL : subscription->_space;

    if (pm_warn_on(space == NULL, "mmu_interval_notifier_remove() of what is not inserted")) {
        return -EINVAL;
    }
    if (pm_warn_on(runs_here(subscription), "mmu_interval_notifier_remove() in a callback of its own")) {
        return -EDEADLK;
    }
    pm_told_lock(space);
    subscription->_is_leaving = true;
    pm_told_unlock(space);
    pm_wait_var(space, has_left, subscription);
    subscription->_space = NULL;
    return 0;
}

/* ---- readers ---- */

struct reader {
    struct mmu_interval_notifier *subscription;
    unsigned long seq;
};

static bool overlaps(const struct mmu_notifier_range *range, const struct mmu_interval_notifier *subscription)
{
    return subscription->_interval.first < range->end && range->start <= subscription->_interval.last;
}

/*
 * Reads the number at an instant when no invalidation of the interval is in the list: then no callback stores
 * another.
 */
static bool is_undisturbed(void *context)
{
    struct reader *reader = context;
    struct mmu_interval_notifier *subscription = reader->subscription;
    struct pm_told_space *space = subscription->_space;
    bool disturbed = false;

    pm_told_lock(space);
    for (const struct mmu_notifier_range *range = space->under_way; range != NULL; range = range->_next) {
        disturbed = disturbed || overlaps(range, subscription);
    }
    reader->seq = __atomic_load_n(&subscription->invalidate_seq, __ATOMIC_ACQUIRE);
    pm_told_unlock(space);
    return !disturbed;
}

static bool is_invalidated_here(const struct mmu_interval_notifier *subscription)
{
    for (const struct mmu_notifier_range *range = innermost; range != NULL; range = range->_outer) {
        if (!range->_is_over && range->_space == subscription->_space &&
            range->_generation == subscription->_generation && overlaps(range, subscription)) {
            return true;
        }
    }
    return false;
}

unsigned long mmu_interval_read_begin(struct mmu_interval_notifier *subscription)
{
    struct reader reader = {subscription, 0};

    if (pm_warn_on(subscription->_space == NULL, "mmu_interval_read_begin() of what is not inserted")) {
        return ~__atomic_load_n(&subscription->invalidate_seq, __ATOMIC_RELAXED); /* so high is no number */
    }
    if (is_invalidated_here(subscription) && !is_undisturbed(&reader)) {
        pm_warn("mmu_interval_read_begin() of what this thread invalidates");
        return ~reader.seq;
    }
    pm_wait_var(subscription->_space, is_undisturbed, &reader);
    return reader.seq;
}

/* ---- invalidations ---- */

/* Between start and end of another one, of the same thread and kind, of which every client was told. */
static bool is_nested(const struct mmu_notifier_range *range)
{
    for (const struct mmu_notifier_range *at = range->_outer; at != NULL; at = at->_outer) {
        if (at->_space == range->_space && at->_generation == range->_generation && at->_is_told &&
            !at->_is_over && at->start <= range->start && range->end <= at->end) {
            return true;
        }
    }
    return false;
}

/* One inserted after the number was given is not concerned: before it finds any page it waits for the end. */
static bool concerns(const struct mmu_notifier_range *range, const struct mmu_interval_notifier *subscription)
{
    return subscription->_born < range->_seq && !subscription->_is_leaving;
}

static void set_up(struct mmu_notifier_range *range, struct pm_told_space *space)
{
    range->_space = space;
    range->_generation = space->generation; /* changes in a child, which has one thread */
    range->_outer = innermost;
    range->_running = NULL;
    range->_is_told = false;
    range->_is_over = false;
    range->_is_nested = is_nested(range);
}

/* With the space locked. */
static void enter_list(struct pm_told_space *space, struct mmu_notifier_range *range)
{
    range->_seq = ++space->seq;
    range->_next = space->under_way;
    space->under_way = range;
}

static void leave_list(struct pm_told_space *space, const struct mmu_notifier_range *range)
{
    struct mmu_notifier_range **link = &space->under_way;

    while (*link != range) {
        link = &(*link)->_next;
    }
    *link = range->_next;
}

static void call(struct mmu_interval_notifier *subscription, struct mmu_notifier_range *range, bool is_start)
{
    range->mm = subscription->mm;
    if (is_start) {
        (void)pm_warn_on(!subscription->ops->invalidate(subscription, range, range->_seq),
                         "invalidate() returned false, but it may wait");
    } else if (subscription->ops->invalidate_end != NULL) {
        subscription->ops->invalidate_end(subscription, range);
    }
}

/*
 * False: it returned in a child, which has no client to call. With the space locked before and after, but not
 * meanwhile.
 */
static bool call_unlocked(struct mmu_interval_notifier *subscription, struct mmu_notifier_range *range,
                          bool is_start)
{
    struct pm_told_space *space = range->_space;

    subscription->_nr_running++;
    range->_running = subscription;
    pm_told_unlock(space);
    call(subscription, range, is_start);
    pm_told_lock(space);
    range->_running = NULL;
    if (range->_generation != space->generation) {
        return false;
    }
    subscription->_nr_running--;
    if (subscription->_is_leaving) {
        pm_wake_var(space);
    }
    return true;
}

/* What it stands on cannot be removed: its callback ran until now, and the space was locked ever since. */
static void call_all(struct mmu_notifier_range *range, bool is_start)
{
    const uint64_t first = range->start, last = range->end - 1;
    struct pm_told_space *space = range->_space;
    int cancel = pm_cancel_off();
    struct pm_interval *at;

    pm_told_lock(space);
    at = range->_generation == space->generation ? pm_interval_first(space->root, first, last) : NULL;
    while (at != NULL) {
        struct mmu_interval_notifier *subscription = subscription_of(at);

        if (concerns(range, subscription) && !call_unlocked(subscription, range, is_start)) {
            break;
        }
        at = pm_interval_next(at, first, last);
    }
    pm_told_unlock(space);
    pm_cancel_restore(cancel);
}

void pm_invalidate_start(struct pm_told_space *space, struct mmu_notifier_range *range)
{
    set_up(range, space);
    innermost = range;
    if (!range->_is_nested) {
        pm_told_lock(space);
        enter_list(space, range);
        pm_told_unlock(space);
        call_all(range, true);
    }
    range->_is_told = true;
}

static bool somebody_is_concerned(struct pm_told_space *space, const struct mmu_notifier_range *range)
{
    return pm_interval_first(space->root, range->start, range->end - 1) != NULL;
}

bool pm_invalidate_quietly(struct pm_told_space *space, struct mmu_notifier_range *range)
{
    bool quiet = true;

    set_up(range, space);
    if (!range->_is_nested) {
        pm_told_lock(space);
        quiet = !somebody_is_concerned(space, range);
        if (quiet) {
            enter_list(space, range);
        }
        pm_told_unlock(space);
    }
    if (quiet) {
        range->_is_told = true;
        innermost = range;
    }
    return quiet;
}

/* The list is left before the callbacks, which may begin to read. */
static void end_and_call(struct mmu_notifier_range *range)
{
    struct pm_told_space *space = range->_space;

    pm_told_lock(space);
    if (range->_generation == space->generation) {
        leave_list(space, range);
    }
    pm_told_unlock(space);
    pm_wake_var(space);
    call_all(range, false);
}

void pm_invalidate_end(struct mmu_notifier_range *range)
{
    range->_is_over = true;
    if (!range->_is_nested) {
        end_and_call(range);
    }
    innermost = range->_outer;
}

void mmu_notifier_invalidate_range_start(struct mmu_notifier_range *range)
{
    pm_invalidate_start(&pm_told_addresses, range);
}

void mmu_notifier_invalidate_range_end(struct mmu_notifier_range *range)
{
    pm_invalidate_end(range);
}
