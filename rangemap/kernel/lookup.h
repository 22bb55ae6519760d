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

/* The child of an inner node that covers `key`. */
RM_ALWAYS_INLINE struct rm_node *rm_child(rm_rank_fn *rank, const struct rm_node *node, uint64_t meta,
                                          uint64_t key)
{
    unsigned index = rank(node, rm_meta_count(meta) - 1, key);

    return rm_slot_node(rm_load_dependent(&rm_inner(node)->slot[index]));
}

/* The leaf that covers `key`, and its meta. */
RM_ALWAYS_INLINE const struct rm_leaf *rm_descend(rm_rank_fn *rank, const struct rangemap *map, uint64_t key,
                                                  uint64_t *meta)
{
    struct rm_node *node = rm_root_node(map);
    unsigned level;

    *meta = rm_version_meta(map, node);
    level = rm_meta_level(*meta);
    if (level == 0) {
        return rm_leaf(node);
    }
    for (; level > 1; level--) {
        node = rm_child(rank, node, *meta, key);
        rm_prefetch_node(node);
        *meta = rm_version_meta(map, node);
    }
    node = rm_child(rank, node, *meta, key);
    rm_prefetch_leaf(node);
    *meta = rm_version_meta(map, node);
    return rm_leaf(node);
}

/* The position of the entry that holds `key`, plus one; 0 if none does. */
RM_ALWAYS_INLINE unsigned rm_hit(const struct rm_leaf *leaf, unsigned count, unsigned rank, uint64_t key)
{
    bool reaches = rank > 0 && rm_leaf_pairs(leaf, count)[rank - 1].last >= key;

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

/* What is to be filled in for each key; NULL, and a constant where this is inlined, what is not. */
struct rm_batch_answers {
    void **values;
    struct rangemap_entry *entries;
    bool *hit;
};

/* The answer for key `i`, of `rank` in the leaf that covers it. Whether it is a hit. */
RM_ALWAYS_INLINE bool rm_batch_answer(const struct rm_batch_answers *answers, unsigned i,
                                      const struct rm_leaf *leaf, unsigned count, unsigned rank, uint64_t key)
{
    unsigned at = rm_hit(leaf, count, rank, key);

    if (answers->values != NULL) {
        answers->values[i] = at > 0 ? rm_leaf_pairs(leaf, count)[at - 1].value : NULL;
    }
    if (answers->entries != NULL) {
        answers->entries[i] =
            at > 0 ? rm_leaf_entry(leaf, count, at - 1) : (struct rangemap_entry){0, 0, NULL};
    }
    if (answers->hit != NULL) {
        answers->hit[i] = at > 0;
    }
    return at > 0;
}

/*
 * One key after the other, in a map of one or two levels: it lies in the first cache, and there are no misses to
 * overlap.
 */
RM_ALWAYS_INLINE unsigned rm_batch_one_by_one(rm_rank_fn *rank, const struct rangemap *map,
                                              struct rm_node *root, uint64_t root_meta, const uint64_t *keys,
                                              unsigned count, const struct rm_batch_answers *answers)
{
    unsigned hits = 0;

    for (unsigned i = 0; i < count; i++) {
        struct rm_node *leaf = root;
        uint64_t meta = root_meta;
        unsigned entries;

        if (rm_meta_level(meta) > 0) {
            leaf = rm_child(rank, root, root_meta, keys[i]);
            meta = rm_version_meta(map, leaf);
        }
        entries = rm_meta_count(meta);
        hits += rm_batch_answer(answers, i, rm_leaf(leaf), entries, rank(leaf, entries, keys[i]), keys[i]);
    }
    return hits;
}

/*
 * All keys go down one level before any goes down the next, so that their cache misses overlap. All leaves are on one
 * level.
 */
RM_ALWAYS_INLINE void rm_descend_batch(rm_rank_fn *rank, const struct rangemap *map, struct rm_node *root,
                                       unsigned level, const uint64_t *keys, unsigned count,
                                       struct rm_batch *batch)
{
    for (unsigned i = 0; i < count; i++) {
        batch->node[i] = root;
    }
    while (level-- > 0) {
        for (unsigned i = 0; i < count; i++) {
            struct rm_node *node = batch->node[i];
            uint64_t meta = rm_version_meta(map, node);
            unsigned index = rank(node, rm_meta_count(meta) - 1, keys[i]);

            node = rm_slot_node(rm_load_dependent(&rm_inner(node)->slot[index]));
            rm_prefetch_for_batch(node, level);
            batch->node[i] = node;
        }
    }
    for (unsigned i = 0; i < count; i++) {
        struct rm_node *leaf = batch->node[i];
        unsigned entries = rm_meta_count(rm_version_meta(map, leaf));
        unsigned at = rank(leaf, entries, keys[i]);

        batch->rank[i] = at;
        batch->count[i] = entries;
        rm_prefetch(rm_leaf_pairs(rm_leaf(leaf), entries) + at - (at > 0));
    }
}

RM_ALWAYS_INLINE unsigned rm_batch_level_by_level(rm_rank_fn *rank, const struct rangemap *map,
                                                  struct rm_node *root, unsigned level, const uint64_t *keys,
                                                  unsigned count, const struct rm_batch_answers *answers)
{
    struct rm_batch batch;
    unsigned hits = 0;

    rm_descend_batch(rank, map, root, level, keys, count, &batch);
    for (unsigned i = 0; i < count; i++) {
        hits += rm_batch_answer(answers, i, rm_leaf(batch.node[i]), batch.count[i], batch.rank[i], keys[i]);
    }
    return hits;
}

/* All keys start from one load of the root. */
RM_ALWAYS_INLINE unsigned rm_batch_with(rm_rank_fn *rank, const struct rangemap *map, const uint64_t *keys,
                                        unsigned count, void **values, struct rangemap_entry *entries,
                                        bool *hit)
{
    const struct rm_batch_answers answers = {values, entries, hit};
    struct rm_node *root = rm_root_node(map);
    uint64_t meta = rm_version_meta(map, root);
    unsigned hits =
        rm_meta_level(meta) <= 1
            ? rm_batch_one_by_one(rank, map, root, meta, keys, count, &answers)
            : rm_batch_level_by_level(rank, map, root, rm_meta_level(meta), keys, count, &answers);

    rm_probe_batch(map, count, hits);
    return hits;
}

#endif
