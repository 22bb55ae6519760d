// SPDX-License-Identifier: BSD-2-Clause
/* memunmap_pages(), killing and resurrecting. Kernel: mm/memremap.c (6.1). */
#include "pagemap/memremap/teardown.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "pagemap/backend/backend.h"
#include "pagemap/base/map.h"
#include "pagemap/base/wait.h"
#include "pagemap/base/warn.h"
#include "pagemap/core/domain.h"
#include "pagemap/holders/report.h"
#include "pagemap/notifier/notifier.h"
#include "pagemap/page/mapped.h"
#include "pagemap/page/marks.h"
#include "pagemap/pagemap.h"
#include "pagemap/statistics/statistics.h"

/* ---- the reference ---- */

/* Of an eventfd: its counter is full. */
static bool would_block(int fd)
{
    struct pollfd poller = {.fd = fd, .events = POLLOUT};
    struct timespec at_once = {0, 0};

    return syscall(SYS_ppoll, &poller, 1, &at_once, NULL, 0) >= 0 && (poller.revents & POLLOUT) == 0;
}

/*
 * In whichever thread, or signal handler, put last: system calls themselves, which are no cancellation points. A full
 * eventfd is one that was told.
 */
static void tell_drained(const struct pm_mapped *mapped)
{
    const uint64_t one = 1;
    int before = errno;

    if (mapped != NULL && mapped->drained_fd >= 0) {
        if (!would_block(mapped->drained_fd)) {
            (void)syscall(SYS_write, mapped->drained_fd, &one, sizeof one);
        }
        errno = before;
    }
}

/* The last access to pgmap is the store: the address alone wakes. */
void pm_reference_gone(struct percpu_ref *ref)
{
    struct dev_pagemap *pgmap = PM_CONTAINER_OF(ref, struct dev_pagemap, ref);

    tell_drained(pgmap->_mapped);
    (void)pm_swap_full(&pgmap->_done, 1);
    pm_wake_var(&pgmap->_done);
}

static bool is_done(void *done)
{
    return pm_load_full(done) != 0;
}

/*
 * No thread gets a reference any more, so it need not be said of all ranges at once. Holders put those that they have.
 */
static void tell_killed(const struct dev_pagemap *pgmap)
{
    struct mmu_notifier_range range;

    for (unsigned id = 0; id < pgmap->nr_range; id++) {
        mmu_notifier_range_init(&range, MMU_NOTIFY_RELEASE, 0, NULL, NULL, pgmap->ranges[id].start,
                                pgmap->ranges[id].end + 1);
        pm_invalidate_start(&pm_told_physical, &range);
        pm_invalidate_end(&range);
    }
}

/*
 * An extra reference is kept while it is dead, so that the last put cannot come before a resurrection and
 * declare it done after.
 */
int pm_kill(struct dev_pagemap *pgmap)
{
    bool fresh = false;
    int error;

    if (pgmap->_killed == 0 && !percpu_ref_is_dying(&pgmap->ref)) {
        percpu_ref_get(&pgmap->ref);
        pm_store_relaxed(&pgmap->_killed, 1);
        percpu_ref_kill(&pgmap->ref);
        if (!percpu_ref_is_dying(&pgmap->ref)) { /* membarrier(2) is refused */
            pm_store_relaxed(&pgmap->_killed, 0);
            percpu_ref_put(&pgmap->ref);
            return -EPERM;
        }
        fresh = true;
    }
    error = pm_synchronize();
    if (fresh) {
        tell_killed(pgmap);
    }
    return error;
}

/* The extra reference goes, with what says that there is one: pgmap_nr_references(). */
static void put_extra(struct dev_pagemap *pgmap)
{
    if (pm_load_relaxed(&pgmap->_killed) != 0) {
        pm_store_relaxed(&pgmap->_killed, 0);
        percpu_ref_put(&pgmap->ref);
    }
}

/* And comes back, unless none was left: then it is done, or just about to be. */
static bool take_extra(struct dev_pagemap *pgmap)
{
    if (pm_load_relaxed(&pgmap->_killed) == 0) {
        if (!percpu_ref_tryget(&pgmap->ref)) {
            return false;
        }
        pm_store_relaxed(&pgmap->_killed, 1);
    }
    return true;
}

static bool is_done_in(struct dev_pagemap *pgmap, uint64_t milliseconds)
{
    bool done = is_done(&pgmap->_done);

    if (!done && milliseconds > 0) {
        uint64_t began = pm_count_wait();

        done = pm_wait_var_for(&pgmap->_done, is_done, &pgmap->_done, milliseconds);
        pm_count_wait_end(began);
    }
    return done;
}

/* If the last put is to tell somebody, it is to be the last: no extra reference then. */
static bool may_give_up(struct dev_pagemap *pgmap)
{
    return pgmap->_mapped->drained_fd >= 0 || take_extra(pgmap);
}

int pm_drain(struct dev_pagemap *pgmap, uint64_t milliseconds)
{
    put_extra(pgmap);
    if (milliseconds != PM_NO_LIMIT && !is_done_in(pgmap, milliseconds) && may_give_up(pgmap)) {
        return -ETIMEDOUT;
    }
    pm_wait_telling(&pgmap->_done, is_done, &pgmap->_done, pgmap);
    return 0;
}

/* ---- unmaking ---- */

/* To take the entries away. What is waiting to be freed may bring it. */
static int reserve_erasures(const struct dev_pagemap *pgmap)
{
    int error = rangemap_reserve(pgmap->_mapped->index, pgmap->nr_range);

    if (error == -ENOMEM && pm_barrier() == 0) {
        error = rangemap_reserve(pgmap->_mapped->index, pgmap->nr_range);
    }
    return error;
}

/*
 * Access goes first, as long as the system may refuse. Then the memmap: with an altmap it lies in the linear map. The
 * entry last: until then the pfns are taken.
 */
static int unmake_range(struct dev_pagemap *pgmap, unsigned id)
{
    struct pm_mapped_range *made = &pgmap->_mapped->range[id];
    const uint64_t bytes = range_len(&pgmap->ranges[id]);

    if (made->linear != NULL && !pm_area_close(made->linear, bytes)) {
        return -ENOMEM;
    }
    if (made->is_populated) {
        pm_poison_forget(made->span.start_pfn, made->span.start_pfn + made->span.nr_pfns - 1);
        if (!pm_vmemmap_depopulate(&made->span)) {
            return -ENOMEM;
        }
        made->is_populated = false;
    }
    if (made->linear != NULL) {
        (void)pm_area_release(made->linear, bytes);
        made->linear = NULL;
    }
    pm_memory_unuse(made->memory);
    made->memory = NULL;
    if (made->is_reserved) {
        pm_ignore(rangemap_erase_exact(pgmap->_mapped->index, pm_first_pfn(&pgmap->ranges[id]),
                                       pm_last_pfn(&pgmap->ranges[id]), NULL)); /* memory was set aside */
        made->is_reserved = false;
    }
    return 0;
}

void pm_abandon(struct dev_pagemap *pgmap)
{
    percpu_ref_exit(&pgmap->ref);
    pm_store_release(&pgmap->ref.percpu_count_ptr, PM_REF_ATOMIC | PM_REF_DEAD);
}

int pm_unmake(struct dev_pagemap *pgmap)
{
    struct pm_mapped *mapped = pgmap->_mapped;
    int error = reserve_erasures(pgmap);

    for (unsigned id = 0; id < pgmap->nr_range && error == 0; id++) {
        error = unmake_range(pgmap, id);
    }
    if (pm_warn_on(error != 0, "a device could not be unmapped: no mappings or no memory left")) {
        return error;
    }
    error = pm_synchronize(); /* threads that found pgmap in the index have left their sections */
    pm_abandon(pgmap);
    pgmap->_mapped = NULL;
    free(mapped);
    return error;
}

/* ---- the calls ---- */

static bool is_dead(const struct dev_pagemap *pgmap)
{
    return percpu_ref_is_dying(&pgmap->ref);
}

int kill_dev_pagemap(struct dev_pagemap *pgmap)
{
    if (pm_warn_on(pgmap == NULL || pgmap->_mapped == NULL, "kill_dev_pagemap() of what is not mapped")) {
        return -EINVAL;
    }
    if (is_dead(pgmap)) {
        return -EALREADY;
    }
    return pagemap_read_lock_held() ? -EDEADLK : pm_kill(pgmap);
}

/* From the moment when the extra reference goes, the last put may come at any time. */
int kill_dev_pagemap_notify(struct dev_pagemap *pgmap, int fd)
{
    int error = fd < 0 ? -EINVAL : kill_dev_pagemap(pgmap);

    if (error == 0) {
        pgmap->_mapped->drained_fd = fd;
        put_extra(pgmap);
    }
    return error;
}

int resurrect_dev_pagemap(struct dev_pagemap *pgmap)
{
    if (pm_warn_on(pgmap == NULL || pgmap->_mapped == NULL || !is_dead(pgmap),
                   "resurrect_dev_pagemap() of what was not killed")) {
        return -EINVAL;
    }
    if (!take_extra(pgmap)) {
        return -EALREADY;
    }
    pgmap->_mapped->drained_fd = PM_NO_FD;
    percpu_ref_resurrect(&pgmap->ref);
    put_extra(pgmap);
    return 0;
}

static int unmap(struct dev_pagemap *pgmap, uint64_t milliseconds)
{
    int error;

    if (pm_warn_on(pgmap == NULL || pgmap->_mapped == NULL, "memunmap_pages() of what is not mapped")) {
        return -EINVAL;
    }
    if (pm_warn_on(pagemap_read_lock_held(), "memunmap_pages() inside a read section")) {
        return -EDEADLK;
    }
    error = pm_kill(pgmap);
    if (error != 0) {
        return error; /* a lookup may still succeed: nothing may go */
    }
    error = pm_drain(pgmap, milliseconds);
    error = error != 0 ? error : pm_unmake(pgmap);
    if (error == 0) {
        pm_count(&pm_counters()->devices_now, 1);
    }
    if (error != -ENOMEM && error != -ETIMEDOUT) { /* else it is called again */
        (void)pm_warn_on(pgmap->altmap.alloc != 0, "memunmap_pages(): the altmap still has blocks");
    }
    return error;
}

int memunmap_pages(struct dev_pagemap *pgmap)
{
    return unmap(pgmap, PM_NO_LIMIT);
}

int memunmap_pages_timeout(struct dev_pagemap *pgmap, unsigned milliseconds)
{
    return unmap(pgmap, milliseconds);
}
