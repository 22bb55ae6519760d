// SPDX-License-Identifier: BSD-2-Clause
/*
 * The search in a node: how many of its first `count` keys are <= key. For a leaf, the range that may hold
 * the key is the one before that rank; for an inner node with count separators, the rank is the child.
 *
 * The vector kernels compare the whole first two lines of the node, meta and what lies behind the keys
 * included (every node has at least two lines), and mask the lanes that are keys. They count in 64 bits: in 32,
 * compilers add the offset of a child's slot before they widen the sum, on the way that every lookup waits for.
 */
#ifndef RANGEMAP_NODE_RANK_H
#define RANGEMAP_NODE_RANK_H

#include "rangemap/node/layout.h"

typedef unsigned rm_rank_fn(const struct rm_node *node, unsigned count, uint64_t key);

/* That of the selected kernel, which kernel/select.c writes; portable until then. Relaxed: any of them is right. */
RM_INTERNAL extern rm_rank_fn *rm_rank_selected;
RM_INTERNAL rm_rank_fn rm_portable_rank;

static inline unsigned rm_rank(const struct rm_node *node, unsigned count, uint64_t key)
{
    return __atomic_load_n(&rm_rank_selected, __ATOMIC_RELAXED)(node, count, key);
}

RM_ALWAYS_INLINE unsigned rm_rank_portable(const struct rm_node *node, unsigned count, uint64_t key)
{
    const uint64_t *keys = rm_node_keys(node);
    unsigned rank = 0;

    for (unsigned i = 0; i < count; i++) {
        rank += keys[i] <= key;
    }
    return rank;
}

#if defined(__x86_64__)
#define RM_RANK_AVX2 1
#define RM_TARGET_AVX2 __attribute__((target("avx2,bmi2,popcnt")))
#include <immintrin.h>

/* AVX2 compares signed: both sides are moved by 2^63. All ones where a key is above. */
RM_ALWAYS_INLINE RM_TARGET_AVX2 __m256i rm_rank_avx2_quad(const uint64_t *keys, __m256i bias, __m256i wanted)
{
    __m256i lanes = _mm256_xor_si256(_mm256_load_si256((const __m256i *)(const void *)keys), bias);

    return _mm256_cmpgt_epi64(lanes, wanted);
}

/*
 * The four quads are packed into one register, two bytes for a word. Packing goes by halves of registers, so bits 0 to
 * 31 are words 0, 1, 4, 5, 8, 9, 12, 13, then 2, 3, 6, 7, 10, 11, 14, 15: which of them are the first keys is looked up.
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

#if !defined(__clang__) || __clang_major__ >= 4
#define RM_RANK_AVX512 1
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
#endif
#endif

#if defined(__aarch64__)
#define RM_RANK_NEON 1
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
