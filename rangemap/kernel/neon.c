// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/kernel/lookup.h"

#if defined(RM_RANK_NEON)

static bool neon_is_supported(void)
{
    return true;
}

RM_TARGET_NEON static unsigned neon_rank(const struct rm_node *node, unsigned count, uint64_t key)
{
    return rm_rank_neon(node, count, key);
}

RM_TARGET_NEON static void neon_descend(struct rm_path *path, struct rangemap *map, uint64_t start,
                                        uint64_t last)
{
    rm_path_descend_with(rm_rank_neon, path, map, start, last);
}

RM_TARGET_NEON static bool neon_lookup(const struct rangemap *map, uint64_t key, void **value)
{
    return rm_lookup_with(rm_rank_neon, map, key, value);
}

RM_TARGET_NEON static bool neon_find(const struct rangemap *map, uint64_t key, struct rangemap_entry *entry)
{
    return rm_find_with(rm_rank_neon, map, key, entry);
}

RM_TARGET_NEON static unsigned neon_lookup_batch(const struct rangemap *map, const uint64_t *keys,
                                                 unsigned count, void **values, bool *hit)
{
    return rm_batch_with(rm_rank_neon, map, keys, count, values, NULL, hit);
}

RM_TARGET_NEON static unsigned neon_find_batch(const struct rangemap *map, const uint64_t *keys,
                                               unsigned count, struct rangemap_entry *entries, bool *hit)
{
    return rm_batch_with(rm_rank_neon, map, keys, count, NULL, entries, hit);
}

const struct rm_kernel rm_kernel_neon = {
    .name = "neon",
    .is_supported = neon_is_supported,
    .rank = neon_rank,
    .descend = neon_descend,
    .splice = rm_portable_splice,
    .lookup = neon_lookup,
    .find = neon_find,
    .lookup_batch = neon_lookup_batch,
    .find_batch = neon_find_batch,
};

#else

typedef int rm_kernel_neon_is_for_another_processor;

#endif
