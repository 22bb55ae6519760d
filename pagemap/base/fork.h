// SPDX-License-Identifier: BSD-2-Clause
/*
 * Mappings that a child must not have. The system knows no mmap() that says so at once, so no thread may fork between
 * the mmap() and the madvise(): pthread_atfork() waits. (A child made by a bare clone(2) gets past that.)
 */
#ifndef PAGEMAP_BASE_FORK_H
#define PAGEMAP_BASE_FORK_H

#include <stdbool.h>
#include <stddef.h>

#include "pagemap/base/compiler.h"

/* Between them no thread forks. A leaf of the order of locks. Nothing in between may wait. */
PM_INTERNAL void pm_fork_hold(void);
PM_INTERNAL void pm_fork_release(void);

/*
 * In between: keeps the mapping from children. False: without memory; then nothing is mapped there any more, so that
 * the next child has nothing of it, and the addresses stay reserved.
 */
PM_INTERNAL bool pm_fork_exclude(void *address, size_t bytes);

#endif
