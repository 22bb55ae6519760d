// SPDX-License-Identifier: BSD-2-Clause
/*
 * Gap classes: lengths of free stretches, rounded down to six bits behind the first, so that twelve bits hold any.
 * They ascend with length: a gap of `length` keys or more is of class rm_gap_class(length) or above.
 */
#ifndef RANGEMAP_NODE_GAP_CLASS_H
#define RANGEMAP_NODE_GAP_CLASS_H

#include "rangemap/node/layout.h"

enum { RM_CLASS_EXACT = 128 }; /* lengths below are classes of their own */

static inline unsigned rm_gap_class(uint64_t length)
{
    unsigned shift = length < RM_CLASS_EXACT ? 0 : 57 - (unsigned)__builtin_clzll(length);

    return shift * (RM_CLASS_EXACT / 2) + (unsigned)(length >> shift);
}

/* The longest free stretch of a leaf that covers [low, high]; all 2^64 keys count as one less. */
static inline uint64_t rm_leaf_longest_gap(const struct rm_leaf *leaf, unsigned count, uint64_t low,
                                           uint64_t high)
{
    const uint64_t *start = rm_node_keys(&leaf->node);
    const struct rm_pair *pair = rm_leaf_pairs(leaf, count);
    uint64_t longest, step = 1; /* the longest step from a range's last key to the next one's first */

    if (count == 0) {
        return high - low + (high - low < UINT64_MAX);
    }
    for (unsigned i = 1; i < count; i++) {
        uint64_t next = start[i] - pair[i - 1].last;

        step = next > step ? next : step;
    }
    longest = high - pair[count - 1].last;
    longest = step - 1 > longest ? step - 1 : longest;
    return start[0] - low > longest ? start[0] - low : longest;
}

/* The class of such a leaf: exact, since a leaf never changes. */
static inline unsigned rm_leaf_class(const struct rm_leaf *leaf, unsigned count, uint64_t low, uint64_t high)
{
    return rm_gap_class(rm_leaf_longest_gap(leaf, count, low, high));
}

/* The class of an inner node that no other thread changes: the greatest of its slots. */
static inline unsigned rm_inner_class(const struct rm_inner *inner, unsigned count)
{
    unsigned greatest = 0;

    for (unsigned i = 0; i < count; i++) {
        unsigned gap_class = rm_slot_class(rm_load_relaxed(&inner->slot[i]));

        greatest = gap_class > greatest ? gap_class : greatest;
    }
    return greatest;
}

#endif
