// SPDX-License-Identifier: BSD-2-Clause
/*
 * Searching and copying by vector instructions, for the kernels that have them. Apart from what they stand in for,
 * since the compiler's headers of intrinsics are most of what it reads for a source file.
 *
 * A search compares the whole first two lines of the node, meta and what lies behind the keys included (every node has
 * at least two lines), and masks the lanes that are keys. It counts in 64 bits: in 32, compilers add the offset of a
 * child's slot before they widen the sum, on the way that every lookup waits for.
 */
#ifndef RANGEMAP_NODE_VECTOR_H
#define RANGEMAP_NODE_VECTOR_H

#include "rangemap/node/splice.h"

#if defined(RM_RANK_AVX2)
#define RM_TARGET_AVX2 __attribute__((target("avx2,bmi2,popcnt")))
#include <immintrin.h>

/* AVX2 compares signed: both sides are moved by 2^63. All ones where a key is above. */
RM_ALWAYS_INLINE RM_TARGET_AVX2 __m256i rm_rank_avx2_quad(const uint64_t *keys, __m256i bias, __m256i wanted)
{
    __m256i lanes = _mm256_xor_si256(_mm256_load_si256((const __m256i *)(const void *)keys), bias);

    return _mm256_cmpgt_epi64(lanes, wanted);
}

/*
 * The four quads are packed into one register, two bytes for a word. Packing goes by halves of registers, so bits 0
 * to 31 are words 0, 1, 4, 5, 8, 9, 12, 13, then 2, 3, 6, 7, 10, 11, 14, 15: which of them are the first keys is
 * looked up.
 */
RM_ALWAYS_INLINE RM_TARGET_AVX2 unsigned rm_rank_avx2(const struct rm_node *node, unsigned count,
                                                      uint64_t key)
{
    static const uint32_t keys_of[16] = {
        0x00000000, 0x0000000c, 0x0003000c, 0x000f000c, 0x000f003c, 0x000f00fc, 0x003f00fc, 0x00ff00fc,
        0x00ff03fc, 0x00ff0ffc, 0x03ff0ffc, 0x0fff0ffc, 0x0fff3ffc, 0x0ffffffc, 0x3ffffffc, 0xfffffffc};
    const uint64_t *line = (const uint64_t *)(const void *)node;
    __m256i bias = _mm256_set1_epi64x(INT64_MIN);
    __m256i wanted = _mm256_xor_si256(_mm256_set1_epi64x((long long)key), bias);
    __m256i low =
        _mm256_packs_epi32(rm_rank_avx2_quad(line, bias, wanted), rm_rank_avx2_quad(line + 4, bias, wanted));
    __m256i high = _mm256_packs_epi32(rm_rank_avx2_quad(line + 8, bias, wanted),
                                      rm_rank_avx2_quad(line + 12, bias, wanted));
    uint64_t above = (uint32_t)_mm256_movemask_epi8(_mm256_packs_epi16(low, high));

    return (unsigned)_mm_popcnt_u64(~above & keys_of[count]) / 2;
}

#if defined(RM_RANK_AVX512)
#define RM_TARGET_AVX512 __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,bmi2,popcnt")))

RM_ALWAYS_INLINE RM_TARGET_AVX512 unsigned rm_rank_avx512(const struct rm_node *node, unsigned count,
                                                          uint64_t key)
{
    __m512i wanted = _mm512_set1_epi64((long long)key);
    const __m512i *line = (const __m512i *)(const void *)node;
    __mmask8 low = _mm512_mask_cmple_epu64_mask(0xfe, _mm512_load_si512(line), wanted); /* not meta */
    __mmask8 high = _mm512_cmple_epu64_mask(_mm512_load_si512(line + 1), wanted);

    return (unsigned)_mm_popcnt_u64(_bzhi_u64(_mm512_kunpackb(high, low), count + 1));
}

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
                                                        unsigned count, unsigned from, unsigned to,
                                                        unsigned puts)
{
    unsigned new_count = rm_spliced_count(count, from, to, puts), behind = from + puts;
    ptrdiff_t shift = (ptrdiff_t)to - (ptrdiff_t)behind;
    const uint64_t *start = (const uint64_t *)(const void *)leaf;
    const uint64_t *pair = (const uint64_t *)(const void *)rm_leaf_pairs(leaf, count);
    uint64_t *new_start = (uint64_t *)(void *)made;
    uint64_t *new_pair = (uint64_t *)(void *)rm_leaf_pairs(made, new_count);
    uint32_t stay = rm_start_lanes(from);
    uint32_t move = rm_start_lanes(new_count) & ~rm_start_lanes(behind);

    _mm512_mask_store_epi64(new_start, 0xfe, rm_splice_line(start, shift, stay, move));
    if (new_count > RM_SMALL_LEAF_ROOM) {
        _mm512_store_si512(new_start + 8, rm_splice_line(start + 8, shift, stay >> 8, move >> 8));
    }
    stay = rm_pair_lanes(from);
    move = rm_pair_lanes(new_count) & ~rm_pair_lanes(behind);
    for (unsigned i = 0; i < 2 * new_count; i += 8) {
        _mm512_store_si512(new_pair + i, rm_splice_line(pair + i, 2 * shift, stay >> i, move >> i));
    }
}
#endif
#endif

#if defined(RM_RANK_NEON)
#define RM_TARGET_NEON
#include <arm_neon.h>

/* Counts key by key in pairs; lanes past `count` are masked by comparing their index. */
RM_ALWAYS_INLINE unsigned rm_rank_neon(const struct rm_node *node, unsigned count, uint64_t key)
{
    static const uint64_t index_of[16] = {16, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14};
    const uint64_t *line = (const uint64_t *)(const void *)node;
    uint64x2_t wanted = vdupq_n_u64(key);
    uint64x2_t limit = vdupq_n_u64(count);
    uint64x2_t sum = vdupq_n_u64(0);

    for (unsigned i = 0; i < 16; i += 2) {
        uint64x2_t is_key = vcltq_u64(vld1q_u64(index_of + i), limit);
        uint64x2_t is_low = vcleq_u64(vld1q_u64(line + i), wanted);

        sum = vsubq_u64(sum, vandq_u64(is_key, is_low)); /* a true lane is -1 */
    }
    return (unsigned)vaddvq_u64(sum);
}
#endif

#endif
