// SPDX-License-Identifier: BSD-2-Clause
#include "pagemap/base/fault.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

static _Thread_local unsigned steps_to_go;

unsigned pm_fault_arm(unsigned steps)
{
    unsigned before = steps_to_go;

    steps_to_go = steps;
    return before;
}

bool pm_fault_here(void)
{
    return PM_UNLIKELY(steps_to_go > 0) && --steps_to_go == 0;
}

void *pm_alloc(size_t bytes)
{
    return pm_fault_here() ? NULL : calloc(1, bytes);
}

void *pm_mmap(void *address, size_t bytes, int prot, int flags, int fd, off_t offset)
{
    if (pm_fault_here()) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    return mmap(address, bytes, prot, flags, fd, offset);
}
