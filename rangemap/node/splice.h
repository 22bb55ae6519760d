// SPDX-License-Identifier: BSD-2-Clause
/* Copying a leaf while some entries give way to others: what most of an update's stores are. */
#ifndef RANGEMAP_NODE_SPLICE_H
#define RANGEMAP_NODE_SPLICE_H

#include "rangemap/node/rank.h"

/* Of `count` entries [from, to) go, and room is left for `puts` others, which the caller fills in. */
struct rm_splice {
    unsigned count, from, to, puts;
};

/* Writes the entries that stay into a leaf that is not published and has room; its meta is left alone. */
typedef void rm_splice_fn(struct rm_leaf *made, const struct rm_leaf *leaf, const struct rm_splice *splice);

/* That of the selected kernel; see kernel/select.c. Relaxed: any of them is right. */
RM_INTERNAL extern rm_splice_fn *rm_splice_selected;

static inline void rm_splice(struct rm_leaf *made, const struct rm_leaf *leaf, const struct rm_splice *splice)
{
    __atomic_load_n(&rm_splice_selected, __ATOMIC_RELAXED)(made, leaf, splice);
}

static inline unsigned rm_splice_count(const struct rm_splice *splice)
{
    return splice->count - (splice->to - splice->from) + splice->puts;
}

/* Plain loops: the counts are small and vary, and calls of memcpy() cost more than they save. */
static inline void rm_splice_portable(struct rm_leaf *made, const struct rm_leaf *leaf,
                                      const struct rm_splice *splice)
{
    const uint64_t *restrict start = rm_node_keys(&leaf->node);
    const struct rm_pair *restrict pair = rm_leaf_pairs(leaf, splice->count);
    uint64_t *restrict new_start = rm_node_keys(&made->node);
    struct rm_pair *restrict new_pair = rm_leaf_pairs(made, rm_splice_count(splice));
    unsigned at = splice->from + splice->puts;

    for (unsigned i = 0; i < splice->from; i++) {
        new_start[i] = start[i];
        new_pair[i] = pair[i];
    }
    for (unsigned i = splice->to; i < splice->count; i++, at++) {
        new_start[at] = start[i];
        new_pair[at] = pair[i];
    }
}

#if defined(RM_RANK_AVX512)
/*
 * One line of the new leaf: words of `stay` come from the same place of the old one, words of `move` from
 * `shift` words further on, the others become zero. Words that no bit asks for are not read.
 */
RM_ALWAYS_INLINE RM_TARGET_AVX512 __m512i rm_splice_line(const uint64_t *from, ptrdiff_t shift, uint32_t stay,
                                                         uint32_t move)
{
    __m512i line = _mm512_maskz_loadu_epi64((__mmask8)stay, from);

    return _mm512_mask_loadu_epi64(line, (__mmask8)move, from + shift);
}

/* Of the first two lines: lane i + 1 is start i. */
RM_ALWAYS_INLINE uint32_t rm_start_lanes(unsigned count)
{
    return ((UINT32_C(1) << count) - 1) << 1;
}

/* Of the others: lanes 2i and 2i + 1 are pair i. */
RM_ALWAYS_INLINE uint32_t rm_pair_lanes(unsigned count)
{
    return (UINT32_C(1) << 2 * count) - 1;
}

/*
 * Without a branch that depends on where in the leaf the entries lie: to guess it wrong costs as much as the
 * whole copy.
 */
RM_ALWAYS_INLINE RM_TARGET_AVX512 void rm_splice_avx512(struct rm_leaf *made, const struct rm_leaf *leaf,
                                                        const struct rm_splice *splice)
{
    unsigned new_count = rm_splice_count(splice);
    unsigned behind = splice->from + splice->puts;
    ptrdiff_t shift = (ptrdiff_t)splice->to - (ptrdiff_t)behind;
    const uint64_t *start = (const uint64_t *)(const void *)leaf;
    const uint64_t *pair = (const uint64_t *)(const void *)rm_leaf_pairs(leaf, splice->count);
    uint64_t *new_start = (uint64_t *)(void *)made;
    uint64_t *new_pair = (uint64_t *)(void *)rm_leaf_pairs(made, new_count);
    uint32_t stay = rm_start_lanes(splice->from);
    uint32_t move = rm_start_lanes(new_count) & ~rm_start_lanes(behind);

    _mm512_mask_store_epi64(new_start, 0xfe, rm_splice_line(start, shift, stay, move));
    if (new_count > RM_SMALL_LEAF_ROOM) {
        _mm512_store_si512(new_start + 8, rm_splice_line(start + 8, shift, stay >> 8, move >> 8));
    }
    stay = rm_pair_lanes(splice->from);
    move = rm_pair_lanes(new_count) & ~rm_pair_lanes(behind);
    for (unsigned i = 0; i < 2 * new_count; i += 8) {
        _mm512_store_si512(new_pair + i, rm_splice_line(pair + i, 2 * shift, stay >> i, move >> i));
    }
}
#endif

#endif
