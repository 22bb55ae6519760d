// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/map/enter.h"
#include "rangemap/tree/edit.h"
#include "rangemap/tree/walk.h"

int rangemap_snapshot_begin(const struct rangemap *map, struct rangemap_snapshot *snapshot)
{
    if (map == NULL || snapshot == NULL) {
        return -EINVAL;
    }
    if (rm_map_enter(map) == NULL) {
        return -ENOMEM;
    }
    snapshot->map = map;
    snapshot->version = rm_version_take(map);
    return 0;
}

void rangemap_snapshot_end(struct rangemap_snapshot *snapshot)
{
    if (snapshot != NULL && snapshot->map != NULL) {
        rm_section_end_checked(rm_thread_existing(snapshot->map->domain));
        snapshot->map = NULL;
    }
}

int rangemap_snapshot_find(const struct rangemap_snapshot *snapshot, uint64_t key,
                           struct rangemap_entry *entry)
{
    const struct rm_leaf *leaf;
    struct rm_span span;
    unsigned count, from, to;

    if (snapshot == NULL || snapshot->map == NULL || entry == NULL) {
        return -EINVAL;
    }
    leaf = rm_walk_leaf(snapshot->map, snapshot->version, key, &count, &span);
    rm_leaf_overlap(leaf, count, key, key, &from, &to);
    if (from == to) {
        return -ENOENT;
    }
    *entry = rm_leaf_entry(leaf, count, from);
    return 0;
}
