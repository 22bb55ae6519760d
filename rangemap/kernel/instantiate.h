// SPDX-License-Identifier: BSD-2-Clause
/*
 * The functions of one kernel: all that call its search have it as a constant, and are compiled for its instruction
 * set. They are macros since a function's target is an attribute, which no argument can give.
 */
#ifndef RANGEMAP_KERNEL_INSTANTIATE_H
#define RANGEMAP_KERNEL_INSTANTIATE_H

#include "rangemap/kernel/lookup.h"

/*
 * What updates use. TARGET: the attribute, or nothing. SEARCH and COPY: always inlined, an rm_rank_fn and an
 * rm_splice_fn.
 */
/* NOLINTBEGIN(bugprone-macro-parentheses): arguments are attributes and names of functions. */
#define RM_KERNEL_UPDATES(NAME, TARGET, SEARCH, COPY)                                                        \
    TARGET static unsigned NAME##_rank(const struct rm_node *node, unsigned count, uint64_t key)             \
    {                                                                                                        \
        return SEARCH(node, count, key);                                                                     \
    }                                                                                                        \
    TARGET static void NAME##_descend(struct rm_path *path, struct rangemap *map, uint64_t start,            \
                                      uint64_t last)                                                         \
    {                                                                                                        \
        rm_path_descend_with(SEARCH, path, map, start, last);                                                \
    }                                                                                                        \
    TARGET static void NAME##_splice(struct rm_leaf *made, const struct rm_leaf *leaf, unsigned count,       \
                                     unsigned from, unsigned to, unsigned puts)                              \
    {                                                                                                        \
        COPY(made, leaf, count, from, to, puts);                                                             \
    }                                                                                                        \
    TARGET static enum rm_outcome NAME##_short_update(struct rangemap *map, struct rm_thread *thread,        \
                                                      struct rm_op *op)                                      \
    {                                                                                                        \
        return rm_short_update_with(SEARCH, COPY, map, thread, op);                                          \
    }

/* The lookups, and rm_kernel_NAME of all. NAME_is_supported() is there; RANK to SHORT_UPDATE: what updates use. */
#define RM_KERNEL(NAME, TARGET, SEARCH, RANK, DESCEND, SPLICE, SHORT_UPDATE)                                 \
    TARGET static bool NAME##_lookup(const struct rangemap *map, uint64_t key, void **value)                 \
    {                                                                                                        \
        return rm_lookup_with(SEARCH, map, key, value);                                                      \
    }                                                                                                        \
    TARGET static bool NAME##_find(const struct rangemap *map, uint64_t key, struct rangemap_entry *entry)   \
    {                                                                                                        \
        return rm_find_with(SEARCH, map, key, entry);                                                        \
    }                                                                                                        \
    TARGET static unsigned NAME##_lookup_batch(const struct rangemap *map, const uint64_t *keys,             \
                                               unsigned count, void **values, bool *hit)                     \
    {                                                                                                        \
        return rm_batch_with(SEARCH, map, keys, count, values, NULL, hit);                                   \
    }                                                                                                        \
    TARGET static unsigned NAME##_find_batch(const struct rangemap *map, const uint64_t *keys,               \
                                             unsigned count, struct rangemap_entry *entries, bool *hit)      \
    {                                                                                                        \
        return rm_batch_with(SEARCH, map, keys, count, NULL, entries, hit);                                  \
    }                                                                                                        \
    const struct rm_kernel rm_kernel_##NAME = {                                                              \
        .name = #NAME,                                                                                       \
        .is_supported = NAME##_is_supported,                                                                 \
        .rank = RANK,                                                                                        \
        .descend = DESCEND,                                                                                  \
        .splice = SPLICE,                                                                                    \
        .short_update = SHORT_UPDATE,                                                                        \
        .lookup = NAME##_lookup,                                                                             \
        .find = NAME##_find,                                                                                 \
        .lookup_batch = NAME##_lookup_batch,                                                                 \
        .find_batch = NAME##_find_batch,                                                                     \
    }
/* NOLINTEND(bugprone-macro-parentheses) */

#endif
