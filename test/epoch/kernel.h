// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the library asks of the system, answered as a test says: clock_gettime(), syscall() and what a thread waits by
 * are ours in the tests that link this. What is not set goes to the system.
 */
#ifndef TEST_EPOCH_KERNEL_H
#define TEST_EPOCH_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

struct kernel {
    uint64_t clock_ns;        /* what clocks stand at; 0: they run */
    bool has_membarrier;      /* answered by us */
    int fence_error;          /* of the heavy fence: 0 or an errno */
    unsigned fences;          /* heavy fences that were asked for */
    void (*at_fence)(void);   /* runs in the midst of one */
    bool has_cpu_time;        /* of threads, answered by us */
    uint64_t cpu_ns;          /* 0: refused */
    int gone;                 /* no thread has this number */
    void (*at_gone)(void);    /* runs once, when that is asked for the first time, before the answer */
    bool others_are_gone;     /* nor any, but the first thread of the process */
    bool refuses_pages;       /* mmap */
    void (*at_refusal)(void); /* runs once, before the first one that is refused */
    int64_t mapped_bytes;     /* and not unmapped */
    unsigned wakes;           /* of threads that sleep on a word */
    unsigned yields, pauses;  /* between two looks; they take no time if `at_pause` is set */
    int64_t paused_ns;
    void (*at_pause)(void);
    unsigned signals_held_off; /* calls that did, or undid it */
};

extern struct kernel kernel;

/* All goes to the system again, but for clocks, which stand, and heavy fences, which are counted. */
void kernel_reset(void);

static inline void kernel_tick(void)
{
    kernel.clock_ns += 4000000;
}

#endif
