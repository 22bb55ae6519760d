// SPDX-License-Identifier: BSD-2-Clause
/*
 * New nodes, unpublished: leaves packed from a run of entries, inner nodes from a row of children.
 *
 * A builder remembers every node it made, so that an attempt that fails can give them back.
 */
#ifndef RANGEMAP_TREE_BUILD_H
#define RANGEMAP_TREE_BUILD_H

#include "rangemap/epoch/retire.h"
#include "rangemap/tree/tree.h"

enum {
    /*
     * Entries of one run: two leaves, a neighbour, and three that an edit puts. Children of one row: those of
     * two nodes and of a neighbour, and what their splits add.
     */
    RM_RUN_MAX = 3 * RM_LEAF_ROOM + 3,
    RM_ROW_MAX = 3 * RM_INNER_ROOM + 6,
    /* Per level at most four nodes (four leaves); a chain of inner nodes over an empty leaf. */
    RM_BUILT_MAX = 4 * (RM_HEIGHT_MAX + 2),
    /* Entries of a leaf that two are merged to: it should not split again at once. */
    RM_MERGED_LEAF_MAX = RM_LEAF_MAX - RM_LEAF_MAX / 5
};

struct rm_builder {
    struct rm_thread *thread;
    unsigned built;
    struct rm_node *node[RM_BUILT_MAX];
};

struct rm_run {
    unsigned count;
    uint64_t start[RM_RUN_MAX];
    struct rm_pair pair[RM_RUN_MAX];
};

/* Neighbouring nodes of one level; low[i] is the lowest key of node[i]'s span. */
struct rm_row {
    unsigned count;
    uint64_t low[RM_ROW_MAX];
    struct rm_node *node[RM_ROW_MAX];
};

/* How full nodes are to be packed, and which end of a run grows. */
enum rm_packing { RM_PACK_EVENLY, RM_PACK_LEFT_FULL, RM_PACK_RIGHT_FULL };

RM_INTERNAL void rm_builder_init(struct rm_builder *builder, struct rm_thread *thread);

/* Frees everything built. */
RM_INTERNAL void rm_builder_discard(struct rm_builder *builder);

/* Whether `node` was built by it. */
RM_INTERNAL bool rm_builder_made(const struct rm_builder *builder, const struct rm_node *node);

/* Frees one node that it built. */
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

static inline void rm_row_append(struct rm_row *row, uint64_t low, struct rm_node *node)
{
    row->low[row->count] = low;
    row->node[row->count] = node;
    row->count++;
}

/*
 * Appends leaves that hold the run, at least one, to the row; the first one's span begins at `low`. False:
 * no memory.
 */
RM_INTERNAL bool rm_build_leaves(struct rm_builder *builder, const struct rm_run *run, uint64_t low,
                                 enum rm_packing packing, struct rm_row *row);

/* Appends inner nodes of `level` that hold `children`, at least one of them, to the row. */
RM_INTERNAL bool rm_build_inners(struct rm_builder *builder, const struct rm_row *children, unsigned level,
                                 struct rm_row *row);

#endif
