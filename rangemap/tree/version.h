// SPDX-License-Identifier: BSD-2-Clause
/*
 * Versions: how several leaves are read as of one instant without waiting.
 *
 * Every node that a compare-and-swap put into a slot carries the version (stamp) in which it got there and a
 * link to the node it replaced. A snapshot reads the map's clock, T, and moves it on; in every slot it then
 * takes the newest node with a stamp <= T. The stamp is written after the compare-and-swap, by the writer or
 * by whoever meets the node first:
 *
 *   rule R7   no pointer read from a slot is used - followed, reused, reported - before its node is stamped.
 *
 * So an operation that has seen a node returns only after its stamp is fixed, and the order of stamps agrees
 * with the order of operations. Nodes that were built inside a larger new region are never in doubt: they
 * have stamp 0 and are reached only through the region's top.
 *
 * Following Wei et al., Constant-Time Snapshots with Applications to Concurrent Data Structures, PPoPP 2021;
 * here the version lists hang off tree slots and end where epochs reclaim them: a snapshot is held inside a
 * section, which keeps every node that was in the tree when it was taken.
 */
#ifndef RANGEMAP_TREE_VERSION_H
#define RANGEMAP_TREE_VERSION_H

#include "rangemap/tree/tree.h"

/* Greater than every stamp: the tree as it is. */
#define RM_VERSION_CURRENT UINT64_MAX

/*
 * Fixes the stamp of a node that has none; returns its meta.
 *
 * The compare-and-swap that published the node must come before our load of the clock, for whoever moves the
 * clock in rm_version_take() and then loads the slot: either we see the clock moved, or he sees the node. If
 * the compare-and-swap was ours, it is a full fence. If we only saw its outcome, x86 orders our two loads and
 * shows a store to all at once; elsewhere it takes the fence.
 */
static RM_NOINLINE __attribute__((unused)) uint64_t rm_version_stamp(const struct rangemap *map,
                                                                     struct rm_node *node, uint64_t meta)
{
    uint64_t now;

    rm_fence_rmw();
    now = rm_load_acquire(&map->clock);
    (void)rm_cas_full(&node->meta, meta, rm_meta_with_stamp(meta, now));
    return rm_load_acquire(&node->meta);
}

/* The meta of a node that was read from a slot, stamped. */
RM_ALWAYS_INLINE uint64_t rm_version_meta(const struct rangemap *map, struct rm_node *node)
{
    uint64_t meta = rm_load_acquire(&node->meta);

    if (RM_UNLIKELY(!rm_meta_is_stamped(meta))) {
        meta = rm_version_stamp(map, node, meta);
    }
    return meta;
}

/* The node in a slot as of `version`, and its meta. */
RM_ALWAYS_INLINE struct rm_node *rm_version_follow(const struct rangemap *map, const rm_word *slot,
                                                   uint64_t version, uint64_t *meta)
{
    struct rm_node *node = rm_slot_node(rm_load_dependent(slot));

    *meta = rm_broken(RM_R7_WALK_STAMPS) ? rm_load_acquire(&node->meta) : rm_version_meta(map, node);
    while (RM_UNLIKELY(rm_meta_stamp(*meta) > version) && !rm_broken(RM_VERSION_CHECKED)) {
        node = *rm_node_prev(node, *meta);
        *meta = rm_load_acquire(&node->meta);
    }
    return node;
}

/*
 * The version of a new snapshot: wait-free. It contains what was stamped <= T, so the clock must have left T
 * before the first slot is read; if the compare-and-swap fails, somebody else moved it.
 */
static inline uint64_t rm_version_take(const struct rangemap *map)
{
    rm_word *clock = (rm_word *)(uintptr_t)&map->clock;
    uint64_t version = rm_load_acquire(clock);

    if (!rm_broken(RM_R7_CLOCK_MOVES)) {
        (void)rm_cas_full(clock, version, version + 1);
    }
    return version;
}

#endif
