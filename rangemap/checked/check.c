// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE /* RTLD_NEXT */
#include "rangemap/checked/check.h"
#include "rangemap/checked/known.h"

#if defined(RM_IS_CHECKED)
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <unwind.h>

#if defined(RANGEMAP_CHECKED_PRELOAD)
void *rm_checked_library(const char *name, _Atomic(void *) *found)
{
    void *function = atomic_load(found);

    if (function == NULL) {
        function = dlsym(RTLD_NEXT, name);
        atomic_store(found, function);
    }
    if (function == NULL) {
        static const char text[] =
            "rangemap: librangemap_checked.so is to be preloaded, before a librangemap.so of its version\n";

        (void)!write(STDERR_FILENO, text, sizeof text - 1);
        abort();
    }
    return function;
}
#endif

/* ---- where a call is made ---- */

struct rm_checked_thread *rm_checked_anywhere(const char *call, const void *where)
{
    struct rm_checked_thread *thread = rm_checked_self();

    if (atomic_load(&thread->pure) > 0) {
        rm_checked_stop(&(struct rm_checked_fault){.thread = thread,
                                                   .at = where,
                                                   .advice =
                                                       "Functions that decide (split, equality, "
                                                       "rangemap_update()'s) compute, and call nothing."},
                        "%s() in a callback that must be pure", call);
    }
    return thread;
}

static _Unwind_Reason_Code look_for_handler(struct _Unwind_Context *context, void *found)
{
    int interrupted = 0; /* a frame that was interrupted, not called from */

    (void)_Unwind_GetIPInfo(context, &interrupted);
    *(bool *)found |= interrupted != 0;
    return *(bool *)found ? _URC_END_OF_STACK : _URC_NO_REASON;
}

struct rm_checked_thread *rm_checked_outside_handlers(const char *call, const void *where)
{
    struct rm_checked_thread *thread = rm_checked_anywhere(call, where);
    bool in_handler = false;

    (void)_Unwind_Backtrace(look_for_handler, &in_handler);
    if (in_handler) {
        rm_checked_stop(
            &(struct rm_checked_fault){.thread = thread,
                                       .at = where,
                                       .advice = "Lookups are allowed there; let a thread do the rest."},
            "%s() in a signal handler", call);
    }
    return thread;
}

/* ---- calls of a map ---- */

/* It says which map it is in before it looks whether that is destroyed; a destroyer does it the other way round. */
static struct rm_checked_call enter(struct rm_checked_thread *thread, const struct rangemap *map,
                                    const char *name, const void *where)
{
    struct rm_checked_call call = {thread, map, atomic_exchange(&thread->inside_of, map), name, where};
    const void *destroyed_at = rm_checked_destroyed_at(map);

    if (destroyed_at != NULL) {
        rm_checked_stop(
            &(struct rm_checked_fault){.thread = thread,
                                       .at = where,
                                       .also = "destroyed at",
                                       .also_at = destroyed_at,
                                       .advice = "Nobody may use a map once rangemap_destroy() is called."},
            "%s() of map %p, which was destroyed", name, (const void *)map);
    }
    return call;
}

struct rm_checked_call rm_checked_lookup(const struct rangemap *map, const char *call, const void *where)
{
    return enter(rm_checked_anywhere(call, where), map, call, where);
}

struct rm_checked_call rm_checked_update(const struct rangemap *map, const char *call, const void *where)
{
    struct rm_checked_thread *thread = rm_checked_outside_handlers(call, where);

    rm_checked_lengths(thread);
    thread->updates_since += map == thread->reserved_map;
    return enter(thread, map, call, where);
}

/* ---- results ---- */

int rm_checked_result(const struct rm_checked_thread *thread, int result, const char *call, const void *where)
{
    struct rm_checked_fault fault = {.thread = thread, .at = where};

    if (rm_checked_settings.lenient) {
        return result;
    }
    if (result == -EINVAL) {
        fault.advice =
            "A required pointer is NULL, or start > last: ranges are closed, n keys end at start + n - 1.";
        rm_checked_stop(&fault, "%s() refuses its arguments", call);
    }
    if (result == -EDEADLK) {
        fault.advice = "Wait outside of sections and callbacks; in callbacks use rangemap_destroy_later() or "
                       "rangemap_domain_defer().";
        rm_checked_stop(&fault, "%s() would wait for the section or callback that it is called in", call);
    }
    return result;
}

static void check_limits(const struct rm_checked_call *call, int result)
{
    const struct rm_checked_thread *thread = call->thread;
    struct rm_checked_fault fault = {.thread = thread, .at = call->where};

    if (result == -ENOMEM && call->map == thread->reserved_map &&
        thread->updates_since > thread->reserved_updates) {
        fault.advice = "Reserve for as many updates as follow, before the first of them.";
        rm_checked_stop(&fault, "%s() has no memory: update %u since rangemap_reserve() for %u", call->name,
                        thread->updates_since, thread->reserved_updates);
    }
    if (result == -EBUSY && call->map != NULL &&
        rm_checked_holds(thread, rm_checked_domain(rangemap_domain_of(call->map)))) {
        fault.advice = "End the section before so many updates: nothing is reclaimed while it is open.";
        rm_checked_stop(&fault,
                        "%s() meets the hard limit, and the thread's own section keeps the domain there",
                        call->name);
    }
}

int rm_checked_leave_quietly(const struct rm_checked_call *call, int result)
{
    atomic_store(&call->thread->inside_of, call->before);
    return result;
}

int rm_checked_leave(const struct rm_checked_call *call, int result)
{
    (void)rm_checked_leave_quietly(call, result);
    check_limits(call, result);
    return rm_checked_result(call->thread, result, call->name, call->where);
}
#endif
