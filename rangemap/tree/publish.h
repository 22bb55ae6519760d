// SPDX-License-Identifier: BSD-2-Clause
/* Where updates take effect. */
#ifndef RANGEMAP_TREE_PUBLISH_H
#define RANGEMAP_TREE_PUBLISH_H

#include "rangemap/base/probe.h"
#include "rangemap/tree/version.h"

/*
 * The linearization point: `made` takes the place of `old` if the slot still holds it, unfrozen. The fence in
 * the compare-and-swap orders the content of `made` before its address. R7: stamped before we go on, hence
 * before `old` can be reclaimed.
 */
static inline bool rm_publish(struct rangemap *map, rm_word *slot, struct rm_node *old, struct rm_node *made)
{
    uint64_t stamp = rm_broken(RM_R7_STAMP_LATE) ? rm_load_acquire(&map->clock) : RM_STAMP_NONE;
    uint64_t meta = rm_meta_with_stamp(rm_word_private(&made->meta), stamp);
    uint64_t expected = rm_pointer_bits(old);

    rm_word_set_private(&made->meta, meta);
    *rm_node_prev(made, meta) = old;
    if (rm_broken(RM_R2_FROZEN_SLOT)) {
        expected |= rm_load_relaxed(slot) & RM_FROZEN;
    }
    rm_explorer_publish(slot, expected);
    if (!rm_cas_full(slot, expected, rm_pointer_bits(made))) {
        RM_PROBE2(cas__retry, map, slot);
        return false;
    }
    rm_explorer_published(made);
    if (!rm_broken(RM_R7_WRITER_STAMPS) && !rm_broken(RM_R7_STAMP_THEN_RETIRE)) {
        (void)rm_version_meta(map, made);
    }
    return true;
}

#endif
