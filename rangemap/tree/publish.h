// SPDX-License-Identifier: BSD-2-Clause
/* Where updates take effect. */
#ifndef RANGEMAP_TREE_PUBLISH_H
#define RANGEMAP_TREE_PUBLISH_H

#include "rangemap/base/probe.h"
#include "rangemap/tree/path.h"

/*
 * The linearization point: `made`, of `count` and `level`, with the class in `word`, takes the place of the step's node
 * if the slot still holds that, unfrozen; its class may have risen. The compare-and-swap orders the content of the new
 * node before its address. R7: stamped before we go on, hence before the old one can be reclaimed; and settled before
 * that, too.
 *
 * litmus: stamp_snapshot, stamp_snapshot_arm64, stamp_snapshot_casal_*
 */
RM_ALWAYS_INLINE bool rm_publish_node(struct rangemap *map, const struct rm_step *step, struct rm_node *made,
                                      uint64_t word, unsigned count, unsigned level)
{
    rm_word *slot = step->slot, *prev = rm_prev_of(made, count, level);
    uint64_t expected = step->word;
    uint64_t meta = rm_meta(count, level, RM_STAMP_NONE);

    rm_word_set_private(&made->meta, meta);
    rm_word_set_private(prev, rm_pointer_bits(rm_step_node(step)) | RM_UNSETTLED);
    while (rm_explorer_publish(slot, expected), !rm_cas_ordered(slot, expected, word)) {
        uint64_t now = rm_load_relaxed(slot); /* the compare-and-swap decides */

        if (!rm_slot_is_same(now, expected)) {
            rm_probe_cas_retry(map, slot);
            return false;
        }
        expected = now;
    }
    rm_explorer_published(made);
    rm_version_settle(prev, rm_version_stamp(map, made, meta), step->meta);
    return true;
}

static inline bool rm_publish(struct rangemap *map, const struct rm_step *step, uint64_t word)
{
    struct rm_node *made = rm_slot_node(word);
    uint64_t meta = rm_word_private(&made->meta);

    return rm_publish_node(map, step, made, word, rm_meta_count(meta), rm_meta_level(meta));
}

#endif
