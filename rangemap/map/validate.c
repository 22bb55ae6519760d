// SPDX-License-Identifier: BSD-2-Clause
#include <inttypes.h>
#include <stdio.h>

#include "rangemap/map/inspect.h"

#include "rangemap/map/enter.h"
#include "rangemap/node/gap_class.h"
#include "rangemap/tree/edit.h"

struct validation {
    char *message;
    size_t size;
    bool tracks_gaps;
    bool broken;
};

static bool broken(struct validation *validation, const struct rm_place *place, const char *rule)
{
    validation->broken = true;
    if (validation->size > 0) {
        (void)snprintf(validation->message, validation->size,
                       "%s node %p (level %u, %u entries, keys %#" PRIx64 "..%#" PRIx64
                       ", child %u of %p): %s",
                       rm_meta_level(place->meta) > 0 ? "inner" : "leaf", (const void *)place->node,
                       rm_meta_level(place->meta), rm_meta_count(place->meta), place->span.low,
                       place->span.high, place->index, (const void *)place->parent, rule);
    }
    return false;
}

static const char *leaf_fault(const struct rm_leaf *leaf, unsigned count, struct rm_span span)
{
    uint64_t free_from = span.low;

    if (count > RM_LEAF_MAX) {
        return "a leaf has at most RM_LEAF_MAX ranges";
    }
    for (unsigned i = 0; i < count; i++) {
        struct rangemap_entry entry = rm_leaf_entry(leaf, count, i);

        if (entry.start > entry.last) {
            return "a range starts at or below its last key";
        }
        if (entry.start < free_from) {
            return i == 0 ? "no range begins below its leaf's span (I1)" : "ranges are sorted and disjoint";
        }
        if (entry.last > span.high) {
            return "no range crosses a separator (I1)";
        }
        if (entry.last == UINT64_MAX && i + 1 < count) {
            return "ranges are sorted and disjoint";
        }
        free_from = entry.last + 1;
    }
    return NULL;
}

/* In a map that tracks gaps. */
static const char *gap_fault(const struct rm_place *place)
{
    const struct rm_leaf *leaf = rm_leaf(place->node);
    unsigned count = rm_meta_count(place->meta);
    unsigned gap_class = rm_leaf_class(leaf, count, place->span.low, place->span.high);

    if (place->span.low > 0 && (count == 0 || rm_node_keys(place->node)[0] != place->span.low)) {
        return "a leaf begins with a range at its separator (G1)";
    }
    if (gap_class > place->bound) {
        return "a slot's class is at least every class below (G2)";
    }
    if (place->is_current && place->depth > 0 && place->gap_class != gap_class) {
        return "a leaf's class is exact";
    }
    return NULL;
}

static const char *inner_fault(const struct rm_inner *inner, unsigned count, struct rm_span span)
{
    uint64_t low = span.low;

    if (count == 0 || count > RM_INNER_MAX) {
        return "an inner node has 1 to RM_INNER_MAX children";
    }
    for (unsigned i = 0; i + 1 < count; i++) {
        if (inner->separator[i] <= low || inner->separator[i] > span.high) {
            return "separators ascend within the node's span";
        }
        low = inner->separator[i];
    }
    return NULL;
}

static bool validate_place(void *state, const struct rm_place *place)
{
    struct validation *validation = state;
    unsigned level = rm_meta_level(place->meta);
    unsigned count = rm_meta_count(place->meta);
    const char *fault;

    if ((uintptr_t)place->node % RM_CACHE_LINE != 0) {
        return broken(validation, place, "nodes are aligned to a cache line");
    }
    if (rm_meta_stamp(place->meta) == RM_STAMP_NONE) {
        return broken(validation, place, "a node read from a slot is stamped (R7)");
    }
    if (level > RM_HEIGHT_MAX || (place->parent != NULL && level + 1 != rm_meta_level(place->parent_meta))) {
        return broken(validation, place, "levels go down by one");
    }
    fault = level > 0 ? inner_fault(rm_inner(place->node), count, place->span)
                      : leaf_fault(rm_leaf(place->node), count, place->span);
    if (fault == NULL && level == 0 && validation->tracks_gaps) {
        fault = gap_fault(place);
    }
    return fault == NULL || broken(validation, place, fault);
}

int rangemap_validate(const struct rangemap *map, char *message, size_t size)
{
    struct validation validation = {.message = message, .size = size};
    int result;

    if (map == NULL || (message == NULL && size > 0)) {
        return -EINVAL;
    }
    validation.tracks_gaps = map->tracks_gaps;
    result = rm_inspect(map, validate_place, &validation);
    return result != 0 ? result : validation.broken ? -EUCLEAN : 0;
}
