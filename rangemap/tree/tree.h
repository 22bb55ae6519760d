// SPDX-License-Identifier: BSD-2-Clause
/* A map: the slot of its root, and what all operations on it need. */
#ifndef RANGEMAP_TREE_TREE_H
#define RANGEMAP_TREE_TREE_H

#include "rangemap/epoch/garbage.h"
#include "rangemap/epoch/section.h"
#include "rangemap/epoch/values.h"
#include "rangemap/node/layout.h"

struct rangemap {
    /* Line 0: read by every operation, written when the root is replaced. */
    rm_word root; /* a slot that is never frozen */
    struct rangemap_domain *domain;
    /* Only once rangemap_destroy_later() was called, see map/end.c. */
    struct rm_garbage end;
    rangemap_ended_fn *ended;
    void *ended_context;
    uint64_t end_bytes;      /* of nodes */
    struct rm_thread *payer; /* the record of the thread that ended it */
    /* Line 1: read by every update, written when snapshots are taken. */
    rm_word clock RM_LINE_ALIGNED;
    /* Line 2: never changes. */
    struct rm_values values;
    bool tracks_gaps; /* slots have gap classes: rules G1 to G6 */
} RM_LINE_ALIGNED;

enum { RM_MAP_LINES = sizeof(struct rangemap) / RM_CACHE_LINE };
_Static_assert(sizeof(struct rangemap) <= (size_t)RM_LINES_MAX * RM_CACHE_LINE, "a map is a pool node");

/* The root. Its slot holds nothing but the address. */
RM_ALWAYS_INLINE struct rm_node *rm_root_node(const struct rangemap *map)
{
    return (struct rm_node *)(uintptr_t)rm_load_dependent(&map->root);
}

/* Interval and node of a place in the tree. */
struct rm_span {
    uint64_t low, high; /* inclusive */
};

/* The part of `span`, that of an inner node, which child `index` covers. */
static inline struct rm_span rm_child_span(const struct rm_inner *inner, unsigned count, unsigned index,
                                           struct rm_span span)
{
    struct rm_span child = span;

    if (index > 0) {
        child.low = inner->separator[index - 1];
    }
    if (index + 1 < count) {
        child.high = inner->separator[index] - 1;
    }
    return child;
}

#define RM_ALL_KEYS ((struct rm_span){0, UINT64_MAX})

#endif
