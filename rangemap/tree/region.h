// SPDX-License-Identifier: BSD-2-Clause
/* What a rewrite makes of a leaf or of a frozen region: composed, and built as private nodes. */
#ifndef RANGEMAP_TREE_REGION_H
#define RANGEMAP_TREE_REGION_H

#include "rangemap/tree/path.h"
#include "rangemap/tree/rewrite.h"
#include "rangemap/tree/stream.h"

struct rm_region {
    struct rangemap *map;
    uint64_t start, last; /* the route */
    uint64_t low;         /* where it begins in the tree: before its start after RM_WIDEN */
    uint64_t left_low;    /* out: of the span of the leaf where it begins */
    struct rm_thread *thread;
    struct rm_sink sink;
    struct rm_stream stream;
    struct rm_builder builder;
    uint64_t extra_bytes; /* of neighbours that were taken in */
};

RM_INTERNAL void rm_region_init(struct rm_region *region, const struct rm_rewrite *rewrite,
                                struct rm_thread *thread);

/* Composes in a leaf of `count`; the entries that it is to hold afterwards are in region->stream.run. */
RM_INTERNAL void rm_region_compose_leaf(struct rm_region *region, const struct rm_leaf *leaf, unsigned count);

/*
 * Composes in the region at `anchor`, which is frozen and covers `span`, and stages what is replaced. RM_DONE: *top
 * is the word to publish. Else why not; the caller discards and aborts.
 */
RM_INTERNAL enum rm_outcome rm_region_build(struct rm_region *region, const struct rm_step *anchor,
                                            struct rm_span span, uint64_t *top);

/* Tells what was displaced, after the fact. */
RM_INTERNAL void rm_region_report_leaf(struct rm_region *region, const struct rm_leaf *leaf, unsigned count);
RM_INTERNAL void rm_region_report(struct rm_region *region, const struct rm_step *anchor);

#endif
