// SPDX-License-Identifier: BSD-2-Clause
#include "pagemap/view/mechanism.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "pagemap/base/atomic.h"
#include "pagemap/base/fault.h"
#include "pagemap/base/fork.h"
#include "pagemap/base/map.h"
#include "pagemap/base/warn.h"
#include "pagemap/statistics/statistics.h"
#include "pagemap/view/uffd.h"

#if !defined(MADV_POPULATE_READ)
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

/* An enum pagemap_revocation. */
static uint64_t chosen = PAGEMAP_REVOKE_AUTO;

/* What the last view that fell back had not; NULL: none did. */
static const char *fell_back_for;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Has no byte and never will: what is mapped from it cannot be touched. Made when it is first wanted; -1: not yet. */
static int empty_file(void)
{
    static int fd = -1;
    int made;

    (void)pthread_mutex_lock(&lock);
    if (fd < 0) {
        fd = memfd_create("pagemap-absent", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        if (fd >= 0) {
            (void)fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
        }
    }
    made = fd;
    (void)pthread_mutex_unlock(&lock);
    return made;
}

bool pm_choose_overlay(void)
{
    const char *missing;

    return pm_load_relaxed(&chosen) == PAGEMAP_REVOKE_OVERLAY || !pm_uffd_works(&missing);
}

int pagemap_set_revocation(enum pagemap_revocation how)
{
    const char *missing;

    if ((unsigned)how > PAGEMAP_REVOKE_OVERLAY) {
        return -EINVAL;
    }
    if (how == PAGEMAP_REVOKE_UFFD && !pm_uffd_works(&missing)) {
        return -EOPNOTSUPP;
    }
    pm_store_relaxed(&chosen, how);
    return 0;
}

const char *pagemap_revocation_report(void)
{
    static _Thread_local char report[160];
    const char *missing;

    if (!pm_uffd_works(&missing)) {
        (void)snprintf(report, sizeof report, "overlay: this system lacks %s", missing);
        return report;
    }
    missing = __atomic_load_n(&fell_back_for, __ATOMIC_RELAXED);
    (void)snprintf(report, sizeof report, "%s%s%s", pm_choose_overlay() ? "overlay: chosen" : "userfaultfd",
                   missing == NULL ? "" : "; the last view that fell back to the overlay lacked ",
                   missing == NULL ? "" : missing);
    return report;
}

/* Adjacent parts have adjacent offsets, so that the system joins them. A view is not for children. */
static bool map_empty(void *address, size_t bytes, int prot, off_t offset)
{
    bool done;

    pm_fork_hold();
    done = mmap(address, bytes, prot, MAP_SHARED | MAP_NORESERVE | MAP_FIXED, empty_file(), offset) !=
               MAP_FAILED &&
           pm_fork_exclude(address, bytes);
    pm_fork_release();
    return done;
}

void *pm_vm_reserve(size_t bytes, size_t alignment, int prot)
{
    void *start = pm_area_reserve(bytes, alignment);

    if (start != NULL && !map_empty(start, bytes, prot, 0)) {
        (void)pm_area_release(start, bytes);
        start = NULL;
    }
    return start;
}

/* Looked at without the lock by pagemap_view_revocation(). */
static void fall_back(struct pm_view *view, const char *missing)
{
    __atomic_store_n(&fell_back_for, missing, __ATOMIC_RELAXED);
    if (!view->by_overlay) {
        pm_count(&pm_counters()->views_fallen_back, 1);
    }
    __atomic_store_n(&view->by_overlay, true, __ATOMIC_RELAXED);
}

/* All that userfaultfd needs; NULL, or what was missing: then the view is one of the overlay from now on. */
static const char *arm(const struct pm_view *view, void *address, size_t bytes)
{
    int populate = (view->prot & PROT_WRITE) != 0 ? MADV_POPULATE_WRITE : MADV_POPULATE_READ, error;

    while ((error = madvise(address, bytes, populate)) != 0 && errno == EINTR) { /* a signal */
    }
    if (error != 0) {
        return "memory for all of its pages (MADV_POPULATE_WRITE)";
    }
    /* The system call itself: sanitizers make mlock() do nothing. */
    if (syscall(SYS_mlock, address, bytes) != 0) {
        return "memory that may be locked (RLIMIT_MEMLOCK)";
    }
    return pm_uffd_register(address, bytes) ? NULL : "userfaultfd for its kind of memory";
}

int pm_vm_show(struct pm_view *view, void *address, size_t bytes, const struct pagemap_memory *memory,
               uint64_t offset)
{
    const char *missing;
    bool done;

    pm_fork_hold();
    done = pm_memory_map(memory, address, offset, bytes, view->prot) == 0 && pm_fork_exclude(address, bytes);
    pm_fork_release();
    if (!done) { /* what may be there is not registered: the overlay takes it away */
        fall_back(view, "mappings (vm.max_map_count)");
        return -ENOMEM;
    }
    missing = view->by_overlay ? NULL : arm(view, address, bytes);
    if (missing != NULL) {
        (void)syscall(SYS_munlock, address, bytes);
        fall_back(view, missing);
    }
    return 0;
}

static bool cover(const struct pm_view *view, void *address, size_t bytes)
{
    return map_empty(address, bytes, view->prot, (off_t)((char *)address - (char *)view->start));
}

/*
 * A mapping in place of all others of the view, which takes none more, and splits none, since nothing borders on the
 * view. Where the system refuses even that, access to what there is: a touch is SIGSEGV then.
 */
void pm_vm_hide_all(const struct pm_view *view)
{
    if (cover(view, view->start, view->bytes)) {
        pm_count(&pm_counters()->revoked_whole_view, 1);
    } else if (pm_area_close(view->start, view->bytes)) {
        pm_count(&pm_counters()->revoked_by_closing, 1);
    } else {
        pm_warn("a view could not be revoked");
    }
}

bool pm_vm_hide(struct pm_view *view, void *address, size_t bytes)
{
    if (!view->by_overlay) {
        if (pm_uffd_zap(address, bytes)) {
            pm_count(&pm_counters()->revoked_by_uffd, 1);
            return true;
        }
        fall_back(view, "madvise(MADV_DONTNEED_LOCKED)");
    }
    if (!pm_fault_here() && cover(view, address, bytes)) {
        pm_count(&pm_counters()->revoked_by_overlay, 1);
        return true;
    }
    return false;
}
