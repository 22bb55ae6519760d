// SPDX-License-Identifier: BSD-2-Clause
/*
 * The lookups, for any search kernel: `rank` is a constant at every call, and all of this is inlined into
 * one function per kernel and lookup.
 *
 * A lookup reads one slot and searches one node per level. It linearizes at its last load of a slot, or just
 * before the compare-and-swap that took that slot's node out of the tree. Levels go down by one: wait-free.
 */
#ifndef RANGEMAP_KERNEL_LOOKUP_H
#define RANGEMAP_KERNEL_LOOKUP_H

#include "rangemap/base/probe.h"
#include "rangemap/kernel/kernel.h"
#include "rangemap/node/entry.h"
#include "rangemap/node/prefetch.h"
#include "rangemap/tree/version.h"

RM_ALWAYS_INLINE uint64_t rm_followed_meta(const struct rangemap *map, struct rm_node *node,
                                           enum rm_rule rule)
{
    return rm_broken(rule) ? rm_load_acquire(&node->meta) : rm_version_meta(map, node);
}

/* The leaf that covers `key`, and its meta. */
RM_ALWAYS_INLINE const struct rm_leaf *rm_descend(rm_rank_fn *rank, const struct rangemap *map, uint64_t key,
                                                  uint64_t *meta)
{
    struct rm_node *node = rm_slot_node(rm_load_dependent(&map->root));

    *meta = rm_followed_meta(map, node, RM_R7_LOOKUP_STAMPS);
    for (unsigned level = rm_meta_level(*meta); level > 0; level--) {
        unsigned index = rank(node, rm_meta_count(*meta) - 1, key);

        node = rm_slot_node(rm_load_dependent(&rm_inner(node)->slot[index]));
        if (level > 1) {
            rm_prefetch_node(node);
        } else {
            rm_prefetch_leaf(node);
        }
        *meta = rm_followed_meta(map, node, RM_R7_LOOKUP_STAMPS);
    }
    return rm_leaf(node);
}

/* The position of the entry that holds `key`, plus one; 0 if none does. */
RM_ALWAYS_INLINE unsigned rm_hit(const struct rm_leaf *leaf, unsigned count, unsigned rank, uint64_t key)
{
    bool reaches =
        rank > 0 && (rm_leaf_pairs(leaf, count)[rank - 1].last >= key || rm_broken(RM_HIT_CHECKED));

    return reaches ? rank : 0;
}

RM_ALWAYS_INLINE bool rm_lookup_with(rm_rank_fn *rank, const struct rangemap *map, uint64_t key, void **value)
{
    uint64_t meta;
    const struct rm_leaf *leaf = rm_descend(rank, map, key, &meta);
    unsigned count = rm_meta_count(meta);
    unsigned hit = rm_hit(leaf, count, rank(&leaf->node, count, key), key);

    if (hit == 0) {
        rm_probe_lookup_miss(map, key);
        return false;
    }
    if (value != NULL) {
        *value = rm_leaf_pairs(leaf, count)[hit - 1].value;
    }
    return true;
}

RM_ALWAYS_INLINE bool rm_find_with(rm_rank_fn *rank, const struct rangemap *map, uint64_t key,
                                   struct rangemap_entry *entry)
{
    uint64_t meta;
    const struct rm_leaf *leaf = rm_descend(rank, map, key, &meta);
    unsigned count = rm_meta_count(meta);
    unsigned hit = rm_hit(leaf, count, rank(&leaf->node, count, key), key);
    const struct rm_pair *pair = rm_leaf_pairs(leaf, count) + hit - 1;

    if (hit == 0) {
        rm_probe_lookup_miss(map, key);
        return false;
    }
    *entry = (struct rangemap_entry){rm_node_keys(&leaf->node)[hit - 1], pair->last, pair->value};
    return true;
}

/* Where the keys of a batch have got to. */
struct rm_batch {
    struct rm_node *node[RM_BATCH_KEYS];
    unsigned rank[RM_BATCH_KEYS], count[RM_BATCH_KEYS]; /* in that node, once it is the leaf */
};

/* In a batch much else is done before a node's keys are read; slots behind the eighth are rarer. */
RM_ALWAYS_INLINE void rm_prefetch_for_batch(const struct rm_node *node, unsigned level)
{
    rm_prefetch_line(node, 0);
    rm_prefetch_line(node, 1);
    if (level > 0) {
        rm_prefetch_line(node, 2);
    }
}

/*
 * All keys go down one level before any goes down the next, so that their cache misses overlap. All leaves
 * are on one level, and all keys start from one load of the root.
 */
RM_ALWAYS_INLINE void rm_descend_batch(rm_rank_fn *rank, const struct rangemap *map, const uint64_t *keys,
                                       unsigned count, struct rm_batch *batch)
{
    struct rm_node *root = rm_slot_node(rm_load_dependent(&map->root));
    unsigned level = rm_meta_level(rm_followed_meta(map, root, RM_R7_BATCH_STAMPS));

    for (unsigned i = 0; i < count; i++) {
        batch->node[i] = root;
    }
    while (level-- > 0) {
        for (unsigned i = 0; i < count; i++) {
            struct rm_node *node = batch->node[i];
            uint64_t meta = rm_followed_meta(map, node, RM_R7_BATCH_STAMPS);
            unsigned index = rank(node, rm_meta_count(meta) - 1, keys[i]);

            node = rm_slot_node(rm_load_dependent(&rm_inner(node)->slot[index]));
            rm_prefetch_for_batch(node, level);
            batch->node[i] = node;
        }
    }
    for (unsigned i = 0; i < count; i++) {
        struct rm_node *leaf = batch->node[i];
        unsigned entries = rm_meta_count(rm_followed_meta(map, leaf, RM_R7_BATCH_STAMPS));
        unsigned at = rank(leaf, entries, keys[i]);

        batch->rank[i] = at;
        batch->count[i] = entries;
        rm_prefetch(rm_leaf_pairs(rm_leaf(leaf), entries) + at - (at > 0));
    }
}

/* What is to be filled in for each key; NULL, and a constant where this is inlined, what is not. */
RM_ALWAYS_INLINE unsigned rm_batch_with(rm_rank_fn *rank, const struct rangemap *map, const uint64_t *keys,
                                        unsigned count, void **values, struct rangemap_entry *entries,
                                        bool *hit)
{
    struct rm_batch batch;
    unsigned hits = 0;

    rm_descend_batch(rank, map, keys, count, &batch);
    for (unsigned i = 0; i < count; i++) {
        const struct rm_leaf *leaf = rm_leaf(batch.node[i]);
        unsigned at = rm_hit(leaf, batch.count[i], batch.rank[i], keys[i]);

        if (values != NULL) {
            values[i] = at > 0 ? rm_leaf_pairs(leaf, batch.count[i])[at - 1].value : NULL;
        }
        if (entries != NULL) {
            entries[i] =
                at > 0 ? rm_leaf_entry(leaf, batch.count[i], at - 1) : (struct rangemap_entry){0, 0, NULL};
        }
        if (hit != NULL) {
            hit[i] = at > 0;
        }
        hits += at > 0;
    }
    rm_probe_batch(map, count, hits);
    return hits;
}

#endif
