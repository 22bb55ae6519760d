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
#include "pagemap/base/warn.h"
#include "pagemap/view/uffd.h"

#if !defined(MADV_POPULATE_READ)
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

/* An enum pagemap_revocation. */
static uint64_t chosen = PAGEMAP_REVOKE_AUTO;

/* Has no byte and never will: what is mapped from it cannot be touched. -1: there is none. */
static int empty_file = -1;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void open_empty_file(void)
{
    empty_file = memfd_create("pagemap-absent", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (empty_file >= 0) {
        (void)fcntl(empty_file, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
    }
}

bool pm_choose_overlay(void)
{
    const char *missing;

    return pm_load_relaxed(&chosen) == PAGEMAP_REVOKE_OVERLAY || !pm_uffd_works(&missing);
}

int pagemap_set_revocation(enum pagemap_revocation how)
{
    const char *missing;

    if (how == PAGEMAP_REVOKE_UFFD && !pm_uffd_works(&missing)) {
        return -EOPNOTSUPP;
    }
    pm_store_relaxed(&chosen, how);
    return 0;
}

const char *pagemap_revocation_report(void)
{
    static _Thread_local char report[120];
    const char *missing;

    if (!pm_uffd_works(&missing)) {
        (void)snprintf(report, sizeof report, "overlay: this system lacks %s", missing);
    } else {
        (void)snprintf(report, sizeof report, pm_choose_overlay() ? "overlay: chosen" : "userfaultfd");
    }
    return report;
}

/* Adjacent parts have adjacent offsets, so that the system joins them. A view is not for children. */
static void *map_empty(void *address, size_t bytes, int prot, int flags, off_t offset)
{
    void *mapped = mmap(address, bytes, prot, MAP_SHARED | MAP_NORESERVE | flags, empty_file, offset);

    if (mapped != MAP_FAILED) {
        (void)madvise(mapped, bytes, MADV_DONTFORK);
    }
    return mapped;
}

void *pm_vm_reserve(size_t bytes, size_t alignment, int prot)
{
    size_t more = alignment > PAGE_SIZE ? alignment : 0;
    char *reserved, *start;

    (void)pthread_once(&once, open_empty_file);
    if (bytes > SIZE_MAX / 2 || pm_fault_here()) {
        return ERR_PTR(-ENOMEM);
    }
    reserved = map_empty(NULL, bytes + more, prot, 0, 0);
    if (reserved == MAP_FAILED) {
        return ERR_PTR(-ENOMEM);
    }
    start = (char *)(((uintptr_t)reserved + more) & ~(uintptr_t)(alignment - 1));
    if (more > 0) {
        (void)munmap(reserved, (size_t)(start - reserved));
        (void)munmap(start + bytes, (size_t)(reserved + more - start));
        (void)map_empty(start, bytes, prot, MAP_FIXED, 0); /* with offsets from its own start */
    }
    return start;
}

/* Looked at without the lock by pagemap_view_revocation(). */
static void fall_back(struct pm_view *view)
{
    __atomic_store_n(&view->by_overlay, true, __ATOMIC_RELAXED);
}

/* All that userfaultfd needs; else the view is one of the overlay from now on. */
static int arm(const struct pm_view *view, void *address, size_t bytes)
{
    int populate = (view->prot & PROT_WRITE) != 0 ? MADV_POPULATE_WRITE : MADV_POPULATE_READ;

    /* The system call itself: sanitizers make mlock() do nothing. */
    if (madvise(address, bytes, populate) != 0 || syscall(SYS_mlock, address, bytes) != 0) {
        return -errno;
    }
    return pm_uffd_register(address, bytes);
}

int pm_vm_show(struct pm_view *view, void *address, size_t bytes, const struct pagemap_memory *memory,
               uint64_t offset)
{
    void *mapped = pm_memory_map(memory, address, offset, bytes, view->prot);

    if (IS_ERR(mapped)) {
        return -ENOMEM;
    }
    (void)madvise(mapped, bytes, MADV_DONTFORK);
    if (!view->by_overlay && arm(view, address, bytes) != 0) {
        (void)syscall(SYS_munlock, address, bytes);
        fall_back(view);
    }
    return 0;
}

static bool cover(const struct pm_view *view, void *address, size_t bytes)
{
    return map_empty(address, bytes, view->prot, MAP_FIXED, (off_t)((char *)address - (char *)view->start)) !=
           MAP_FAILED;
}

bool pm_vm_hide(struct pm_view *view, void *address, size_t bytes)
{
    if (!view->by_overlay) {
        if (pm_uffd_zap(address, bytes) == 0) {
            return true;
        }
        fall_back(view);
    }
    if (!pm_fault_here() && cover(view, address, bytes)) {
        return true;
    }
    /* A mapping in place of all others of the view: that takes none more. */
    (void)pm_warn_on(!cover(view, view->start, view->bytes), "a view could not be revoked");
    return false;
}
