// SPDX-License-Identifier: BSD-2-Clause
/*
 * Versions: how several leaves are read as of one instant without waiting.
 *
 * Every node that a compare-and-swap put into a slot carries the version (stamp) in which it got there and a
 * link to the node it replaced. A snapshot reads the map's clock, T, and moves it on; in every slot it then
 * takes the newest node with a stamp <= T. The stamp is written after the compare-and-swap, by the writer or
 * by the first thread that meets the node:
 *
 *   rule R7   no pointer read from a slot is used - followed, reused, reported - before its node is stamped.
 *
 * So an operation that has seen a node returns only after its stamp is fixed, and the order of stamps agrees
 * with the order of operations. Nodes that were built inside a larger new region are never in doubt: they
 * have stamp 0 and are reached only through the region's top.
 *
 * Versions of one stamp are one version to every snapshot: once its node is stamped, the writer makes it point past
 * them. So what a snapshot passes on its way is counted in movements of the clock, not in updates.
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
 * The compare-and-swap that published the node must come before our load of the clock, for a snapshot that moves the
 * clock in rm_version_take() and then loads the slot: either we see the clock moved, or it sees the node. If the
 * compare-and-swap was ours, both are `ordered`. If we only saw its outcome in the slot, we have loaded `meta`
 * through the address since, with acquire: slot, meta and clock are loaded in this order, and no store is seen by
 * some before others. No fence either way. Where the compare-and-swap fails, another thread was faster; its stamp,
 * which the compare-and-swap has seen, is read relaxed, since nothing else depends on it.
 *
 * litmus: stamp_snapshot, helper_stamp
 */
RM_ALWAYS_INLINE uint64_t rm_version_stamp(const struct rangemap *map, struct rm_node *node, uint64_t meta)
{
    uint64_t stamped = rm_meta_with_stamp(meta, rm_load_ordered(&map->clock));

    return RM_LIKELY(rm_cas_ordered(&node->meta, meta, stamped)) ? stamped : rm_load_relaxed(&node->meta);
}

/* The same, out of the way of callers that mostly find a stamp. */
static RM_NOINLINE __attribute__((unused)) uint64_t rm_version_help(const struct rangemap *map,
                                                                    struct rm_node *node, uint64_t meta)
{
    return rm_version_stamp(map, node, meta);
}

/* The meta of a node that was read from a slot, stamped. litmus: helper_stamp_arm64, helper_stamp_nofence */
RM_ALWAYS_INLINE uint64_t rm_version_meta(const struct rangemap *map, struct rm_node *node)
{
    uint64_t meta = rm_load_acquire(&node->meta);

    if (RM_UNLIKELY(!rm_meta_is_stamped(meta))) {
        meta = rm_version_help(map, node, meta);
    }
    return meta;
}

/*
 * The node in a slot as of `version`, and its meta; the slot was read, and held `word`.
 *
 * Older nodes' metas are loaded relaxed: a replacer saw the node's stamp before its compare-and-swap (R7), which
 * the load of the slot has read from, so that it is seen here, too; and the content is read through the address.
 */
RM_ALWAYS_INLINE struct rm_node *rm_version_of(const struct rangemap *map, uint64_t word, uint64_t version,
                                               uint64_t *meta)
{
    struct rm_node *node = rm_slot_node(word);

    *meta = rm_version_meta(map, node);
    while (RM_UNLIKELY(rm_meta_stamp(*meta) > version)) {
        node = rm_prev_node(rm_load_relaxed(rm_node_prev(node, *meta)));
        *meta = rm_load_relaxed(&node->meta);
    }
    return node;
}

/* The same; the slot is read here. */
RM_ALWAYS_INLINE struct rm_node *rm_version_follow(const struct rangemap *map, const rm_word *slot,
                                                   uint64_t version, uint64_t *meta)
{
    return rm_version_of(map, rm_load_dependent(slot), version, meta);
}

/*
 * Makes a node that we published, and that has its stamp - `prev` and `meta` are its, `older` is the meta of what it
 * replaced - point past all versions of the same stamp: no snapshot tells these from it. Before our section ends, and
 * before what it replaced is retired.
 *
 * A settled node points to one of another stamp, which may have been reclaimed since and is not looked into; what an
 * unsettled node replaced has not been retired yet, and our section keeps it. So the loop passes one node of each
 * thread that is between its compare-and-swap and here, and none finds more than those in its way.
 *
 * Relaxed: a thread that has the address of the node from its slot sees what was published in that slot before, by
 * the same dependency or acquire, and may take either value. What comes after retirement is ordered by the inbox.
 */
RM_ALWAYS_INLINE void rm_version_settle(rm_word *prev, uint64_t meta, uint64_t older)
{
    const struct rm_node *node = rm_prev_node(rm_word_private(prev));

    while (rm_meta_stamp(older) == rm_meta_stamp(meta)) {
        uint64_t word = rm_load_relaxed(rm_node_prev(node, older));

        node = rm_prev_node(word);
        if (RM_LIKELY((word & RM_UNSETTLED) == 0)) {
            break;
        }
        older = rm_load_immutable(&node->meta);
    }
    rm_store_relaxed(prev, rm_pointer_bits(node));
}

/*
 * The version of a new snapshot: wait-free. It contains what was stamped <= T, so the clock must have left T
 * before the first slot is read, which takes the full fence: slots are read by plain loads. If the
 * compare-and-swap fails, another thread moved it.
 *
 * litmus: stamp_snapshot, stamp_snapshot_nofence, failed_take
 */
static inline uint64_t rm_version_take(const struct rangemap *map)
{
    rm_word *clock = (rm_word *)(uintptr_t)&map->clock;
    uint64_t version =
        rm_load_relaxed(clock); /* the compare-and-swap, which failed or not, comes before the slots */

    (void)rm_cas_full(clock, version, version + 1);
    return version;
}

#endif
