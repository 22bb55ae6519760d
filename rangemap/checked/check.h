// SPDX-License-Identifier: BSD-2-Clause
/* Checked mode: what is looked at before and after calls. `call` is the function's name, `where` its return address. */
#ifndef RANGEMAP_CHECKED_CHECK_H
#define RANGEMAP_CHECKED_CHECK_H

#include "rangemap/checked/message.h"

#if defined(RM_IS_CHECKED)
#define RM_CHECKED_WHERE __builtin_return_address(0)

/* The definition of a function: the program's name for it, for the linker. */
#define RM_CHECKED(function) rm_checked_##function
#define RM_CHECKED_DECLARE(function)                                                                         \
    RANGEMAP_API extern __typeof__(function) rm_checked_##function __asm__(#function);

/* The library's function. A signal handler should not look for it: hence once for each place. */
#if defined(RANGEMAP_CHECKED_PRELOAD)
RM_INTERNAL void *rm_checked_library(const char *name, _Atomic(void *) *found);
#define RM_LIBRARY(function)                                                                                 \
    __extension__({                                                                                          \
        static _Atomic(void *) found_here;                                                                   \
        (__typeof__(&(function)))(uintptr_t)rm_checked_library(#function, &found_here);                      \
    })
#else
#define RM_LIBRARY(function) (&(function))
#endif

RM_CHECKED_CALLS(RM_CHECKED_DECLARE)

/*
 * A call that is allowed anywhere but in callbacks that may call nothing; and one not allowed in signal handlers
 * either.
 */
RM_INTERNAL struct rm_checked_thread *rm_checked_anywhere(const char *call, const void *where);
RM_INTERNAL struct rm_checked_thread *rm_checked_outside_handlers(const char *call, const void *where);

/* The same of a map, which must be there: from here to rm_checked_leave() the thread is in a call of it. */
struct rm_checked_call {
    struct rm_checked_thread *thread;
    const struct rangemap *map, *before;
    const char *name;
    const void *where;
};
RM_INTERNAL struct rm_checked_call rm_checked_lookup(const struct rangemap *map, const char *call,
                                                     const void *where);
RM_INTERNAL struct rm_checked_call rm_checked_update(const struct rangemap *map, const char *call,
                                                     const void *where);

/* Looks at the result, which it returns: arguments refused, a wait for oneself, limits. */
RM_INTERNAL int rm_checked_leave(const struct rm_checked_call *call, int result);

/* The same for calls whose result may be a callback's. */
RM_INTERNAL int rm_checked_leave_quietly(const struct rm_checked_call *call, int result);

/* The same for calls of a domain. */
RM_INTERNAL int rm_checked_result(const struct rm_checked_thread *thread, int result, const char *call,
                                  const void *where);

/* Sections. */
RM_INTERNAL bool rm_checked_holds(const struct rm_checked_thread *thread,
                                  const struct rangemap_domain *domain);
RM_INTERNAL void rm_checked_begin(const struct rangemap *map, const struct rangemap_domain *domain,
                                  uint64_t version, const void *where);
RM_INTERNAL void rm_checked_end(const struct rangemap_domain *domain, const struct rangemap *map,
                                uint64_t version, const char *call, const void *where);

/* Those of `thread` that are held for too long. */
RM_INTERNAL void rm_checked_lengths(const struct rm_checked_thread *thread);

/* Waits until the sections of the domain that other threads have are over, or one is held for too long. */
RM_INTERNAL void rm_checked_wait(const struct rangemap_domain *domain);
#endif
#endif
