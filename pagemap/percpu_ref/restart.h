// SPDX-License-Identifier: BSD-2-Clause
/*
 * Additions to a word per CPU without a locked instruction, as the kernel's this_cpu_add(): restartable
 * sequences (rseq(2), Linux 4.18, registered by glibc 2.35 for every thread).
 *
 * The sequence finds its CPU, makes sure that the reference is still in percpu mode, and adds: the addition is its
 * last instruction. A thread that is preempted, moved or interrupted by a signal on the way goes on at `fail` instead,
 * so on its CPU no thread is between the look and the addition. The thread that ends the mode changes it first and then
 * restarts what runs on other CPUs (membarrier(2), Linux 5.10): after that, no addition under the old mode is under
 * way.
 *
 * It does not try again: a thread that a debugger steps is interrupted at every instruction.
 */
#ifndef PAGEMAP_PERCPU_REF_RESTART_H
#define PAGEMAP_PERCPU_REF_RESTART_H

#include <stdbool.h>

#include "pagemap/percpu_ref/percpu.h"

/* ThreadSanitizer does not see what assembly orders. */
#if PM_HAS_RSEQ && !defined(__SANITIZE_THREAD__)
#define PM_HAS_RESTART 1
#else
#define PM_HAS_RESTART 0
#endif
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#undef PM_HAS_RESTART
#define PM_HAS_RESTART 0
#endif
#endif

/* Whether words are added to in this way. Set before any word exists, and never again. */
PM_INTERNAL extern bool pm_restart_is_used;

/* Decides it. The library's domain exists, so rangemap has decided about membarrier(2). */
PM_INTERNAL void pm_restart_prepare(void);

/* Returns when no sequence that began before is under way. False: the kernel refused. */
PM_INTERNAL bool pm_restart_all(void);

/* Between the look and the addition; a test makes it long. */
#if !defined(PM_RESTART_DELAY)
#define PM_RESTART_DELAY ""
#endif

#if PM_HAS_RESTART
_Static_assert(PM_PERCPU_UNIT == 1 << 12, "the sequence shifts by 12");
_Static_assert(RSEQ_SIG == 0x53053053, "the abort handler has its signature in front of it");

/*
 * Adds `nr` to this CPU's word of `first` if *mode_word is `mode`. False: it was not, or something came between;
 * nothing was added. Order: x86 keeps earlier accesses before the addition.
 *
 * Struct rseq: the CPU's number at 4, compared without a sign: negative, hence no CPU with a word, if the thread is not
 * registered; the descriptor's address at 8. That is taken back in the end: a plugin that has the library in it may
 * be closed when all its calls have returned, and the kernel, which reads the address when it next interrupts the
 * thread, must not find that of a descriptor that is unmapped.
 */
static inline bool pm_restart_add(uint64_t *first, const uint64_t *mode_word, uint64_t mode, uint64_t nr)
{
    __asm__ goto(".pushsection __rseq_cs, \"aw\"\n\t"
                 ".balign 32\n"
                 "3:\n\t"
                 ".long 0, 0\n\t"
                 ".quad 1f, 2f - 1f, 4f\n\t"
                 ".popsection\n\t"
                 ".pushsection __rseq_failure, \"ax\"\n\t"
                 ".byte 0x0f, 0xb9, 0x3d\n\t" /* with the signature: an instruction that traps */
                 ".long 0x53053053\n"
                 "4:\n\t"
                 "jmp %l[fail]\n\t"
                 ".popsection\n\t"
                 "leaq 3b(%%rip), %%rax\n\t"
                 "movq %%rax, %%fs:8(%[rseq])\n"
                 "1:\n\t"
                 "movl %%fs:4(%[rseq]), %%eax\n\t"
                 "cmpl %[cpus], %%eax\n\t"
                 "jae %l[fail]\n\t"
                 "shlq $12, %%rax\n\t"
                 "cmpq %[mode], %[mode_word]\n\t"
                 "jne %l[fail]\n\t" PM_RESTART_DELAY "addq %[nr], (%[first], %%rax)\n"
                 "2:\n\t"
                 "movq $0, %%fs:8(%[rseq])\n\t"
                 :
                 : [rseq] "r"(__rseq_offset), [cpus] "r"(pm_percpu_cpus), [mode] "r"(mode),
                   [mode_word] "m"(*mode_word), [first] "r"(first), [nr] "r"(nr)
                 : "rax", "memory", "cc"
                 : fail);
    return true;
fail:
    __asm__ volatile("movq $0, %%fs:8(%[rseq])" : : [rseq] "r"(__rseq_offset) : "memory");
    return false;
}
#else
static inline bool pm_restart_add(uint64_t *first, const uint64_t *mode_word, uint64_t mode, uint64_t nr)
{
    (void)first;
    (void)mode_word;
    (void)mode;
    (void)nr;
    return false;
}
#endif

#endif
