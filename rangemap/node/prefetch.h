// SPDX-License-Identifier: BSD-2-Clause
/* Starts the loads of what a search is about to read, so that the misses overlap. */
#ifndef RANGEMAP_NODE_PREFETCH_H
#define RANGEMAP_NODE_PREFETCH_H

#include "rangemap/node/layout.h"

RM_ALWAYS_INLINE void rm_prefetch_line(const struct rm_node *node, unsigned line)
{
    rm_prefetch((const char *)node + line * RM_CACHE_LINE);
}

/*
 * What a search reads after the keys: the slots of an inner node, or the next two lines of a leaf. It loads the
 * keys themselves, the first two lines, at once.
 */
RM_ALWAYS_INLINE void rm_prefetch_node(const struct rm_node *node)
{
    rm_prefetch_line(node, 2);
    rm_prefetch_line(node, 3);
}

/* The same, all lines of a leaf of any size. */
RM_ALWAYS_INLINE void rm_prefetch_leaf(const struct rm_node *node)
{
    rm_prefetch_node(node);
    rm_prefetch_line(node, 4);
    rm_prefetch_line(node, 5);
}

#endif
