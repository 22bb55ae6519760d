// SPDX-License-Identifier: BSD-2-Clause
/* Every node of a map as of one snapshot, parents before children, in order. */
#ifndef RANGEMAP_MAP_INSPECT_H
#define RANGEMAP_MAP_INSPECT_H

#include "rangemap/tree/version.h"

struct rm_place {
    const struct rm_node *node;
    const struct rm_node *parent; /* NULL for the root */
    uint64_t meta, parent_meta;
    struct rm_span span;
    bool is_current; /* the node is the one that its slot holds now, whose class it has */
    unsigned gap_class,
        bound; /* of the slot, and the least of those above, as far as current: RM_CLASS_END if none is */
    unsigned depth, index; /* steps from the root; position among its parent's children */
};

/* False ends the inspection. */
typedef bool rm_inspect_fn(void *state, const struct rm_place *place);

/* In a section of its own. -ENOMEM or 0. */
RM_INTERNAL int rm_inspect(const struct rangemap *map, rm_inspect_fn *visit, void *state);

/* rangemap_stats(), for calls that end the map, which checks that are loaded before the library must not see. */
RM_INTERNAL int rm_inspect_count(const struct rangemap *map, struct rangemap_statistics *statistics);

#endif
