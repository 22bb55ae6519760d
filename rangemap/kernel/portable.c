// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/kernel/lookup.h"

static bool portable_is_supported(void)
{
    return true;
}

unsigned rm_portable_rank(const struct rm_node *node, unsigned count, uint64_t key)
{
    return rm_rank_portable(node, count, key);
}

void rm_portable_descend(struct rm_path *path, struct rangemap *map, uint64_t start, uint64_t last)
{
    rm_path_descend_with(rm_rank_portable, path, map, start, last);
}

void rm_portable_splice(struct rm_leaf *made, const struct rm_leaf *leaf, const struct rm_splice *splice)
{
    rm_splice_portable(made, leaf, splice);
}

static bool portable_lookup(const struct rangemap *map, uint64_t key, void **value)
{
    return rm_lookup_with(rm_rank_portable, map, key, value);
}

static bool portable_find(const struct rangemap *map, uint64_t key, struct rangemap_entry *entry)
{
    return rm_find_with(rm_rank_portable, map, key, entry);
}

static unsigned portable_lookup_batch(const struct rangemap *map, const uint64_t *keys, unsigned count,
                                      void **values, bool *hit)
{
    return rm_batch_with(rm_rank_portable, map, keys, count, values, NULL, hit);
}

static unsigned portable_find_batch(const struct rangemap *map, const uint64_t *keys, unsigned count,
                                    struct rangemap_entry *entries, bool *hit)
{
    return rm_batch_with(rm_rank_portable, map, keys, count, NULL, entries, hit);
}

const struct rm_kernel rm_kernel_portable = {
    .name = "portable",
    .is_supported = portable_is_supported,
    .rank = rm_portable_rank,
    .descend = rm_portable_descend,
    .splice = rm_portable_splice,
    .lookup = portable_lookup,
    .find = portable_find,
    .lookup_batch = portable_lookup_batch,
    .find_batch = portable_find_batch,
};
