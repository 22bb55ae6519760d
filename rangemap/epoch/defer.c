// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/epoch/defer.h"

struct deferred {
    struct rm_garbage garbage;
    rangemap_deferred_fn *run;
    void *context;
};

_Static_assert(sizeof(struct deferred) <= sizeof(struct rangemap_deferred), "deferred must fit");

static bool dispose_deferred(struct rm_garbage *garbage, struct rm_thread *thread, unsigned *budget)
{
    struct deferred *deferred = RM_CONTAINER_OF(garbage, struct deferred, garbage);

    (void)thread;
    *budget -= *budget > 0;
    deferred->run((struct rangemap_deferred *)(void *)deferred, deferred->context);
    return true;
}

static const struct rm_garbage_kind kind = {dispose_deferred, NULL, true, false};

struct rm_garbage *rm_defer_prepare(struct rangemap_deferred *deferred, rangemap_deferred_fn *run,
                                    void *context)
{
    struct deferred *object = (struct deferred *)(void *)deferred;

    object->garbage.kind = &kind;
    object->run = run;
    object->context = context;
    return &object->garbage;
}
