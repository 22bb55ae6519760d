// SPDX-License-Identifier: BSD-2-Clause
/*
 * Every step of the library that can fail for want of something goes through here, so that tests can make
 * any one of them fail.
 */
#ifndef PAGEMAP_BASE_FAULT_H
#define PAGEMAP_BASE_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "pagemap/base/compiler.h"

/*
 * Lets the calling thread's step number `steps` from now fail (1: the next one), once; 0: none. Returns how
 * many steps were still to go, 0 if the failure has happened or none was asked for.
 */
unsigned pm_fault_arm(unsigned steps);

/* Whether this step is the one to fail. */
PM_INTERNAL bool pm_fault_here(void);

/* calloc(), mmap() with MAP_FAILED as failure; free() and munmap() undo them. */
PM_INTERNAL void *pm_alloc(size_t bytes);
PM_INTERNAL void *pm_mmap(void *address, size_t bytes, int prot, int flags, int fd, off_t offset);

#endif
