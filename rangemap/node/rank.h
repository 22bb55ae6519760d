// SPDX-License-Identifier: BSD-2-Clause
/*
 * The search in a node: how many of its first `count` keys are <= key. For a leaf, the range that may hold
 * the key is the one before that rank; for an inner node with count separators, the rank is the child.
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

/* Which vector kernels there are for this processor: node/vector.h. */
#if defined(__x86_64__)
#define RM_RANK_AVX2 1
#if !defined(__clang__) || __clang_major__ >= 4
#define RM_RANK_AVX512 1
#endif
#endif
#if defined(__aarch64__)
#define RM_RANK_NEON 1
#endif

#endif
