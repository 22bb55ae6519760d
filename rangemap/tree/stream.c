// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/tree/stream.h"

#include <string.h>

void rm_stream_init(struct rm_stream *stream, struct rm_builder *builder, unsigned limit, uint64_t low)
{
    stream->builder = builder;
    stream->limit = limit;
    stream->low = low;
    stream->outcome = RM_DONE;
    stream->run.count = 0;
    memset(stream->level, 0, sizeof stream->level);
}

void rm_stream_free(struct rm_stream *stream)
{
    struct rm_thread *thread = stream->builder->thread;

    for (unsigned i = 0; i < RM_STREAM_LEVELS; i++) {
        if (stream->level[i] != NULL) {
            rm_thread_free(thread, stream->level[i], RM_LINES_MAX);
            stream->level[i] = NULL;
        }
    }
}

static bool fail_stream(struct rm_stream *stream, enum rm_outcome outcome)
{
    stream->outcome = outcome;
    return false;
}

/* ---- nodes ---- */

/* A level above the highest there may be: as without memory. */
static bool open_level(struct rm_stream *stream, unsigned level)
{
    struct rm_thread *thread = stream->builder->thread;

    if (level >= RM_STREAM_LEVELS) {
        return fail_stream(stream, RM_NO_MEMORY);
    }
    if (stream->level[level] == NULL) {
        stream->level[level] = rm_thread_alloc(thread, RM_LINES_MAX);
        if (stream->level[level] == NULL) {
            return fail_stream(stream, RM_NO_MEMORY);
        }
        stream->level[level]->count = 0;
        stream->level[level]->reused = 0;
    }
    return true;
}

/* A full node of the lowest children of a level, to make room. */
static bool build_full(struct rm_stream *stream, unsigned level)
{
    struct rm_level *nodes = stream->level[level];
    struct rm_child made;

    if (!rm_build_inner(stream->builder, nodes->child, RM_INNER_MAX, level + 1, &made)) {
        return fail_stream(stream, RM_NO_MEMORY);
    }
    if (!rm_stream_push(stream, level + 1, made)) {
        return false;
    }
    nodes->count -= RM_INNER_MAX;
    nodes->reused -= nodes->reused < RM_INNER_MAX ? nodes->reused : RM_INNER_MAX;
    memmove(nodes->child, nodes->child + RM_INNER_MAX, nodes->count * sizeof nodes->child[0]);
    return true;
}

bool rm_stream_push(struct rm_stream *stream, unsigned level, struct rm_child child)
{
    struct rm_level *nodes;

    if (!open_level(stream, level)) {
        return false;
    }
    nodes = stream->level[level];
    if (level == stream->limit && nodes->count == RM_INNER_MAX) {
        return fail_stream(stream, RM_NO_ROOM);
    }
    if (nodes->count == RM_STREAM_NODES && !build_full(stream, level)) {
        return false;
    }
    nodes->child[nodes->count++] = child;
    return true;
}

bool rm_stream_reuse(struct rm_stream *stream, unsigned level, struct rm_child child)
{
    if (!rm_stream_push(stream, level, child)) {
        return false;
    }
    stream->level[level]->reused++;
    return true;
}

struct rm_child *rm_stream_push_back(struct rm_stream *stream, unsigned level, unsigned count)
{
    struct rm_level *nodes = stream->level[level];

    assert(nodes->count + count <= RM_STREAM_NODES);
    memmove(nodes->child + count, nodes->child, nodes->count * sizeof nodes->child[0]);
    nodes->count += count;
    return nodes->child;
}

static bool push_row(struct rm_stream *stream, unsigned level, const struct rm_row *row)
{
    for (unsigned i = 0; i < row->count; i++) {
        if (!rm_stream_push(stream, level, row->child[i])) {
            return false;
        }
    }
    return true;
}

bool rm_stream_end_level(struct rm_stream *stream, unsigned level)
{
    struct rm_level *nodes = stream->level[level];
    struct rm_row above;

    above.count = 0;
    if (!rm_build_inners(stream->builder, nodes->child, nodes->count, level + 1, &above)) {
        return fail_stream(stream, RM_NO_MEMORY);
    }
    nodes->count = nodes->reused = 0;
    return push_row(stream, level + 1, &above);
}

bool rm_stream_is_one(const struct rm_stream *stream, unsigned level)
{
    unsigned above = level + 1;

    while (above < RM_STREAM_LEVELS && rm_stream_count(stream, above) == 0) {
        above++;
    }
    return rm_stream_count(stream, level) == 1 && above == RM_STREAM_LEVELS;
}

/* ---- entries ---- */

/* Entries [from, count) of the run become its first. */
static void shift_run(struct rm_run *run, unsigned from)
{
    run->count -= from;
    memmove(run->start, run->start + from, run->count * sizeof run->start[0]);
    memmove(run->pair, run->pair + from, run->count * sizeof run->pair[0]);
}

/* G1: the leaf that comes next begins with a range, but for the map's first one. */
static bool begins_with_range(struct rm_stream *stream)
{
    const struct rm_run *run = &stream->run;
    bool begins = stream->low == 0 || (run->count > 0 && run->start[0] == stream->low);

    return !stream->builder->tracks_gaps || begins || fail_stream(stream, RM_WIDEN);
}

/* A full leaf of the entries from `from` on, which are more. I1: the next one begins where its first range does. */
static bool build_full_leaf(struct rm_stream *stream, unsigned from)
{
    uint64_t behind = stream->run.start[from + RM_LEAF_MAX]; /* there is one */
    struct rm_child made;

    if (!rm_build_leaf(stream->builder, &stream->run, from, RM_LEAF_MAX,
                       (struct rm_span){stream->low, behind - 1}, &made)) {
        return fail_stream(stream, RM_NO_MEMORY);
    }
    stream->low = behind;
    return rm_stream_push(stream, 0, made);
}

bool rm_stream_spill(struct rm_stream *stream)
{
    unsigned from = 0;

    if (stream->limit == RM_STREAM_ONE_LEAF) {
        return fail_stream(stream, RM_NO_ROOM);
    }
    if (!begins_with_range(stream)) {
        return false;
    }
    for (; stream->run.count - from > RM_LEAF_MAX; from += RM_LEAF_MAX) {
        if (!build_full_leaf(stream, from)) {
            return false;
        }
    }
    shift_run(&stream->run, from);
    return true;
}

bool rm_stream_put_leaf(struct rm_stream *stream, const struct rm_leaf *leaf, unsigned count, unsigned from,
                        unsigned to)
{
    for (unsigned i = from; i < to; i++) {
        const struct rm_pair *pair = rm_leaf_pairs(leaf, count) + i;

        if (!rm_stream_put(stream, rm_node_keys(&leaf->node)[i], pair->last, pair->value)) {
            return false;
        }
    }
    return true;
}

bool rm_stream_end_leaves(struct rm_stream *stream, uint64_t high)
{
    struct rm_span span = {stream->low, high};
    struct rm_row leaves;

    if (!begins_with_range(stream)) {
        return false;
    }
    leaves.count = 0;
    if (!rm_build_leaves(stream->builder, &stream->run, span, RM_PACK_EVENLY, &leaves)) {
        return fail_stream(stream, RM_NO_MEMORY);
    }
    stream->run.count = 0;
    return push_row(stream, 0, &leaves);
}
