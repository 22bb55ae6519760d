// SPDX-License-Identifier: BSD-2-Clause
/* The ranges in a leaf, one by one and by overlap. */
#ifndef RANGEMAP_NODE_ENTRY_H
#define RANGEMAP_NODE_ENTRY_H

#include "rangemap/node/rank.h"
#include "rangemap/rangemap.h"

/* The entry at `index` of a leaf of `count`. */
static inline struct rangemap_entry rm_leaf_entry(const struct rm_leaf *leaf, unsigned count, unsigned index)
{
    const struct rm_pair *pair = rm_leaf_pairs(leaf, count) + index;

    return (struct rangemap_entry){rm_node_keys(&leaf->node)[index], pair->last, pair->value};
}

/* The first entry that reaches to or above a key of rank `rank`: the one before it, if it holds the key. */
static inline unsigned rm_leaf_from(const struct rm_leaf *leaf, unsigned count, unsigned rank, uint64_t key)
{
    return rank - (rank > 0 && rm_leaf_pairs(leaf, count)[rank - 1].last >= key);
}

/* The first entry at or behind `rank` that begins above `last`. Few overlap, mostly: stepping beats a search. */
static inline unsigned rm_leaf_to(const struct rm_leaf *leaf, unsigned count, unsigned rank, uint64_t last)
{
    const uint64_t *starts = rm_node_keys(&leaf->node);

    while (rank < count && starts[rank] <= last) {
        rank++;
    }
    return rank;
}

/* The entries of a leaf that share a key with [start, last] are [*from, *to). */
static inline void rm_leaf_overlap(const struct rm_leaf *leaf, unsigned count, uint64_t start, uint64_t last,
                                   unsigned *from, unsigned *to)
{
    unsigned rank = rm_rank(&leaf->node, count, start);

    *from = rm_leaf_from(leaf, count, rank, start);
    *to = rm_leaf_to(leaf, count, rank, last);
}

#endif
