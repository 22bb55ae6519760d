// SPDX-License-Identifier: BSD-2-Clause
/*
 * New nodes, unpublished: leaves packed from a run of entries, inner nodes from a row of children.
 *
 * A builder remembers every node it made, so that an attempt that fails can give them back.
 */
#ifndef RANGEMAP_TREE_BUILD_H
#define RANGEMAP_TREE_BUILD_H

#include <assert.h>

#include "rangemap/epoch/retire.h"
#include "rangemap/tree/tree.h"

enum {
    /*
     * Entries of one run: two leaves, a neighbour, and three that an edit puts. Children of one row: those of
     * two nodes, and what splits add; a neighbour's only if there are hardly any.
     */
    RM_RUN_MAX = 3 * RM_LEAF_ROOM + 3,
    RM_ROW_MAX = 2 * RM_INNER_ROOM + 6,
    /*
     * What a fold builds at most: per level four nodes (four leaves); a chain of inner nodes over an empty leaf.
     * Beyond that, which only rewrites get to, nodes are remembered in blocks.
     */
    RM_BUILT_MAX = 4 * (RM_HEIGHT_MAX + 2),
    /* Entries of a leaf that two are merged to: it should not split again at once. */
    RM_MERGED_LEAF_MAX = RM_LEAF_MAX - RM_LEAF_MAX / 5
};

/* A block of the pool that names nodes for which a builder has no room of its own. */
struct rm_built;

struct rm_builder {
    struct rm_thread *thread;
    bool tracks_gaps; /* of the map that it builds for */
    struct rm_built *spilled;
    unsigned built;
    struct rm_node *node[RM_BUILT_MAX];
};

struct rm_run {
    unsigned count;
    uint64_t start[RM_RUN_MAX];
    struct rm_pair pair[RM_RUN_MAX];
};

/* A node that is to be a child: the lowest key of its span, and the word that its slot is to hold. */
struct rm_child {
    uint64_t low, word;
};

/* Neighbouring nodes of one level. */
struct rm_row {
    unsigned count;
    struct rm_child child[RM_ROW_MAX];
};

/* How full nodes are to be packed, and which end of a run grows. */
enum rm_packing { RM_PACK_EVENLY, RM_PACK_LEFT_FULL, RM_PACK_RIGHT_FULL };

RM_INTERNAL void rm_builder_init(struct rm_builder *builder, const struct rangemap *map,
                                 struct rm_thread *thread);

/* Frees everything built. */
RM_INTERNAL void rm_builder_discard(struct rm_builder *builder);

/* Forgets it: it is in the tree. Nothing to do after a fold. */
RM_INTERNAL void rm_builder_finish(struct rm_builder *builder);

/* Whether `node` was built by it, in a fold. */
RM_INTERNAL bool rm_builder_made(const struct rm_builder *builder, const struct rm_node *node);

/* Frees one node that it built, in a fold. */
RM_INTERNAL void rm_builder_free(struct rm_builder *builder, struct rm_node *node);

/* An unpublished leaf or inner node of `count`, content undefined, stamp 0, prev NULL. NULL: no memory. */
RM_INTERNAL struct rm_node *rm_builder_node(struct rm_builder *builder, unsigned count, unsigned level);

static inline void rm_run_append(struct rm_run *run, uint64_t start, uint64_t last, void *value)
{
    run->start[run->count] = start;
    run->pair[run->count] = (struct rm_pair){last, value};
    run->count++;
}

/* Appends entries [from, to) of a leaf. */
RM_INTERNAL void rm_run_append_leaf(struct rm_run *run, const struct rm_leaf *leaf, unsigned count,
                                    unsigned from, unsigned to);

/* The entries of a leaf go before those of the run. */
RM_INTERNAL void rm_run_push_back(struct rm_run *run, const struct rm_leaf *leaf, unsigned count);

static inline void rm_row_append(struct rm_row *row, uint64_t low, uint64_t word)
{
    assert(row->count < RM_ROW_MAX);
    row->child[row->count++] = (struct rm_child){low, word};
}

/* A leaf of entries [from, from + count) of the run, which covers `span`. False: no memory. */
RM_INTERNAL bool rm_build_leaf(struct rm_builder *builder, const struct rm_run *run, unsigned from,
                               unsigned count, struct rm_span span, struct rm_child *made);

/* An inner node of `level` over that many children. False: no memory. */
RM_INTERNAL bool rm_build_inner(struct rm_builder *builder, const struct rm_child *children, unsigned count,
                                unsigned level, struct rm_child *made);

/* Appends leaves that hold the run, at least one, and cover `span`, to the row. False: no memory. */
RM_INTERNAL bool rm_build_leaves(struct rm_builder *builder, const struct rm_run *run, struct rm_span span,
                                 enum rm_packing packing, struct rm_row *row);

/* Appends inner nodes of `level` that hold the children, of which there are some, to the row. */
RM_INTERNAL bool rm_build_inners(struct rm_builder *builder, const struct rm_child *children, unsigned count,
                                 unsigned level, struct rm_row *row);

#endif
