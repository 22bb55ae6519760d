// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/tree/freeze.h"

#include "rangemap/base/probe.h"
#include "rangemap/tree/path.h"

/* litmus: freeze_cas */
void rm_freeze_node(const struct rangemap *map, struct rm_inner *inner)
{
    unsigned count = rm_node_count(&inner->node);

    rm_probe_freeze(map, inner, count);
    for (unsigned i = 0; i < count; i++) {
        uint64_t word = rm_load_relaxed(&inner->slot[i]);

        rm_prefetch(rm_slot_node(word));
        if (!rm_slot_is_frozen(word)) {
            rm_or_ordered(&inner->slot[i], RM_FROZEN);
        }
    }
    /* R7: children that are reused or reported must be stamped before the region is replaced. */
    for (unsigned i = 0; i < count; i++) {
        (void)rm_version_meta(map, rm_slot_node(rm_load_dependent(&inner->slot[i])));
    }
}

uint64_t rm_freeze_region(const struct rangemap *map, struct rm_node *node, uint64_t start, uint64_t last)
{
    struct rm_inner *inner = rm_inner(node);
    uint64_t bytes = rm_node_bytes(node);
    unsigned count, from, to;

    if (rm_node_level(node) == 0) {
        rm_prefetch_leaf(node); /* its content is next: one after the other they would be waited for */
        return bytes;
    }
    rm_freeze_node(map, inner);
    count = rm_node_count(node);
    from = rm_child_index(inner, count, start);
    to = rm_child_index(inner, count, last);
    for (unsigned i = from; i <= to; i++) {
        bytes += rm_freeze_region(map, rm_frozen_child(inner, i), start, last);
    }
    return bytes;
}
