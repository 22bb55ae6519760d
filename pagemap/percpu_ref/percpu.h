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

#if defined(__GLIBC_PREREQ) && defined(__x86_64__)
#if __GLIBC_PREREQ(2, 35)
#include <sys/rseq.h>
#define PM_HAS_RSEQ 1
#endif
#endif
#if !defined(PM_HAS_RSEQ)
#define PM_HAS_RSEQ 0
#endif

#include "pagemap/base/compiler.h"

enum { PM_PERCPU_UNIT = 4096 };

/*
 * How many CPUs have words: those numbered below. What the system tells of its CPUs may be too little (no /proc and
 * /sys, an affinity that is widened later), so nothing may depend on it: a thread on a CPU without a word counts
 * elsewhere. Two CPUs never share one. Set before any word exists, and never again.
 */
PM_INTERNAL extern unsigned pm_percpu_cpus;

/* A word per CPU, all 0; NULL if out of memory. */
PM_INTERNAL uint64_t *pm_percpu_alloc(void);

/* Gives it back. No thread may touch any of the words any more. NULL is allowed. */
PM_INTERNAL void pm_percpu_free(uint64_t *first);

static inline uint64_t *pm_percpu_word(uint64_t *first, unsigned cpu)
{
    return (uint64_t *)(void *)((char *)first + (size_t)cpu * PM_PERCPU_UNIT);
}

/*
 * Where the calling thread runs: from the rseq area, which the kernel keeps up to date and glibc has registered
 * (size 0: it has not). sched_getcpu() reads the same word; this saves two calls for each get and put.
 */
static inline unsigned pm_cpu(void)
{
#if PM_HAS_RSEQ
    if (PM_LIKELY(__rseq_size > 0)) {
        const char *thread;

        __asm__("mov %%fs:0, %0" : "=r"(thread)); /* the thread pointer, as the ABI has it */
        return __atomic_load_n(
            &((const volatile struct rseq *)(const void *)(thread + __rseq_offset))->cpu_id_start,
            __ATOMIC_RELAXED);
    }
#endif
    return (unsigned)sched_getcpu();
}

/*
 * The calling thread's word, or NULL: its CPU has none, or the system does not tell which it is (-1). It may be moved
 * to another CPU at any time, so the word is good for atomic operations only.
 */
static inline uint64_t *pm_percpu_this(uint64_t *first)
{
    unsigned cpu = pm_cpu();

    return PM_LIKELY(cpu < pm_percpu_cpus) ? pm_percpu_word(first, cpu) : NULL;
}

#endif
