// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/kernel/lookup.h"

static bool portable_is_supported(void)
{
    return true;
}

static unsigned portable_rank(const struct rm_node *node, unsigned count, uint64_t key)
{
    return rm_rank_portable(node, count, key);
}

static void portable_descend(struct rm_path *path, struct rangemap *map, uint64_t start, uint64_t last)
{
    rm_path_descend_with(rm_rank_portable, path, map, start, last);
}

static bool portable_lookup(const struct rangemap *map, uint64_t key, void **value)
{
    return rm_lookup_with(rm_rank_portable, map, key, value);
}

static bool portable_find(const struct rangemap *map, uint64_t key, struct rangemap_entry *entry)
{
    return rm_find_with(rm_rank_portable, map, key, entry);
}

static uint32_t portable_find_batch(const struct rangemap *map, const uint64_t *keys, unsigned count,
                                    struct rangemap_entry *entry)
{
    return rm_find_batch_with(rm_rank_portable, map, keys, count, entry);
}

const struct rm_kernel rm_kernel_portable = {"portable",         portable_is_supported, portable_rank,
                                             portable_descend,   portable_lookup,       portable_find,
                                             portable_find_batch};
