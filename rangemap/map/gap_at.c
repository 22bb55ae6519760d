// SPDX-License-Identifier: BSD-2-Clause
/* Gaps by key: the one that holds a key, and the next one. */
#include <errno.h>

#include "rangemap/map/enter.h"
#include "rangemap/tree/edit.h"
#include "rangemap/tree/walk.h"

/* What lies around a key. */
struct around {
    uint64_t key; /* the lowest one that may be free */
    bool upwards; /* the key moves on over ranges that hold it */
    bool held;
    struct rangemap_gap gap;
};

static bool visit_above(void *state, const struct rm_leaf *leaf, unsigned count, unsigned from, unsigned to)
{
    struct around *around = state;

    for (unsigned i = from; i < to; i++) {
        struct rangemap_entry entry = rm_leaf_entry(leaf, count, i);

        if (entry.start > around->key) {
            around->gap.last = entry.start - 1;
            return false;
        }
        if (!around->upwards || entry.last == UINT64_MAX) {
            around->held = true;
            return false;
        }
        around->key = entry.last + 1;
    }
    return true;
}

static bool visit_below(void *state, const struct rm_leaf *leaf, unsigned count, unsigned from, unsigned to)
{
    struct around *around = state;

    if (from < to) {
        around->gap.start = rm_leaf_entry(leaf, count, to - 1).last + 1; /* it ends below a free key */
    }
    return from == to;
}

/* What one leaf tells about the key, and upwards of the next free one. False: not enough. */
static bool settled_by_leaf(const struct rangemap *map, struct around *around)
{
    struct rm_span span;
    unsigned count, rank;
    const struct rm_leaf *leaf = rm_walk_leaf(map, RM_VERSION_CURRENT, around->key, &count, &span);
    uint64_t key = around->key;

    rank = rm_rank(&leaf->node, count, key);
    while (rank > 0 && rm_leaf_pairs(leaf, count)[rank - 1].last >= key) {
        uint64_t last = rm_leaf_pairs(leaf, count)[rank - 1].last;

        if (!around->upwards || last == UINT64_MAX) {
            around->held = true;
            return true;
        }
        key = last + 1;
        rank += rank < count && rm_node_keys(&leaf->node)[rank] == key;
    }
    if (rank == 0 || rank == count) {
        return false;
    }
    around->gap.start = rm_leaf_pairs(leaf, count)[rank - 1].last + 1;
    around->gap.last = rm_node_keys(&leaf->node)[rank] - 1;
    return true;
}

/* The same as of a version. */
static void search_around(const struct rangemap *map, uint64_t version, struct around *around)
{
    struct rm_walk walk = rm_walk_up(map, version, around->key, UINT64_MAX, visit_above, around);

    around->held = false;
    around->gap = (struct rangemap_gap){0, UINT64_MAX};
    (void)rm_walk_map(&walk);
    if (around->held) {
        return;
    }
    walk.start = 0;
    walk.last = around->key;
    walk.direction = RM_DOWNWARD;
    walk.visit = visit_below;
    (void)rm_walk_map(&walk);
}

static int query_around(const struct rangemap *map, struct around *around)
{
    struct rm_thread *thread = rm_map_enter(map);

    if (thread == NULL) {
        return -ENOMEM;
    }
    around->held = false;
    if (!settled_by_leaf(map, around)) {
        search_around(map, rm_version_take(map), around);
    }
    rm_section_leave(thread);
    return 0;
}

static int answer_around(const struct around *around, int error, struct rangemap_gap *gap)
{
    if (around->held) {
        return error;
    }
    *gap = around->gap;
    return 0;
}

int rangemap_gap_at(const struct rangemap *map, uint64_t key, struct rangemap_gap *gap)
{
    struct around around = {.key = key};
    int result = map == NULL || gap == NULL ? -EINVAL : query_around(map, &around);

    return result == 0 ? answer_around(&around, -ENOENT, gap) : result;
}

int rangemap_gap_next(const struct rangemap *map, uint64_t key, struct rangemap_gap *gap)
{
    struct around around = {.key = key, .upwards = true};
    int result = map == NULL || gap == NULL ? -EINVAL : query_around(map, &around);

    return result == 0 ? answer_around(&around, -ENOSPC, gap) : result;
}

int rangemap_snapshot_gap_next(const struct rangemap_snapshot *snapshot, uint64_t key,
                               struct rangemap_gap *gap)
{
    struct around around = {.key = key, .upwards = true};

    if (snapshot == NULL || snapshot->map == NULL || gap == NULL) {
        return -EINVAL;
    }
    search_around(snapshot->map, snapshot->version, &around);
    return answer_around(&around, -ENOSPC, gap);
}
