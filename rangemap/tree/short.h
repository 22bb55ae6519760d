// SPDX-License-Identifier: BSD-2-Clause
/*
 * The short way of an update: the leaf path for a descent that keeps nothing of what it passes, in a leaf of which no
 * range is cut. What it does not serve is left to the long way, tree/update.c. docs/design.md, 4, has what that is,
 * docs/proofs.md, P10, why it is right.
 *
 * To be inlined with constant functions, once for each kernel.
 */
#ifndef RANGEMAP_TREE_SHORT_H
#define RANGEMAP_TREE_SHORT_H

#include "rangemap/tree/leaf_path.h"

/*
 * Takes the child that covers `key`; in *high, unless it is the last one, where it ends. `level`: of the child, a
 * constant as far as it matters.
 */
RM_ALWAYS_INLINE struct rm_node *rm_short_step(rm_rank_fn *rank, struct rm_step *step,
                                               const struct rangemap *map, struct rm_node *node,
                                               unsigned level, uint64_t key, uint64_t *high)
{
    struct rm_inner *inner = rm_inner(node);
    unsigned count = rm_meta_count(step->meta), index = rank(node, count - 1, key);

    if (index + 1 < count) {
        *high = inner->separator[index] - 1;
    }
    return rm_path_take(step, map, &inner->slot[index], level);
}

/* Descends to the leaf that covers `key`; in *high the last key that it covers. All leaves are on one level. */
RM_ALWAYS_INLINE const struct rm_leaf *rm_short_descend(rm_rank_fn *rank, struct rm_step *step,
                                                        struct rangemap *map, uint64_t key, uint64_t *high)
{
    struct rm_node *node = rm_path_take(step, map, &map->root, RM_HEIGHT_MAX);
    unsigned level = rm_meta_level(step->meta);

    *high = UINT64_MAX;
    if (RM_UNLIKELY(level == 0)) {
        return rm_leaf(node);
    }
    for (; level > 1; level--) {
        node = rm_short_step(rank, step, map, node, RM_HEIGHT_MAX, key, high);
    }
    return rm_leaf(rm_short_step(rank, step, map, node, 0, key, high));
}

RM_ALWAYS_INLINE enum rm_outcome rm_short_publish(void *context, const struct rm_leaf_update *update,
                                                  struct rm_leaf *made, unsigned count)
{
    (void)context;
    return rm_publish_node(update->map, update->step, &made->node, rm_pointer_bits(made), count, 0)
               ? RM_DONE
               : RM_RETRY;
}

/* A leaf that gets small might have to join a neighbour, of which nothing is known here. */
static inline bool rm_short_serves(const struct rangemap *map, const struct rm_step *step, unsigned count,
                                   unsigned new_count)
{
    if (RM_UNLIKELY(rm_slot_is_frozen(step->word) || new_count > RM_LEAF_MAX)) {
        return false;
    }
    return RM_LIKELY(new_count >= RM_LEAF_MIN + (RM_LEAF_MIN == 0)) || new_count >= count ||
           step->slot == &map->root;
}

/* Not for maps that track gaps, nor for RM_JOIN. RM_LONG_WAY: nothing was done. Inside a section. */
RM_ALWAYS_INLINE enum rm_outcome rm_short_update_with(rm_rank_fn *rank, rm_splice_fn *splice,
                                                      struct rangemap *map, struct rm_thread *thread,
                                                      struct rm_op *op)
{
    struct rm_step step;
    struct rm_edit edit;
    uint64_t high;
    const struct rm_leaf *leaf = rm_short_descend(rank, &step, map, op->start, &high);
    struct rm_leaf_update update = {map, thread, op, &step, leaf, &edit};
    unsigned count = rm_meta_count(step.meta);
    enum rm_outcome outcome;

    if (RM_UNLIKELY(op->last > high)) {
        return RM_LONG_WAY;
    }
    /* Compilers do not see that it is written if it is read. */
    edit.put[0] = (struct rangemap_entry){0, 0, NULL};
    outcome = rm_edit_plan(&edit, op, &map->values, leaf, count, rank(&leaf->node, count, op->start), RM_BOTH,
                           RM_WHOLE_RANGES);
    if (outcome != RM_DONE) {
        return outcome;
    }
    if (RM_UNLIKELY(!rm_short_serves(map, &step, count, rm_edit_count(&edit, count)))) {
        return RM_LONG_WAY;
    }
    return rm_leaf_path(splice, RM_WHOLE_RANGES, rm_short_publish, NULL, &update);
}

typedef enum rm_outcome rm_short_update_fn(struct rangemap *map, struct rm_thread *thread, struct rm_op *op);

/* That of the selected kernel; as rm_rank_selected (node/rank.h). */
RM_INTERNAL extern rm_short_update_fn *rm_short_update_selected;
RM_INTERNAL rm_short_update_fn rm_portable_short_update;

static inline enum rm_outcome rm_short_update(struct rangemap *map, struct rm_thread *thread,
                                              struct rm_op *op)
{
    return __atomic_load_n(&rm_short_update_selected, __ATOMIC_RELAXED)(map, thread, op);
}

#endif
