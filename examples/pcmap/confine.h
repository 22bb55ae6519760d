// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a seccomp filter leaves of what the profiler does. Filters are read when the program puts them on (prctl(),
 * seccomp by syscall()), and what one of them refuses is not tried any more.
 */
#ifndef EXAMPLES_PCMAP_CONFINE_H
#define EXAMPLES_PCMAP_CONFINE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>

#if !defined(MADV_POPULATE_WRITE) /* glibc before 2.35 */
#define MADV_POPULATE_WRITE 23
#endif

enum confine_group {
    CONFINE_SAMPLES, /* to return from a signal handler */
    CONFINE_REPORT,  /* to write a profile to an open file */
    CONFINE_TIMERS,  /* to sample another thread */
    CONFINE_LOOK,    /* to read files */
    CONFINE_ROOM,    /* to ask for room in a file that is mapped */
    CONFINE_GROUPS
};

/* Whether no filter refuses what that takes. Async-signal-safe. */
bool confine_allows(enum confine_group group);

/*
 * Where the calls are intercepted, and what is to be done: `closing` before a filter that forbids samples or reports
 * goes on; `reopened` if it did not, after all; `forked` in the child of a fork that was made by syscall().
 */
struct confine_hooks {
    void (*closing)(void);
    void (*reopened)(void);
    void (*forked)(void);
};
void confine_begin(const struct confine_hooks *hooks);

#endif
