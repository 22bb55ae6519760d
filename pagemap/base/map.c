// SPDX-License-Identifier: BSD-2-Clause
#include "pagemap/base/map.h"

#include <errno.h>
#include <linux/mempolicy.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "pagemap/base/fault.h"
#include "pagemap/base/warn.h"
#include "pagemap/memory.h"

static bool dumps;

bool pagemap_set_core_dump(bool on)
{
    return __atomic_exchange_n(&dumps, on, __ATOMIC_RELAXED);
}

/* One that the kernel was built without (EINVAL) is one that needs no advice. */
static bool advise(void *address, size_t bytes, int advice)
{
    return madvise(address, bytes, advice) == 0 || errno == EINVAL;
}

bool pm_advise(void *address, size_t bytes, enum pm_pages pages)
{
    return (pages == PM_PAGES_OF_DEVICE || advise(address, bytes, MADV_NOHUGEPAGE)) &&
           (__atomic_load_n(&dumps, __ATOMIC_RELAXED) || advise(address, bytes, MADV_DONTDUMP));
}

void *pm_area_reserve(size_t bytes, size_t alignment)
{
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    char *reserved, *start;
    size_t both;

    if (__builtin_add_overflow(bytes, alignment, &both)) {
        return NULL;
    }
    reserved = pm_mmap(NULL, both, PROT_NONE, flags, -1, 0);
    if (reserved == MAP_FAILED) {
        return NULL;
    }
    start = (char *)(((uintptr_t)reserved + (alignment - 1)) & ~(uintptr_t)(alignment - 1));
    if (start != reserved) {
        (void)munmap(reserved, (size_t)(start - reserved));
    }
    (void)munmap(start + bytes, (size_t)(reserved + alignment - start));
    return start;
}

bool pm_area_close(void *address, size_t bytes)
{
    return !pm_fault_here() && mprotect(address, bytes, PROT_NONE) == 0;
}

bool pm_area_release(void *address, size_t bytes)
{
    bool released = munmap(address, bytes) == 0;

    (void)pm_warn_on(!released, "address space could not be given back: no mappings left");
    return released;
}

/* Inaccessible at first, unlocked, and only then accessible: a locked mapping that can be accessed is populated. */
int pm_area_map(void *address, size_t bytes, int prot, int flags, int fd, off_t offset, enum pm_pages pages)
{
    if (pm_mmap(address, bytes, PROT_NONE, flags | MAP_FIXED, fd, offset) == MAP_FAILED) {
        return -errno;
    }
    (void)syscall(SYS_munlock, address, bytes); /* itself: sanitizers make munlock() do nothing */
    return pm_advise(address, bytes, pages) && mprotect(address, bytes, prot) == 0 ? 0 : -ENOMEM;
}

/* The system call itself, for want of libnuma. A kernel without NUMA, or one that forbids it, has nothing to choose. */
int pm_prefer_node(void *address, size_t bytes, int nid)
{
    enum { BITS = 8 * sizeof(unsigned long), WORDS = 1024 / BITS };
    unsigned long nodes[WORDS] = {0};

    if (nid < 0) {
        return 0;
    }
    if (nid >= WORDS * BITS) {
        return -EINVAL;
    }
    nodes[nid / BITS] = 1UL << nid % BITS;
    /* The kernel takes one bit less than it is told. */
    if (syscall(SYS_mbind, address, bytes, MPOL_PREFERRED, nodes, (unsigned long)nid + 2, 0) == 0) {
        return 0;
    }
    return errno == EINVAL ? -EINVAL : errno == ENOMEM ? -ENOMEM : 0;
}
