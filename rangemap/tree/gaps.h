// SPDX-License-Identifier: BSD-2-Clause
/*
 * What updates do in maps that track gaps, so that a slot's class bounds every gap below it at every instant (rules
 * G1 to G6 of docs/design.md).
 */
#ifndef RANGEMAP_TREE_GAPS_H
#define RANGEMAP_TREE_GAPS_H

#include "rangemap/node/gap_class.h"
#include "rangemap/tree/build.h"
#include "rangemap/tree/edit.h"
#include "rangemap/tree/op.h"
#include "rangemap/tree/path.h"

enum { RM_LOOSE_MAX = 8 }; /* the most nodes that an allocation tightens */

/*
 * rm_path_descend() for an update that frees keys, of a map that tracks gaps. The route begins at op->start, or at
 * the key before it if the update may free the first keys of a leaf: then it ends where the two leaves part (G1).
 * Returns that key.
 */
RM_INTERNAL uint64_t rm_gaps_descend(struct rm_path *path, struct rangemap *map, const struct rm_op *op);

/*
 * For an erase whose route begins at `low`, before its range, in the frozen region at `anchor`: whether the range
 * is still there (else RM_NOTHING) and begins behind `low` (else RM_RETRY). RM_DONE: op->found is the range.
 */
RM_INTERNAL enum rm_outcome rm_gaps_inspect_erase(struct rm_op *op, uint64_t low,
                                                  const struct rm_step *anchor);

/*
 * The last key that the left spine of the update has to cover, in the frozen region at `anchor`: behind it a
 * range begins that remains, or another leaf.
 */
RM_INTERNAL uint64_t rm_gaps_left_high(const struct rm_op *op, const struct rm_step *anchor,
                                       struct rm_span span);

/* Whether a leaf of `run` that covers keys from `low` would break G1. */
static inline bool rm_gaps_free_low(const struct rangemap *map, const struct rm_run *run, uint64_t low)
{
    return map->tracks_gaps && low != 0 && (run->count == 0 || run->start[0] != low);
}

/*
 * Publishes `word` at a step of the path, once the slots above suffice for its class (G2). RM_DONE, RM_RETRY; or
 * RM_TOO_LOW: a frozen one forbids it, and *limit is the last step above it, where the update may be anchored (G4).
 */
RM_INTERNAL enum rm_outcome rm_gaps_publish(struct rangemap *map, const struct rm_path *path,
                                            const struct rm_step *step, uint64_t word, unsigned *limit);

/*
 * Whether the slot above a step of the path suffices for `word` there: then nothing need be raised. A word read on the
 * way down will do (P8).
 */
static inline bool rm_gaps_suffice(const struct rm_path *path, const struct rm_step *step, uint64_t word)
{
    return step <= path->step + 1 || rm_slot_class(step[-1].word) >= rm_slot_class(word);
}

/* The word that a step's slot is to get for its leaf as edited, with its class; but the root has none. */
RM_INTERNAL uint64_t rm_gaps_leaf_word(const struct rm_path *path, const struct rm_step *step,
                                       const struct rm_edit *edit, const struct rm_leaf *made);

/*
 * Gives the inner node of `level` that covers `key` a copy whose slot has the class of what it holds, if its own
 * promises more (G6). Tried once; nothing is wrong if it fails. In a section of its own.
 */
RM_INTERNAL void rm_gaps_tighten(struct rangemap *map, struct rm_thread *thread, uint64_t key,
                                 unsigned level);

#endif
