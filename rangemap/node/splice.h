// SPDX-License-Identifier: BSD-2-Clause
/* Copying a leaf while some entries give way to others: what most of an update's stores are. */
#ifndef RANGEMAP_NODE_SPLICE_H
#define RANGEMAP_NODE_SPLICE_H

#include "rangemap/node/rank.h"

/*
 * Writes a leaf of which entries [from, to) are gone, with room at `from` for `puts` others that the caller fills in
 * afterwards, into one that is not published and has room; its meta is left alone.
 */
typedef void rm_splice_fn(struct rm_leaf *made, const struct rm_leaf *leaf, unsigned count, unsigned from,
                          unsigned to, unsigned puts);

/* That of the selected kernel; as rm_rank_selected. */
RM_INTERNAL extern rm_splice_fn *rm_splice_selected;
RM_INTERNAL rm_splice_fn rm_portable_splice;

static inline void rm_splice(struct rm_leaf *made, const struct rm_leaf *leaf, unsigned count, unsigned from,
                             unsigned to, unsigned puts)
{
    __atomic_load_n(&rm_splice_selected, __ATOMIC_RELAXED)(made, leaf, count, from, to, puts);
}

static inline unsigned rm_spliced_count(unsigned count, unsigned from, unsigned to, unsigned puts)
{
    return count - (to - from) + puts;
}

/* Four words, wherever they lie. */
typedef uint64_t rm_quad __attribute__((vector_size(32), aligned(8), may_alias));

RM_ALWAYS_INLINE void rm_copy_quad(uint64_t *to, const uint64_t *from)
{
    *(rm_quad *)to = *(const rm_quad *)from;
}

/*
 * `exactly`, a constant: keeps off the words behind, where another thread may settle the old leaf's `prev`. Else one
 * pair too many may be read and written: it lies in the leaf, as no leaf is full with an even number of ranges, and
 * means nothing there. What is read of `prev` is overwritten.
 */
RM_ALWAYS_INLINE void rm_copy_pairs(struct rm_pair *to, const struct rm_pair *from, size_t count,
                                    bool exactly)
{
    size_t whole = exactly ? count & ~(size_t)1 : count;

    for (size_t i = 0; i < whole; i += 2) {
        rm_copy_quad(&to[i].last, &from[i].last);
    }
    if (whole < count) {
        to[whole] = from[whole];
    }
}

/*
 * Keys first, by whole quads, so that no branch depends on where they lie: those that stay, then from `from` on those
 * that move. What is read and written too much are words of the same two leaves, 8 or 16 from the first key on: keys
 * beyond the last one, which mean nothing, and pairs, which are written afterwards.
 */
RM_ALWAYS_INLINE void rm_copy_keys(uint64_t *to, const uint64_t *from, bool is_small)
{
    rm_copy_quad(to, from);
    rm_copy_quad(to + 4, from + 4);
    if (!is_small) {
        rm_copy_quad(to + 8, from + 8);
        rm_copy_quad(to + 12, from + 12);
    }
}

RM_ALWAYS_INLINE void rm_splice_keys(uint64_t *made, const uint64_t *keys, unsigned at, unsigned to,
                                     bool is_small)
{
    rm_copy_keys(made, keys, is_small);
    rm_copy_keys(made + at, keys + to, is_small);
}

RM_ALWAYS_INLINE void rm_splice_quads(struct rm_leaf *made, const struct rm_leaf *leaf, unsigned count,
                                      unsigned from, unsigned to, unsigned puts, bool exactly)
{
    unsigned new_count = rm_spliced_count(count, from, to, puts), at = from + puts;
    const struct rm_pair *pair = rm_leaf_pairs(leaf, count);
    struct rm_pair *new_pair = rm_leaf_pairs(made, new_count);

    if (count <= RM_SMALL_LEAF_ROOM || new_count <= RM_SMALL_LEAF_ROOM) {
        rm_splice_keys(rm_node_keys(&made->node), rm_node_keys(&leaf->node), at, to, true);
    } else {
        rm_splice_keys(rm_node_keys(&made->node), rm_node_keys(&leaf->node), at, to, false);
    }
    rm_copy_pairs(new_pair, pair, from, exactly);
    rm_copy_pairs(new_pair + at, pair + to, count - to, exactly);
}

RM_ALWAYS_INLINE void rm_splice_exactly(struct rm_leaf *made, const struct rm_leaf *leaf, unsigned count,
                                        unsigned from, unsigned to, unsigned puts)
{
    rm_splice_quads(made, leaf, count, from, to, puts, true);
}

RM_ALWAYS_INLINE void rm_splice_roundly(struct rm_leaf *made, const struct rm_leaf *leaf, unsigned count,
                                        unsigned from, unsigned to, unsigned puts)
{
    rm_splice_quads(made, leaf, count, from, to, puts, false);
}

#endif
