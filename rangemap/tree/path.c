// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/tree/path.h"

/* Both key lines and both slot lines of an inner node, or the first four of a leaf. */
static void prefetch_node(const void *node)
{
    for (unsigned line = 0; line < RM_INNER_LINES; line++) {
        rm_prefetch((const char *)node + line * RM_CACHE_LINE);
    }
}

static void take_step(struct rm_step *step, const struct rangemap *map, rm_word *slot, struct rm_span span)
{
    uint64_t word = rm_load_dependent(slot);

    step->slot = slot;
    step->node = rm_slot_node(word);
    step->frozen = rm_slot_is_frozen(word);
    step->span = span;
    prefetch_node(step->node);
    step->meta = rm_broken(RM_R7_UPDATE_STAMPS) ? rm_load_acquire(&step->node->meta)
                                                : rm_version_meta(map, step->node);
}

void rm_path_descend(struct rm_path *path, struct rangemap *map, uint64_t start, uint64_t last)
{
    struct rm_step *step = path->step;

    take_step(step, map, &map->root, RM_WHOLE_DOMAIN);
    while (rm_meta_level(step->meta) > 0) {
        struct rm_inner *inner = rm_inner(step->node);
        unsigned count = rm_meta_count(step->meta);
        unsigned index = rm_child_index(inner, count, start);
        struct rm_span child = rm_child_span(inner, count, index, step->span);

        if (last > child.high) {
            break;
        }
        take_step(step + 1, map, &inner->slot[index], child);
        step++;
    }
    path->last = (unsigned)(step - path->step);
}
