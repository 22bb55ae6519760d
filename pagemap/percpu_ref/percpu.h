// SPDX-License-Identifier: BSD-2-Clause
/*
 * Words per CPU, laid out as the kernel's percpu allocator does it:
 *
 *   chunk:  | CPU 0: word 0, 1, .. 511 | CPU 1: word 0, 1, .. 511 | ...      one 4 KiB unit per CPU
 *
 * A per-CPU word is known by its address in CPU 0's unit. Neighbours on one line belong to the same CPU.
 */
#ifndef PAGEMAP_PERCPU_REF_PERCPU_H
#define PAGEMAP_PERCPU_REF_PERCPU_H

#include <sched.h>
#include <stdint.h>

#include "pagemap/base/compiler.h"

enum { PM_PERCPU_UNIT = 4096 };

/* How many CPUs have words, minus 1; a power of two minus 1, so that any CPU number can be cut to fit. */
PM_INTERNAL extern unsigned pm_percpu_mask;

/* A word per CPU, all 0; NULL if out of memory. */
PM_INTERNAL uint64_t *pm_percpu_alloc(void);

/* Gives it back. No thread may touch any of the words any more. NULL is allowed. */
PM_INTERNAL void pm_percpu_free(uint64_t *first);

static inline uint64_t *pm_percpu_word(uint64_t *first, unsigned cpu)
{
    return (uint64_t *)(void *)((char *)first + (size_t)cpu * PM_PERCPU_UNIT);
}

/*
 * The calling thread's word. It may be moved to another CPU at any time, so the word is good for atomic
 * operations only. An error of the system call (-1) picks the last word.
 */
static inline uint64_t *pm_percpu_this(uint64_t *first)
{
    return pm_percpu_word(first, (unsigned)sched_getcpu() & pm_percpu_mask);
}

#endif
