// SPDX-License-Identifier: BSD-2-Clause
/*
 * A row of any length, in key order, that becomes a tree: entries into leaves, nodes into parents, full ones as
 * it goes on, and what is left at the end shared out evenly. See "Windows" in docs/design.md.
 */
#ifndef RANGEMAP_TREE_STREAM_H
#define RANGEMAP_TREE_STREAM_H

#include <assert.h>

#include "rangemap/tree/build.h"
#include "rangemap/tree/op.h"

enum {
    /* The entries that are kept back, until there are so many: what the last leaves are shared out from. */
    RM_STREAM_ENTRIES = 3 * RM_LEAF_MAX,
    /* Likewise nodes: as many as fit a block of the pool. A full one is built of them, and half of one remains. */
    RM_STREAM_NODES = RM_INNER_MAX + (RM_INNER_MAX + 1) / 2,
    RM_STREAM_LEVELS = RM_HEIGHT_MAX + 2
};

/* Nodes of one level without a parent. In a block of the pool, so that stacks stay small. */
struct rm_level {
    unsigned count, reused; /* the first `reused` were in the tree before */
    struct rm_child child[RM_STREAM_NODES];
};

struct rm_stream {
    struct rm_builder *builder;
    /* Nodes of this level must fit one parent; those of leaves' entries, one leaf: RM_STREAM_ONE_LEAF. */
    unsigned limit;
    uint64_t low;                             /* where the span of the next leaf begins */
    enum rm_outcome outcome;                  /* why it failed, once it has */
    struct rm_run run;                        /* entries without a leaf */
    struct rm_level *level[RM_STREAM_LEVELS]; /* NULL: none yet, and no node */
};

enum { RM_STREAM_NO_LIMIT = RM_STREAM_LEVELS, RM_STREAM_ONE_LEAF };

_Static_assert((int)RM_STREAM_ENTRIES <= (int)RM_RUN_MAX, "entries fit a run");
_Static_assert(RM_INNER_MIN - 1 + RM_INNER_MAX <= (int)RM_STREAM_NODES, "a small end and its neighbour fit");
_Static_assert(sizeof(struct rm_level) <= (size_t)RM_LINES_MAX * RM_CACHE_LINE, "a level is a pool node");

/* `low`: of the first leaf's span. */
RM_INTERNAL void rm_stream_init(struct rm_stream *stream, struct rm_builder *builder, unsigned limit,
                                uint64_t low);

/* Gives its blocks back; what it built remains. */
RM_INTERNAL void rm_stream_free(struct rm_stream *stream);

/* Builds full leaves of the lowest entries, to make room for a leaf's worth. False: stream->outcome says why not. */
RM_INTERNAL bool rm_stream_spill(struct rm_stream *stream);

/* The next entry. */
static inline bool rm_stream_put(struct rm_stream *stream, uint64_t start, uint64_t last, void *value)
{
    if (RM_UNLIKELY(stream->run.count >= RM_STREAM_ENTRIES) && !rm_stream_spill(stream)) {
        return false;
    }
    rm_run_append(&stream->run, start, last, value);
    return true;
}

/* Entries [from, to) of a leaf are the next ones. */
RM_INTERNAL bool rm_stream_put_leaf(struct rm_stream *stream, const struct rm_leaf *leaf, unsigned count,
                                    unsigned from, unsigned to);

/* The next node of its level. */
RM_INTERNAL bool rm_stream_push(struct rm_stream *stream, unsigned level, struct rm_child child);

/* Likewise, before all others of its level: one that was in the tree and is to stay as it is. */
RM_INTERNAL bool rm_stream_reuse(struct rm_stream *stream, unsigned level, struct rm_child child);

/* How many nodes of a level are without a parent. */
static inline unsigned rm_stream_count(const struct rm_stream *stream, unsigned level)
{
    return stream->level[level] == NULL ? 0 : stream->level[level]->count;
}

/* The last node of a level, if it is a reused one; else NULL. Not of a level that was ended, or emptied. */
static inline const struct rm_child *rm_stream_last_reused(const struct rm_stream *stream, unsigned level)
{
    const struct rm_level *nodes = stream->level[level];

    assert(nodes == NULL || nodes->count > 0);
    return nodes != NULL && nodes->count == nodes->reused ? &nodes->child[nodes->count - 1] : NULL;
}

/* Takes that off: it is not to stay after all. */
static inline void rm_stream_drop_reused(struct rm_stream *stream, unsigned level)
{
    stream->level[level]->count--;
    stream->level[level]->reused--;
}

/* Makes room before the nodes of a level, for `count` more. The caller writes them. */
RM_INTERNAL struct rm_child *rm_stream_push_back(struct rm_stream *stream, unsigned level, unsigned count);

/* All entries get their leaves, at least one, up to key `high`. */
RM_INTERNAL bool rm_stream_end_leaves(struct rm_stream *stream, uint64_t high);

/* All nodes of `level` get their parents. */
RM_INTERNAL bool rm_stream_end_level(struct rm_stream *stream, unsigned level);

/* Whether the only node without a parent is one of `level`. */
RM_INTERNAL bool rm_stream_is_one(const struct rm_stream *stream, unsigned level);

#endif
