// SPDX-License-Identifier: BSD-2-Clause
/*
 * Every step of the library that can fail for want of something goes through here, so that tests can make any one of
 * them fail: they link a build of their own, with test/pagemap/faults.c. Elsewhere nothing is left of it.
 */
#ifndef PAGEMAP_BASE_FAULT_H
#define PAGEMAP_BASE_FAULT_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/types.h>

#include "pagemap/base/compiler.h"

/* Whether this step is the one to fail. */
#if defined(PAGEMAP_FAULTS)
PM_INTERNAL bool pm_fault_here(void);
#else
static inline bool pm_fault_here(void)
{
    return false;
}
#endif

/* calloc(), mmap() with MAP_FAILED as failure; free() and munmap() undo them. */
static inline void *pm_alloc(size_t bytes)
{
    return pm_fault_here() ? NULL : calloc(1, bytes);
}

static inline void *pm_mmap(void *address, size_t bytes, int prot, int flags, int fd, off_t offset)
{
    if (pm_fault_here()) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    return mmap(address, bytes, prot, flags, fd, offset);
}

#endif
