// SPDX-License-Identifier: BSD-2-Clause
/* Checked mode: how it complains, and its settings. */
#ifndef RANGEMAP_CHECKED_MESSAGE_H
#define RANGEMAP_CHECKED_MESSAGE_H

#include "rangemap/checked/thread.h"

#if defined(RM_IS_CHECKED)
/* What a message says beside what was done; NULL: nothing. */
struct rm_checked_fault {
    const struct rm_checked_thread *thread; /* whose open sections are shown, with where each was begun */
    const void *at;                         /* return address of the call */
    const char *also;                       /* words for another place, */
    const void *also_at;                    /*   and that */
    const char *advice;                     /* what to do instead */
};

/* Says what was done, by `format` and what follows it, and the rest, in one write to standard error; then aborts. */
RM_INTERNAL _Noreturn void rm_checked_stop(const struct rm_checked_fault *fault, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

struct rm_checked_settings {
    uint64_t
        limit_ns; /* how long a section may be held; 0: without limit. RANGEMAP_CHECKED_LIMIT_MS, else a second */
    bool lenient; /* RANGEMAP_CHECKED_LENIENT=1: -EINVAL and -EDEADLK are results like any other */
    bool poison;  /* RANGEMAP_CHECKED_POISON=1: see value.h */
};

extern RM_INTERNAL struct rm_checked_settings rm_checked_settings;

/* From the environment. */
RM_INTERNAL void rm_checked_settings_read(void);

#endif
#endif
