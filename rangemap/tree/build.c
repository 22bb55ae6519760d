// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/tree/build.h"

#include <string.h>

#include "rangemap/base/probe.h"
#include "rangemap/node/gap_class.h"
#include "rangemap/tree/make.h"

void rm_builder_init(struct rm_builder *builder, const struct rangemap *map, struct rm_thread *thread)
{
    builder->thread = thread;
    builder->tracks_gaps = map->tracks_gaps;
    builder->spilled = NULL;
    builder->built = 0;
}

enum { BUILT_NODES = 46 };

struct rm_built {
    struct rm_built *older;
    struct rm_node *node[BUILT_NODES];
};

_Static_assert(sizeof(struct rm_built) <= RM_LINES_MAX * RM_CACHE_LINE, "a block is a node of the pool");
_Static_assert((int)BUILT_NODES <= (int)RM_BUILT_MAX, "a block is filled from the builder");

/* Moves some of what was built to a block, to make room. */
static bool spill(struct rm_builder *builder)
{
    struct rm_thread *thread = builder->thread;
    struct rm_built *block = rm_thread_alloc(thread, RM_LINES_MAX);

    if (block == NULL) {
        return false;
    }
    builder->built -= BUILT_NODES;
    memcpy(block->node, builder->node + builder->built, sizeof block->node);
    block->older = builder->spilled;
    builder->spilled = block;
    return true;
}

static void free_built(struct rm_thread *thread, struct rm_node *node)
{
    uint64_t meta = rm_word_private(&node->meta);

    rm_thread_free(thread, node, rm_node_lines(rm_meta_count(meta), rm_meta_level(meta)));
}

void rm_builder_discard(struct rm_builder *builder)
{
    while (builder->built > 0) {
        free_built(builder->thread, builder->node[--builder->built]);
    }
    for (const struct rm_built *block = builder->spilled; block != NULL; block = block->older) {
        for (unsigned i = 0; i < BUILT_NODES; i++) {
            free_built(builder->thread, block->node[i]);
        }
    }
    rm_builder_finish(builder);
}

void rm_builder_finish(struct rm_builder *builder)
{
    struct rm_thread *thread = builder->thread;

    while (builder->spilled != NULL) {
        struct rm_built *block = builder->spilled;

        builder->spilled = block->older;
        rm_thread_free(thread, block, RM_LINES_MAX);
    }
}

bool rm_builder_made(const struct rm_builder *builder, const struct rm_node *node)
{
    for (unsigned i = 0; i < builder->built; i++) {
        if (builder->node[i] == node) {
            return true;
        }
    }
    return false;
}

void rm_builder_free(struct rm_builder *builder, struct rm_node *node)
{
    for (unsigned i = 0; i < builder->built; i++) {
        if (builder->node[i] == node) {
            builder->node[i] = builder->node[--builder->built];
            free_built(builder->thread, node);
            return;
        }
    }
}

struct rm_node *rm_builder_node(struct rm_builder *builder, unsigned count, unsigned level)
{
    struct rm_node *node;

    if (level > RM_HEIGHT_MAX || (builder->built == RM_BUILT_MAX && !spill(builder))) {
        return NULL;
    }
    node = rm_node_make(builder->thread, count, level);
    if (node != NULL) {
        builder->node[builder->built++] = node;
    }
    return node;
}

void rm_run_append_leaf(struct rm_run *run, const struct rm_leaf *leaf, unsigned count, unsigned from,
                        unsigned to)
{
    size_t n = to - from;

    memcpy(run->start + run->count, rm_node_keys(&leaf->node) + from, n * sizeof run->start[0]);
    memcpy(run->pair + run->count, rm_leaf_pairs(leaf, count) + from, n * sizeof run->pair[0]);
    run->count += (unsigned)n;
}

void rm_run_push_back(struct rm_run *run, const struct rm_leaf *leaf, unsigned count)
{
    memmove(run->start + count, run->start, run->count * sizeof run->start[0]);
    memmove(run->pair + count, run->pair, run->count * sizeof run->pair[0]);
    memcpy(run->start, rm_node_keys(&leaf->node), count * sizeof run->start[0]);
    memcpy(run->pair, rm_leaf_pairs(leaf, count), count * sizeof run->pair[0]);
    run->count += count;
}

/*
 * The size of the next of several nodes that share `left` entries evenly, or leave one end full: ordered
 * insertion then leaves full leaves behind it.
 */
static unsigned next_node_count(unsigned left, unsigned max, enum rm_packing packing)
{
    unsigned nodes = (left + max - 1) / max;

    if (nodes <= 1) {
        return left;
    }
    if (packing == RM_PACK_LEFT_FULL) {
        return max;
    }
    if (packing == RM_PACK_RIGHT_FULL) {
        return left - (nodes - 1) * max;
    }
    return (left + nodes - 1) / nodes;
}

bool rm_build_leaf(struct rm_builder *builder, const struct rm_run *run, unsigned from, unsigned count,
                   struct rm_span span, struct rm_child *made)
{
    struct rm_node *node = rm_builder_node(builder, count, 0);
    unsigned gap_class = 0;

    if (node == NULL) {
        return false;
    }
    memcpy(rm_node_keys(node), run->start + from, count * sizeof run->start[0]);
    memcpy(rm_leaf_pairs(rm_leaf(node), count), run->pair + from, count * sizeof run->pair[0]);
    if (builder->tracks_gaps) {
        gap_class = rm_leaf_class(rm_leaf(node), count, span.low, span.high);
    }
    *made = (struct rm_child){span.low, rm_slot_word(node, gap_class)};
    return true;
}

bool rm_build_leaves(struct rm_builder *builder, const struct rm_run *run, struct rm_span span,
                     enum rm_packing packing, struct rm_row *row)
{
    unsigned from = 0;

    if (run->count > RM_LEAF_MAX) {
        rm_probe_split(run->count, 0);
    }
    do {
        unsigned count = next_node_count(run->count - from, RM_LEAF_MAX, packing);
        struct rm_span part = span;
        struct rm_child made;

        /* I1: every leaf but the first begins where its first range begins. */
        if (from > 0) {
            part.low = run->start[from];
        }
        if (from + count < run->count) {
            part.high = run->start[from + count] - 1;
        }
        if (!rm_build_leaf(builder, run, from, count, part, &made)) {
            return false;
        }
        rm_row_append(row, made.low, made.word);
        from += count;
    } while (from < run->count);
    return true;
}

bool rm_build_inner(struct rm_builder *builder, const struct rm_child *children, unsigned count,
                    unsigned level, struct rm_child *made)
{
    struct rm_node *node = rm_builder_node(builder, count, level);
    struct rm_inner *inner = rm_inner(node);

    if (node == NULL) {
        return false;
    }
    for (unsigned i = 0; i < count; i++) {
        rm_word_set_private(&inner->slot[i], children[i].word);
        if (i > 0) {
            inner->separator[i - 1] = children[i].low;
        }
    }
    *made = (struct rm_child){children[0].low,
                              rm_slot_word(node, builder->tracks_gaps ? rm_inner_class(inner, count) : 0)};
    return true;
}

bool rm_build_inners(struct rm_builder *builder, const struct rm_child *children, unsigned count,
                     unsigned level, struct rm_row *row)
{
    unsigned from = 0;

    if (count > RM_INNER_MAX) {
        rm_probe_split(count, level);
    }
    while (from < count) {
        unsigned size = next_node_count(count - from, RM_INNER_MAX, RM_PACK_EVENLY);
        struct rm_child made;

        if (!rm_build_inner(builder, children + from, size, level, &made)) {
            return false;
        }
        rm_row_append(row, made.low, made.word);
        from += size;
    }
    return true;
}
