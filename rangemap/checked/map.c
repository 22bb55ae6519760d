// SPDX-License-Identifier: BSD-2-Clause
/* The life of maps. */
#include "rangemap/checked/callbacks.h"
#include "rangemap/checked/known.h"

#if defined(RM_IS_CHECKED)
#include <errno.h>

int RM_CHECKED(rangemap_create)(const struct rangemap_options *options, struct rangemap **map)
{
    const void *where = RM_CHECKED_WHERE;
    struct rm_checked_thread *thread = rm_checked_outside_handlers("rangemap_create", where);
    struct rm_checked_kept *callbacks = NULL;
    struct rangemap_options ours;
    int result;

    if (options != NULL) {
        callbacks = rm_checked_keep(options, &ours);
        if (callbacks == NULL) {
            return -ENOMEM;
        }
    }
    result = RM_LIBRARY(rangemap_create)(options != NULL ? &ours : NULL, map);
    if (result != 0) {
        rm_checked_forget(callbacks);
        return rm_checked_result(thread, result, "rangemap_create", where);
    }
    if (options == NULL || options->domain == NULL) {
        rm_checked_learn_default(rangemap_domain_of(*map));
    }
    rm_checked_map_made(*map, callbacks);
    return 0;
}

/* No thread may be in a section or a call of it. */
static void check_unused(const struct rangemap *map, const void *where)
{
    struct rm_checked_thread *thread = rm_checked_first_thread();

    for (; thread != NULL; thread = rm_checked_next_thread(thread)) {
        struct rm_checked_fault fault = {.thread = thread, .at = where};
        int tid = atomic_load(&thread->tid);

        if (atomic_load(&thread->inside_of) == map) {
            fault.advice = "Join or stop the threads that use a map before it is destroyed.";
            rm_checked_stop(&fault, "map %p is destroyed while thread %d is in a call of it",
                            (const void *)map, tid);
        }
        for (unsigned i = 0; i < RM_CHECKED_SECTIONS && i < atomic_load(&thread->open); i++) {
            if (atomic_load(&thread->section[i].map) == map) {
                fault.advice = "End every section and snapshot of a map before it is destroyed.";
                rm_checked_stop(&fault, "map %p is destroyed while thread %d is in a section of it",
                                (const void *)map, tid);
            }
        }
    }
}

/* What precedes both ways to destroy. Other threads are looked at when they can see that it is gone. */
static struct rm_checked_thread *begin_destroy(struct rangemap *map, const char *name, const void *where)
{
    struct rm_checked_call call = rm_checked_update(map, name, where);

    (void)rm_checked_leave_quietly(&call, 0);
    if (map != NULL) {
        rm_checked_map_gone(map, where);
        check_unused(map, where);
    }
    return call.thread;
}

int RM_CHECKED(rangemap_destroy)(struct rangemap *map)
{
    const void *where = RM_CHECKED_WHERE;
    struct rm_checked_thread *thread = begin_destroy(map, "rangemap_destroy", where);
    struct rm_checked_kept *callbacks = rm_checked_callbacks(map);
    int result;

    if (callbacks != NULL && callbacks->theirs.release != NULL &&
        !rm_checked_holds(thread, rm_checked_domain(rangemap_domain_of(map)))) {
        rm_checked_wait(rm_checked_domain(rangemap_domain_of(map)));
    }
    result = RM_LIBRARY(rangemap_destroy)(map);
    if (result == 0) {
        rm_checked_forget(callbacks);
    } else {
        rm_checked_map_back(map);
    }
    return rm_checked_result(thread, result, "rangemap_destroy", where);
}

static void tell_ended(void *context)
{
    struct rm_checked_kept *callbacks = context;
    rangemap_ended_fn *ended = callbacks->ended;
    void *ended_context = callbacks->ended_context;

    rm_checked_forget(callbacks);
    if (ended != NULL) {
        ended(ended_context);
    }
}

int RM_CHECKED(rangemap_destroy_later)(struct rangemap *map, rangemap_ended_fn *ended, void *context)
{
    const void *where = RM_CHECKED_WHERE;
    struct rm_checked_thread *thread = begin_destroy(map, "rangemap_destroy_later", where);
    struct rm_checked_kept *callbacks = rm_checked_callbacks(map);
    bool calls_back = callbacks != NULL && (ended != NULL || callbacks->theirs.release != NULL);
    int result;

    if (calls_back) {
        callbacks->ended = ended;
        callbacks->ended_context = context;
        ended = tell_ended;
        context = callbacks;
    }
    result = RM_LIBRARY(rangemap_destroy_later)(map, ended, context);
    if (result != 0) {
        rm_checked_map_back(map);
    } else if (!calls_back) {
        rm_checked_forget(callbacks); /* else the map would wait for callbacks being asked for */
    }
    return rm_checked_result(thread, result, "rangemap_destroy_later", where);
}

int RM_CHECKED(rangemap_reserve)(struct rangemap *map, unsigned updates)
{
    struct rm_checked_call call = rm_checked_update(map, "rangemap_reserve", RM_CHECKED_WHERE);
    int result = rm_checked_leave_quietly(&call, RM_LIBRARY(rangemap_reserve)(map, updates));

    if (result == 0) {
        call.thread->reserved_map = map;
        call.thread->reserved_updates = updates;
        call.thread->updates_since = 0;
    }
    return rm_checked_result(call.thread, result, call.name, call.where);
}
#endif
