// SPDX-License-Identifier: BSD-2-Clause
/*
 * The leaf path of an update: everything in one leaf that stays one leaf. A copy, one compare-and-swap.
 *
 * To be inlined with constant functions: in the long way with those of the map and the selected kernel, in the short
 * one (tree/short.h) with a kernel's own.
 */
#ifndef RANGEMAP_TREE_LEAF_PATH_H
#define RANGEMAP_TREE_LEAF_PATH_H

#include "rangemap/base/cancel.h"
#include "rangemap/tree/edit.h"
#include "rangemap/tree/path.h"
#include "rangemap/tree/publish.h"

/* The edit of the leaf of `step`, in an attempt of `thread`. */
struct rm_leaf_update {
    struct rangemap *map;
    struct rm_thread *thread;
    const struct rm_op *op;
    const struct rm_step *step;
    const struct rm_leaf *leaf;
    struct rm_edit *edit;
};

/* Puts `made`, whose meta is not written yet, into the slot of the leaf: RM_DONE, or why the attempt failed. */
typedef enum rm_outcome rm_leaf_publish_fn(void *context, const struct rm_leaf_update *update,
                                           struct rm_leaf *made, unsigned count);

static inline void rm_leaf_report(const struct rm_op *op, const struct rm_leaf *leaf, unsigned count,
                                  unsigned from, unsigned to)
{
    int cancel = rm_cancel_hold();

    for (unsigned i = from; i < to; i++) {
        struct rangemap_entry entry = rm_leaf_entry(leaf, count, i);

        op->displaced(&entry, op->displaced_context);
    }
    rm_cancel_let_through(cancel);
}

/*
 * Whether the edit ends or shares the ownership of values. They are staged, with the leaf; else there is nothing but
 * the leaf, for which room is enough: it is retired when it has been replaced.
 */
RM_ALWAYS_INLINE bool rm_leaf_stages(enum rm_cuts cuts, const struct rm_edit *edit,
                                     const struct rm_values *values)
{
    return RM_UNLIKELY(values->release != NULL || (cuts == RM_MAY_CUT && values->retain != NULL)) &&
           edit->from < edit->to;
}

/* False: out of memory; nothing is staged. */
RM_ALWAYS_INLINE bool rm_leaf_prepare(enum rm_cuts cuts, const struct rm_leaf_update *update, bool stages,
                                      unsigned count, unsigned lines)
{
    struct rm_thread *thread = update->thread;

    if (RM_LIKELY(!stages)) {
        return rm_retire_has_room(thread);
    }
    if (!rm_retire_stage_node(thread, update->leaf, lines) ||
        !rm_edit_stage_values(cuts, update->edit, update->op, &update->map->values, update->leaf, count,
                              thread)) {
        rm_retire_abort(thread);
        return false;
    }
    return true;
}

/* Ends an attempt whose compare-and-swap failed, but for what it built (R6). */
RM_ALWAYS_INLINE void rm_leaf_lose(const struct rm_leaf_update *update, bool stages)
{
    if (stages) {
        rm_retire_abort(update->thread);
    }
}

/* Retires the leaf that has been replaced, and the values. */
RM_ALWAYS_INLINE void rm_leaf_win(const struct rm_leaf_update *update, bool stages, unsigned lines)
{
    if (stages) {
        rm_retire_commit(update->thread, (uint64_t)lines * RM_CACHE_LINE);
    } else {
        rm_retire_node(update->thread, update->leaf, lines);
    }
}

RM_ALWAYS_INLINE enum rm_outcome rm_leaf_path(rm_splice_fn *splice, enum rm_cuts cuts,
                                              rm_leaf_publish_fn *publish, void *context,
                                              const struct rm_leaf_update *update)
{
    struct rm_thread *thread = update->thread;
    const struct rm_op *op = update->op;
    struct rm_edit *edit = update->edit;
    const struct rm_leaf *leaf = update->leaf;
    unsigned count = rm_meta_count(update->step->meta), new_count = rm_edit_count(edit, count);
    unsigned old_lines = rm_leaf_lines(count), lines = rm_leaf_lines(new_count);
    bool stages = rm_leaf_stages(cuts, edit, &update->map->values);
    struct rm_leaf *made = rm_thread_alloc(thread, lines);
    enum rm_outcome outcome;

    if (RM_UNLIKELY(made == NULL)) {
        return RM_NO_MEMORY;
    }
    if (RM_UNLIKELY(!rm_leaf_prepare(cuts, update, stages, count, old_lines))) {
        rm_thread_free(thread, made, lines);
        return RM_NO_MEMORY;
    }
    rm_edit_apply(splice, cuts, edit, leaf, count, made, new_count);
    outcome = publish(context, update, made, new_count);
    if (RM_UNLIKELY(outcome != RM_DONE)) {
        rm_leaf_lose(update, stages);
        rm_thread_free(thread, made, lines);
        return outcome;
    }
    rm_leaf_win(update, stages, old_lines);
    if (cuts == RM_MAY_CUT) {
        rm_edit_retain(edit, &update->map->values);
    }
    if (op->displaced != NULL) {
        rm_leaf_report(op, leaf, count, edit->from, edit->to);
    }
    return RM_DONE;
}

#endif
