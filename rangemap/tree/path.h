// SPDX-License-Identifier: BSD-2-Clause
/* The way of an update from the root to the lowest node that covers its whole range. */
#ifndef RANGEMAP_TREE_PATH_H
#define RANGEMAP_TREE_PATH_H

#include "rangemap/node/prefetch.h"
#include "rangemap/node/rank.h"
#include "rangemap/tree/version.h"

struct rm_step {
    rm_word *slot;
    uint64_t word; /* what the slot held */
    uint64_t meta; /* of the node in it */
};

struct rm_path {
    unsigned last; /* index of the deepest step */
    unsigned rank; /* how many keys of the deepest node are <= the update's start */
    struct rm_step step[RM_HEIGHT_MAX + 1];
};

static inline struct rm_node *rm_step_node(const struct rm_step *step)
{
    return rm_slot_node(step->word);
}

static inline unsigned rm_child_index(const struct rm_inner *inner, unsigned count, uint64_t key)
{
    return rm_rank(&inner->node, count - 1, key);
}

/* `level`: of the node in the slot, as far as known; a leaf will be copied whole. */
RM_ALWAYS_INLINE struct rm_node *rm_path_take(struct rm_step *step, const struct rangemap *map, rm_word *slot,
                                              unsigned level)
{
    struct rm_node *node;

    step->slot = slot;
    step->word = rm_load_dependent(slot);
    node = rm_slot_node(step->word);
    if (level == 0) {
        rm_prefetch_leaf(node);
    } else {
        rm_prefetch_node(node);
    }
    step->meta = rm_version_meta(map, node);
    return node;
}

/*
 * Descends while one child covers [start, last]. The last step is a leaf, or the inner node at which the
 * ends part. Inside a section. To be inlined with a constant `rank`, once for each kernel.
 */
RM_ALWAYS_INLINE void rm_path_descend_with(rm_rank_fn *rank, struct rm_path *path, struct rangemap *map,
                                           uint64_t start, uint64_t last)
{
    struct rm_step *step = path->step;
    struct rm_node *node = rm_path_take(step, map, &map->root, RM_HEIGHT_MAX);
    unsigned index = 0;

    while (rm_meta_level(step->meta) > 0) {
        struct rm_inner *inner = rm_inner(node);
        unsigned count = rm_meta_count(step->meta);
        unsigned level = rm_meta_level(step->meta);

        index = rank(node, count - 1, start);
        if (index + 1 < count && last >= inner->separator[index]) {
            break;
        }
        step++;
        node = rm_path_take(step, map, &inner->slot[index], level - 1);
    }
    path->last = (unsigned)(step - path->step);
    path->rank = rm_meta_level(step->meta) > 0 ? index : rank(node, rm_meta_count(step->meta), start);
}

typedef void rm_path_descend_fn(struct rm_path *path, struct rangemap *map, uint64_t start, uint64_t last);

/* That of the selected kernel; as rm_rank_selected (node/rank.h). */
RM_INTERNAL extern rm_path_descend_fn *rm_path_descend_selected;
RM_INTERNAL rm_path_descend_fn rm_portable_descend;

static inline void rm_path_descend(struct rm_path *path, struct rangemap *map, uint64_t start, uint64_t last)
{
    __atomic_load_n(&rm_path_descend_selected, __ATOMIC_RELAXED)(path, map, start, last);
}

/* The keys that the node of a step covers. */
RM_INTERNAL uint64_t rm_path_high(const struct rm_path *path,
                                  const struct rm_step *step); /* the last of them */
RM_INTERNAL struct rm_span rm_path_span(const struct rm_path *path, const struct rm_step *step);

#endif
