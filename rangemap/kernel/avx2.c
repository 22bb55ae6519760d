// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/kernel/lookup.h"

#if defined(RM_RANK_AVX2)

static bool avx2_is_supported(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") &&
           __builtin_cpu_supports("popcnt");
}

RM_TARGET_AVX2 static unsigned avx2_rank(const struct rm_node *node, unsigned count, uint64_t key)
{
    return rm_rank_avx2(node, count, key);
}

RM_TARGET_AVX2 static void avx2_descend(struct rm_path *path, struct rangemap *map, uint64_t start,
                                        uint64_t last)
{
    rm_path_descend_with(rm_rank_avx2, path, map, start, last);
}

RM_TARGET_AVX2 static bool avx2_lookup(const struct rangemap *map, uint64_t key, void **value)
{
    return rm_lookup_with(rm_rank_avx2, map, key, value);
}

RM_TARGET_AVX2 static bool avx2_find(const struct rangemap *map, uint64_t key, struct rangemap_entry *entry)
{
    return rm_find_with(rm_rank_avx2, map, key, entry);
}

RM_TARGET_AVX2 static unsigned avx2_lookup_batch(const struct rangemap *map, const uint64_t *keys,
                                                 unsigned count, void **values, bool *hit)
{
    return rm_batch_with(rm_rank_avx2, map, keys, count, values, NULL, hit);
}

RM_TARGET_AVX2 static unsigned avx2_find_batch(const struct rangemap *map, const uint64_t *keys,
                                               unsigned count, struct rangemap_entry *entries, bool *hit)
{
    return rm_batch_with(rm_rank_avx2, map, keys, count, NULL, entries, hit);
}

const struct rm_kernel rm_kernel_avx2 = {
    .name = "avx2",
    .is_supported = avx2_is_supported,
    .rank = avx2_rank,
    .descend = avx2_descend,
    .splice = rm_portable_splice,
    .lookup = avx2_lookup,
    .find = avx2_find,
    .lookup_batch = avx2_lookup_batch,
    .find_batch = avx2_find_batch,
};

#else

typedef int rm_kernel_avx2_is_for_another_processor;

#endif
