// SPDX-License-Identifier: BSD-2-Clause
/* The public updates: arguments in, errno out, a share of reclamation afterwards. */
#include "rangemap/tree/update.h"

#include "rangemap/epoch/upkeep.h"
#include "rangemap/map/admit.h"
#include "rangemap/tree/join.h"

/* Of what is not RM_DONE. */
static int error_of(enum rm_outcome outcome)
{
    switch (outcome) {
    case RM_CONFLICT:
        return -EEXIST;
    case RM_STALE:
        return -ESTALE;
    case RM_NO_MEMORY:
        return -ENOMEM;
    case RM_DONE:
    case RM_NOTHING:
    case RM_LONG_WAY:
    case RM_TOO_LOW:
    case RM_REFUSED:
    case RM_NO_ROOM:
    case RM_WIDEN:
    case RM_RETRY:
        break;
    }
    return -ENOENT;
}

static int run(struct rangemap *map, struct rm_op *op)
{
    int error;
    struct rm_thread *thread = rm_map_admit(map, &error);
    enum rm_outcome outcome;

    if (RM_UNLIKELY(thread == NULL)) {
        return error;
    }
    outcome = rm_update(map, thread, op);
    rm_upkeep(thread);
    return RM_LIKELY(outcome == RM_DONE) ? 0 : error_of(outcome);
}

int rangemap_insert(struct rangemap *map, uint64_t start, uint64_t last, void *value,
                    struct rangemap_entry *conflict)
{
    struct rm_op op = {.kind = RM_INSERT, .start = start, .last = last, .value = value};
    int result;

    if (map == NULL || start > last) {
        return -EINVAL;
    }
    result = run(map, &op);
    if (result == -EEXIST && conflict != NULL) {
        *conflict = op.found;
    }
    return result;
}

int rangemap_store(struct rangemap *map, uint64_t start, uint64_t last, void *value,
                   rangemap_displaced_fn *displaced, void *context)
{
    struct rm_op op = {.kind = RM_STORE,
                       .start = start,
                       .last = last,
                       .value = value,
                       .displaced = displaced,
                       .displaced_context = context};

    if (map == NULL || start > last) {
        return -EINVAL;
    }
    return run(map, &op);
}

int rangemap_carve(struct rangemap *map, uint64_t start, uint64_t last, rangemap_displaced_fn *displaced,
                   void *context)
{
    struct rm_op op = {
        .kind = RM_CARVE, .start = start, .last = last, .displaced = displaced, .displaced_context = context};
    int result;

    if (map == NULL || start > last) {
        return -EINVAL;
    }
    result = run(map, &op);
    return result == -ENOENT ? 0 : result;
}

static int run_single(struct rangemap *map, struct rm_op *op, struct rangemap_entry *erased)
{
    int result = run(map, op);

    if (result == 0 && erased != NULL) {
        *erased = op->found;
    }
    return result;
}

int rangemap_erase(struct rangemap *map, uint64_t key, struct rangemap_entry *erased)
{
    struct rm_op op = {.kind = RM_ERASE, .start = key, .last = key};

    return map == NULL ? -EINVAL : run_single(map, &op, erased);
}

int rangemap_erase_exact(struct rangemap *map, uint64_t start, uint64_t last, struct rangemap_entry *erased)
{
    struct rm_op op = {.kind = RM_ERASE_EXACT, .start = start, .last = start, .end = last};

    return map == NULL || start > last ? -EINVAL : run_single(map, &op, erased);
}

int rangemap_replace(struct rangemap *map, uint64_t start, uint64_t last, void *expected, void *desired,
                     void **actual)
{
    struct rm_op op = {.kind = RM_REPLACE,
                       .start = start,
                       .last = start,
                       .end = last,
                       .value = desired,
                       .expected = expected};
    int result;

    if (map == NULL || start > last) {
        return -EINVAL;
    }
    result = run(map, &op);
    if (result == -ESTALE && actual != NULL) {
        *actual = op.found.value;
    }
    return result;
}

int rangemap_erase_value(struct rangemap *map, uint64_t start, uint64_t last, void *expected, void **actual)
{
    struct rm_op op = {
        .kind = RM_ERASE_VALUE, .start = start, .last = start, .end = last, .expected = expected};
    int result;

    if (map == NULL || start > last) {
        return -EINVAL;
    }
    result = run(map, &op);
    if (result == -ESTALE && actual != NULL) {
        *actual = op.found.value;
    }
    return result;
}

/* The next run to join at or above `from`: 0, -ENOENT if there is none, or why it cannot be joined now. */
static int find_run(struct rangemap *map, struct rm_op *op, uint64_t from, uint64_t last)
{
    int result;
    struct rm_thread *thread = rm_map_admit(map, &result);

    if (thread == NULL) {
        return result;
    }
    rm_section_enter(thread);
    result = rm_join_find(map, op, from, last) ? 0 : -ENOENT;
    rm_section_leave(thread);
    return result;
}

int rangemap_coalesce(struct rangemap *map, uint64_t start, uint64_t last, rangemap_equal_fn *equal,
                      void *context, uint64_t *joined)
{
    struct rm_op op = {.kind = RM_JOIN, .equal = equal, .equal_context = context};
    uint64_t total = 0;
    int result;

    if (map == NULL || start > last) {
        return -EINVAL;
    }
    while ((result = find_run(map, &op, start, last)) == 0) {
        result = run(map, &op);
        if (result == 0) {
            total += op.joined;
            start = op.last; /* a run cannot grow at its end by what we did: go on behind it */
        } else if (result != -ESTALE && result != -ENOENT) {
            break;
        } /* else it was changed meanwhile: look again */
    }
    if (joined != NULL) {
        *joined = total;
    }
    return result == -ENOENT ? 0 : result;
}
