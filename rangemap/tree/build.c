// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/tree/build.h"

#include <string.h>

#include "rangemap/base/probe.h"

void rm_builder_init(struct rm_builder *builder, struct rm_thread *thread)
{
    builder->thread = thread;
    builder->built = 0;
}

static void free_built(struct rm_thread *thread, struct rm_node *node)
{
    uint64_t meta = rm_word_private(&node->meta);

    rm_cache_free(&thread->cache, &thread->domain->pool, node,
                  rm_node_lines(rm_meta_count(meta), rm_meta_level(meta)));
}

void rm_builder_discard(struct rm_builder *builder)
{
    while (builder->built > 0) {
        free_built(builder->thread, builder->node[--builder->built]);
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
    struct rm_thread *thread = builder->thread;
    struct rm_node *node;

    if (builder->built == RM_BUILT_MAX || level > RM_HEIGHT_MAX) {
        return NULL;
    }
    node = rm_cache_alloc(&thread->cache, &thread->domain->pool, rm_node_lines(count, level));
    if (node == NULL) {
        return NULL;
    }
    rm_word_set_private(&node->meta, rm_meta(count, level, 0));
    *rm_node_prev(node, rm_meta(count, level, 0)) = NULL;
    builder->node[builder->built++] = node;
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

/*
 * The size of the next of several nodes that share `left` entries evenly, or leave one end full: ordered
 * insertion then leaves full leaves behind it.
 */
static unsigned share(unsigned left, unsigned max, enum rm_packing packing)
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

static bool build_leaf(struct rm_builder *builder, const struct rm_run *run, unsigned from, unsigned count,
                       uint64_t low, struct rm_row *row)
{
    struct rm_node *node = rm_builder_node(builder, count, 0);

    if (node == NULL) {
        return false;
    }
    memcpy(rm_node_keys(node), run->start + from, count * sizeof run->start[0]);
    memcpy(rm_leaf_pairs(rm_leaf(node), count), run->pair + from, count * sizeof run->pair[0]);
    rm_row_append(row, low, node);
    return true;
}

bool rm_build_leaves(struct rm_builder *builder, const struct rm_run *run, uint64_t low,
                     enum rm_packing packing, struct rm_row *row)
{
    unsigned from = 0;

    if (run->count > RM_LEAF_MAX) {
        RM_PROBE2(split, run->count, 0);
    }
    do {
        unsigned count = share(run->count - from, RM_LEAF_MAX, packing);

        /* I1: every leaf but the first begins where its first range begins. */
        if (!build_leaf(builder, run, from, count, from == 0 ? low : run->start[from], row)) {
            return false;
        }
        from += count;
    } while (from < run->count);
    return true;
}

static bool build_inner(struct rm_builder *builder, const struct rm_row *children, unsigned from,
                        unsigned count, unsigned level, struct rm_row *row)
{
    struct rm_node *node = rm_builder_node(builder, count, level);
    struct rm_inner *inner = rm_inner(node);

    if (node == NULL) {
        return false;
    }
    for (unsigned i = 0; i < count; i++) {
        rm_word_set_private(&inner->slot[i], rm_pointer_bits(children->node[from + i]));
        if (i > 0) {
            inner->separator[i - 1] = children->low[from + i];
        }
    }
    rm_row_append(row, children->low[from], node);
    return true;
}

bool rm_build_inners(struct rm_builder *builder, const struct rm_row *children, unsigned level,
                     struct rm_row *row)
{
    unsigned from = 0;

    if (children->count > RM_INNER_MAX) {
        RM_PROBE2(split, children->count, level);
    }
    while (from < children->count) {
        unsigned count = share(children->count - from, RM_INNER_MAX, RM_PACK_EVENLY);

        if (!build_inner(builder, children, from, count, level, row)) {
            return false;
        }
        from += count;
    }
    return true;
}
