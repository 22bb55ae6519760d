// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/map/inspect.h"

#include "rangemap/map/enter.h"

struct inspection {
    const struct rangemap *map;
    uint64_t version;
    rm_inspect_fn *visit;
    void *state;
};

static bool inspect_place(const struct inspection *inspection, const struct rm_place *place)
{
    const struct rm_inner *inner = rm_inner(place->node);
    unsigned count = rm_meta_count(place->meta);

    if (!inspection->visit(inspection->state, place)) {
        return false;
    }
    if (rm_meta_level(place->meta) == 0) {
        return true;
    }
    for (unsigned i = 0; i < count; i++) {
        struct rm_place child = {.parent = place->node,
                                 .parent_meta = place->meta,
                                 .span = rm_child_span(inner, count, i, place->span),
                                 .depth = place->depth + 1,
                                 .index = i};

        child.node = rm_version_follow(inspection->map, &inner->slot[i], inspection->version, &child.meta);
        if (!inspect_place(inspection, &child)) {
            return false;
        }
    }
    return true;
}

int rm_inspect(const struct rangemap *map, rm_inspect_fn *visit, void *state)
{
    struct rm_thread *thread = rm_map_enter(map);
    struct inspection inspection = {.map = map, .visit = visit, .state = state};
    struct rm_place root = {.span = RM_WHOLE_DOMAIN};

    if (thread == NULL) {
        return -ENOMEM;
    }
    inspection.version = rm_version_take(map);
    root.node = rm_version_follow(map, &map->root, inspection.version, &root.meta);
    (void)inspect_place(&inspection, &root);
    rm_section_leave(thread);
    return 0;
}

static bool count_place(void *state, const struct rm_place *place)
{
    struct rangemap_statistics *statistics = state;
    unsigned count = rm_meta_count(place->meta);
    unsigned level = rm_meta_level(place->meta);

    if (level == 0) {
        statistics->leaves++;
        statistics->ranges += count;
    } else {
        statistics->inner_nodes++;
    }
    if (place->depth == 0) {
        statistics->height = level;
    }
    statistics->bytes += (uint64_t)rm_node_lines(count, level) * RM_CACHE_LINE;
    return true;
}

int rangemap_stats(const struct rangemap *map, struct rangemap_statistics *statistics)
{
    struct rangemap_statistics counted = {0};
    int result;

    if (map == NULL || statistics == NULL) {
        return -EINVAL;
    }
    result = rm_inspect(map, count_place, &counted);
    if (result == 0) {
        *statistics = counted;
    }
    return result;
}
