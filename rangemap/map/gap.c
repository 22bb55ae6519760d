// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/map/query.h"

#include <errno.h>

#include "rangemap/tree/edit.h"

/* The search so far: everything of the window on the near side of `edge` is taken or too small. */
struct gap {
    const struct rangemap_gap_request *request;
    uint64_t mask; /* alignment - 1 */
    uint64_t edge; /* the nearest key that may be free */
    uint64_t start;
    bool found, exhausted;
};

/* The lowest fitting start in the free keys [low, high]. */
static bool fits_from_bottom(struct gap *gap, uint64_t low, uint64_t high)
{
    uint64_t start = (low + gap->mask) & ~gap->mask;

    gap->start = start;
    gap->found = start >= low && start <= high && high - start >= gap->request->length - 1;
    return gap->found;
}

/* The highest. */
static bool fits_from_top(struct gap *gap, uint64_t low, uint64_t high)
{
    if (high - low < gap->request->length - 1) {
        return false;
    }
    gap->start = (high - (gap->request->length - 1)) & ~gap->mask;
    gap->found = gap->start >= low;
    return gap->found;
}

static bool visit_up(void *state, const struct rm_leaf *leaf, unsigned count, unsigned from, unsigned to)
{
    struct gap *gap = state;

    for (unsigned i = from; i < to; i++) {
        struct rangemap_entry entry = rm_leaf_entry(leaf, count, i);

        if (entry.start > gap->edge && fits_from_bottom(gap, gap->edge, entry.start - 1)) {
            return false;
        }
        if (entry.last >= gap->request->high) {
            gap->exhausted = true;
            return false;
        }
        gap->edge = entry.last + 1;
    }
    return true;
}

static bool visit_down(void *state, const struct rm_leaf *leaf, unsigned count, unsigned from, unsigned to)
{
    struct gap *gap = state;

    for (unsigned i = to; i > from; i--) {
        struct rangemap_entry entry = rm_leaf_entry(leaf, count, i - 1);

        if (entry.last < gap->edge && fits_from_top(gap, entry.last + 1, gap->edge)) {
            return false;
        }
        if (entry.start <= gap->request->low) {
            gap->exhausted = true;
            return false;
        }
        gap->edge = entry.start - 1;
    }
    return true;
}

static bool is_valid(const struct rangemap_gap_request *request)
{
    return request != NULL && request->length > 0 && request->low <= request->high &&
           (request->alignment & (request->alignment - 1)) == 0;
}

int rangemap_gap_find(const struct rangemap *map, const struct rangemap_gap_request *request, uint64_t *start)
{
    struct gap gap = {.request = request};
    struct rm_walk walk = {.map = map, .version = RM_VERSION_CURRENT, .state = &gap};

    if (map == NULL || start == NULL || !is_valid(request)) {
        return -EINVAL;
    }
    gap.mask = request->alignment > 0 ? request->alignment - 1 : 0;
    gap.edge = request->from_top ? request->high : request->low;
    walk.start = request->low;
    walk.last = request->high;
    walk.direction = request->from_top ? RM_DOWNWARD : RM_UPWARD;
    walk.visit = request->from_top ? visit_down : visit_up;
    if (!rm_query_run(&walk, sizeof gap)) {
        return -ENOMEM;
    }
    if (!gap.found && !gap.exhausted) {
        /* What is left between the last range and the far end of the window. */
        (void)(request->from_top ? fits_from_top(&gap, request->low, gap.edge)
                                 : fits_from_bottom(&gap, gap.edge, request->high));
    }
    if (!gap.found) {
        return -ENOSPC;
    }
    *start = gap.start;
    return 0;
}

int rangemap_gap_allocate(struct rangemap *map, const struct rangemap_gap_request *request, void *value,
                          uint64_t *start)
{
    int result;

    /* -EEXIST: another thread took it, which is progress of that thread. */
    do {
        uint64_t found;

        result = start == NULL ? -EINVAL : rangemap_gap_find(map, request, &found);
        if (result != 0) {
            return result;
        }
        result = rm_broken(RM_GAP_CHECKED)
                     ? rangemap_store(map, found, found + (request->length - 1), value, NULL, NULL)
                     : rangemap_insert(map, found, found + (request->length - 1), value, NULL);
        if (result == 0) {
            *start = found;
        }
    } while (result == -EEXIST);
    return result;
}
