// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/map/inspect.h"

#include "rangemap/map/enter.h"

struct inspection {
    const struct rangemap *map;
    uint64_t version;
    rm_inspect_fn *visit;
    void *state;
};

/* The node in a slot as of the version. A class that is read here bounds what was below that node then, too. */
static void follow_slot(const struct inspection *inspection, const rm_word *slot, unsigned bound,
                        struct rm_place *child)
{
    uint64_t word = rm_load_relaxed(slot); /* its class alone counts */

    child->node = rm_version_follow(inspection->map, slot, inspection->version, &child->meta);
    child->is_current = child->node == rm_slot_node(word);
    child->gap_class = rm_slot_class(word);
    child->bound = child->is_current && child->gap_class < bound ? child->gap_class : bound;
}

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

        follow_slot(inspection, &inner->slot[i], place->bound, &child);
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
    struct rm_place root = {.span = RM_ALL_KEYS};

    if (thread == NULL) {
        return -ENOMEM;
    }
    inspection.version = rm_version_take(map);
    root.node = rm_version_follow(map, &map->root, inspection.version, &root.meta);
    root.bound = RM_CLASS_END; /* the root's slot has no class */
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

int rm_inspect_count(const struct rangemap *map, struct rangemap_statistics *statistics)
{
    *statistics = (struct rangemap_statistics){0};
    return rm_inspect(map, count_place, statistics);
}

int rangemap_stats(const struct rangemap *map, struct rangemap_statistics *statistics)
{
    struct rangemap_statistics counted;
    int result;

    if (map == NULL || statistics == NULL) {
        return -EINVAL;
    }
    result = rm_inspect_count(map, &counted);
    if (result == 0) {
        *statistics = counted;
    }
    return result;
}
