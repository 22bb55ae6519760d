// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/kernel/lookup.h"

#if defined(RM_RANK_AVX2)

static bool avx2_is_supported(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt");
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

RM_TARGET_AVX2 static uint32_t avx2_find_batch(const struct rangemap *map, const uint64_t *keys,
                                               unsigned count, struct rangemap_entry *entry)
{
    return rm_find_batch_with(rm_rank_avx2, map, keys, count, entry);
}

const struct rm_kernel rm_kernel_avx2 = {"avx2",      avx2_is_supported, avx2_rank,      avx2_descend,
                                         avx2_lookup, avx2_find,         avx2_find_batch};

#else

typedef int rm_kernel_avx2_is_for_another_processor;

#endif
