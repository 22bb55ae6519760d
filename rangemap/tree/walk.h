// SPDX-License-Identifier: BSD-2-Clause
/* Visits the leaves of a range in order, in the tree as it is or as of a version. Inside a section. */
#ifndef RANGEMAP_TREE_WALK_H
#define RANGEMAP_TREE_WALK_H

#include "rangemap/tree/version.h"

enum rm_direction { RM_UPWARD, RM_DOWNWARD };

/*
 * Entries [from, to) of a leaf of `count` share a key with the range that is walked; from == to if none do.
 * False stops the walk.
 */
typedef bool rm_walk_fn(void *state, const struct rm_leaf *leaf, unsigned count, unsigned from, unsigned to);

struct rm_walk {
    const struct rangemap *map;
    uint64_t version; /* RM_VERSION_CURRENT: no common instant */
    uint64_t start, last;
    enum rm_direction direction;
    rm_walk_fn *visit;
    void *state;
};

/* A walk in the order of keys. */
static inline struct rm_walk rm_walk_up(const struct rangemap *map, uint64_t version, uint64_t start,
                                        uint64_t last, rm_walk_fn *visit, void *state)
{
    return (struct rm_walk){map, version, start, last, RM_UPWARD, visit, state};
}

/* Walks below `node`, which must cover the range. False: `visit` stopped it. */
RM_INTERNAL bool rm_walk_node(const struct rm_walk *walk, const struct rm_node *node, uint64_t meta);

/* Walks the whole map. */
RM_INTERNAL bool rm_walk_map(const struct rm_walk *walk);

/* The leaf that covers `key` as of walk->version, and its span. */
RM_INTERNAL const struct rm_leaf *rm_walk_leaf(const struct rangemap *map, uint64_t version, uint64_t key,
                                               unsigned *count, struct rm_span *span);

/* Where a leaf was found in the tree as it is: the slot, and what it held. */
struct rm_walk_place {
    const rm_word *slot;
    uint64_t word;
};

/* rm_walk_leaf() in the tree as it is; notes the leaf's place. */
RM_INTERNAL const struct rm_leaf *rm_walk_current(const struct rangemap *map, uint64_t key, unsigned *count,
                                                  struct rm_span *span, struct rm_walk_place *place);

/*
 * Whether the leaf is in the tree still: its slot holds it, unfrozen (P1). It has been there ever since it was found,
 * as no node is published twice (R4). In the same section. Stays behind all that rm_walk_current() loaded since, whose
 * last load is an acquire.
 */
static inline bool rm_walk_is_in_place(const struct rm_walk_place *place)
{
    uint64_t now = rm_load_relaxed(place->slot);

    return rm_slot_node(now) == rm_slot_node(place->word) && !rm_slot_is_frozen(now);
}

/*
 * Whether nothing is there, at one instant. One range that is met in the tree as it is says that there is something;
 * that there is nothing must be read from a snapshot. walk->visit is rm_walk_first() or stops as soon.
 */
RM_INTERNAL bool rm_walk_finds_nothing(struct rm_walk *walk);

/* A walk's `visit` that takes the first entry into *(struct rangemap_entry *)state and stops. */
RM_INTERNAL bool rm_walk_first(void *state, const struct rm_leaf *leaf, unsigned count, unsigned from,
                               unsigned to);

#endif
