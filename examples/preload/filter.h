// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a seccomp filter will say. A library that lives in somebody else's program must not make a call that the
 * program has forbidden itself: it would be killed for it. So the library reads each filter before it goes on, as the
 * kernel will, and does without what that refuses.
 */
#ifndef EXAMPLES_PRELOAD_FILTER_H
#define EXAMPLES_PRELOAD_FILTER_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>

#include "examples/preload/sys.h"

enum filter_kind {
    FILTER_NONE,   /* the call puts no filter on */
    FILTER_STRICT, /* read, write, exit and rt_sigreturn are left */
    FILTER_PROGRAM
};

struct filter {
    enum filter_kind kind;
    const struct sock_fprog *program; /* the caller's; FILTER_PROGRAM only */
};

/* A system call that somebody is going to make. */
struct filter_call {
    long number;
    struct sys_args args;
};

/* What the call prctl() or seccomp() with these arguments will put on. Async-signal-safe. */
struct filter filter_of_call(long number, const struct sys_args *args);

enum { FILTER_NO_SUCH_HOW = 99 }; /* with which filter_is_there() calls rt_sigprocmask() */

/*
 * Whether there is a program where the call says: with no other does the kernel put a filter on, or can it be read.
 * Calls rt_sigprocmask(), which changes nothing. Async-signal-safe.
 */
bool filter_is_there(const struct filter *filter);

/* Whether the call has put its filter on, by its result: with a listener that is a descriptor. */
bool filter_is_on(long number, const struct sys_args *args, long result);

/* Whether it lets all of these calls pass. What cannot be told is refused. Async-signal-safe. */
bool filter_passes(const struct filter *filter, const struct filter_call *calls, size_t count);

#endif
