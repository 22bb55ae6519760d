// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/kernel/lookup.h"

#if defined(RM_RANK_AVX512)

static bool avx512_is_supported(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
}

RM_TARGET_AVX512 static unsigned avx512_rank(const struct rm_node *node, unsigned count, uint64_t key)
{
    return rm_rank_avx512(node, count, key);
}

RM_TARGET_AVX512 static void avx512_descend(struct rm_path *path, struct rangemap *map, uint64_t start,
                                            uint64_t last)
{
    rm_path_descend_with(rm_rank_avx512, path, map, start, last);
}

RM_TARGET_AVX512 static void avx512_splice(struct rm_leaf *made, const struct rm_leaf *leaf,
                                           const struct rm_splice *splice)
{
    rm_splice_avx512(made, leaf, splice);
}

RM_TARGET_AVX512 static bool avx512_lookup(const struct rangemap *map, uint64_t key, void **value)
{
    return rm_lookup_with(rm_rank_avx512, map, key, value);
}

RM_TARGET_AVX512 static bool avx512_find(const struct rangemap *map, uint64_t key,
                                         struct rangemap_entry *entry)
{
    return rm_find_with(rm_rank_avx512, map, key, entry);
}

RM_TARGET_AVX512 static unsigned avx512_lookup_batch(const struct rangemap *map, const uint64_t *keys,
                                                     unsigned count, void **values, bool *hit)
{
    return rm_batch_with(rm_rank_avx512, map, keys, count, values, NULL, hit);
}

RM_TARGET_AVX512 static unsigned avx512_find_batch(const struct rangemap *map, const uint64_t *keys,
                                                   unsigned count, struct rangemap_entry *entries, bool *hit)
{
    return rm_batch_with(rm_rank_avx512, map, keys, count, NULL, entries, hit);
}

const struct rm_kernel rm_kernel_avx512 = {
    .name = "avx512",
    .is_supported = avx512_is_supported,
    .rank = avx512_rank,
    .descend = avx512_descend,
    .splice = avx512_splice,
    .lookup = avx512_lookup,
    .find = avx512_find,
    .lookup_batch = avx512_lookup_batch,
    .find_batch = avx512_find_batch,
};

#else

typedef int rm_kernel_avx512_is_for_another_processor;

#endif
