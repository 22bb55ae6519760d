// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/tree/region.h"

#include "rangemap/epoch/retire.h"
#include "rangemap/node/entry.h"
#include "rangemap/tree/spine.h"
#include "rangemap/tree/walk.h"

void rm_region_init(struct rm_region *region, const struct rm_rewrite *rewrite, struct rm_thread *thread)
{
    bool around = rewrite->looks_around;

    region->map = rewrite->map;
    region->start = rewrite->start - (around && rewrite->start > 0);
    region->last = rewrite->last + (around && rewrite->last < UINT64_MAX);
    region->low = region->start;
    region->thread = thread;
    region->sink = (struct rm_sink){.rewrite = rewrite, .thread = thread, .values = &rewrite->map->values};
}

/* ---- composing ---- */

static void begin_composing(struct rm_region *region, struct rm_stream *stream)
{
    const struct rm_rewrite *rewrite = region->sink.rewrite;

    region->sink.stream = stream;
    region->sink.changed = false;
    region->sink.shares_value = false;
    region->sink.outcome = RM_DONE;
    rewrite->composer->begin(rewrite->state);
}

static bool finish_composing(struct rm_sink *sink)
{
    return sink->rewrite->composer->finish(sink->rewrite->state, sink);
}

/* A walk's visit; the state is the sink. */
static bool compose_visit(void *state, const struct rm_leaf *leaf, unsigned count, unsigned from, unsigned to)
{
    struct rm_sink *sink = state;
    const struct rm_rewrite *rewrite = sink->rewrite;

    struct rangemap_entry entry[RM_LEAF_ROOM];

    for (unsigned i = from; i < to; i++) {
        entry[i - from] = rm_leaf_entry(leaf, count, i);
    }
    return from == to || rewrite->composer->visit(rewrite->state, sink, entry, to - from);
}

static bool walk_region(struct rm_region *region, const struct rm_step *anchor)
{
    struct rm_walk walk = rm_walk_up(region->map, RM_VERSION_CURRENT, region->start, region->last,
                                     compose_visit, &region->sink);

    return rm_walk_node(&walk, rm_step_node(anchor), anchor->meta);
}

static bool put_leaf_part(struct rm_region *region, const struct rm_leaf *leaf, unsigned count, unsigned from,
                          unsigned to)
{
    if (rm_stream_put_leaf(&region->stream, leaf, count, from, to)) {
        return true;
    }
    region->sink.outcome = region->stream.outcome;
    return false;
}

void rm_region_compose_leaf(struct rm_region *region, const struct rm_leaf *leaf, unsigned count)
{
    unsigned from, to;

    rm_builder_init(&region->builder, region->map, region->thread);
    rm_stream_init(&region->stream, &region->builder, RM_STREAM_ONE_LEAF, 0);
    begin_composing(region, &region->stream);
    rm_leaf_overlap(leaf, count, region->start, region->last, &from, &to);
    (void)(put_leaf_part(region, leaf, count, 0, from) &&
           compose_visit(&region->sink, leaf, count, from, to) && finish_composing(&region->sink) &&
           put_leaf_part(region, leaf, count, to, count));
}

void rm_region_report_leaf(struct rm_region *region, const struct rm_leaf *leaf, unsigned count)
{
    unsigned from, to;

    if (region->sink.rewrite->displaced != NULL) {
        begin_composing(region, NULL);
        rm_leaf_overlap(leaf, count, region->start, region->last, &from, &to);
        (void)(compose_visit(&region->sink, leaf, count, from, to) && finish_composing(&region->sink));
    }
}

/* The replaced region is frozen for ever and kept by our section. */
void rm_region_report(struct rm_region *region, const struct rm_step *anchor)
{
    if (region->sink.rewrite->displaced != NULL) {
        begin_composing(region, NULL);
        (void)(walk_region(region, anchor) && finish_composing(&region->sink));
    }
}

/* ---- what is replaced ---- */

static bool stage_old(struct rm_region *region, const struct rm_node *node)
{
    unsigned lines = rm_node_lines(rm_node_count(node), rm_node_level(node));

    return rm_retire_stage_node(region->thread, node, lines);
}

/* Children [from, to) go: with their values, if the composer does not see them, which displaces them all. */
static bool stage_children(struct rm_region *region, const struct rm_turn *turn, unsigned from, unsigned to)
{
    static const struct rm_values none;
    bool whole = !region->sink.rewrite->sees_all;

    for (unsigned i = from; i < to; i++) {
        region->sink.changed = region->sink.changed || !region->sink.rewrite->sees_all;
        if (!rm_retire_stage_subtree(region->thread, rm_frozen_child(turn->inner, i),
                                     whole ? region->sink.values : &none)) {
            return false;
        }
    }
    return true;
}

/* All nodes of both spines, and what lies between them. */
static bool stage_region(struct rm_region *region, const struct rm_spine *left, const struct rm_spine *right)
{
    bool staged = true;

    for (unsigned level = left->top; staged && level > 0; level--) {
        const struct rm_turn *l = &left->at[level], *r = &right->at[level];
        bool same = l->inner == r->inner;

        staged = stage_old(region, &l->inner->node) &&
                 stage_children(region, l, l->index + 1, same ? r->index : l->count) &&
                 (same || (stage_old(region, &r->inner->node) && stage_children(region, r, 0, r->index)));
    }
    return staged && stage_old(region, &left->leaf->node) &&
           (left->leaf == right->leaf || stage_old(region, &right->leaf->node));
}

/* ---- small ends take in a neighbour ---- */

static bool take_in(struct rm_region *region, const struct rm_node *node)
{
    region->extra_bytes += rm_node_bytes(node);
    if (!stage_old(region, node)) {
        region->sink.outcome = RM_NO_MEMORY;
        return false;
    }
    return true;
}

/* The last node of `level`, if it was there before and nothing of the stream comes before the end at hand. */
static struct rm_node *left_of_stream(const struct rm_region *region, unsigned level)
{
    const struct rm_child *last = rm_stream_last_reused(&region->stream, level);

    return last != NULL ? rm_slot_node(last->word) : NULL;
}

static bool fits_leaf(const struct rm_run *run, const struct rm_node *neighbour)
{
    return run->count == 0 || run->count + rm_node_count(neighbour) <= RM_MERGED_LEAF_MAX;
}

/* The entries of the leaf to the left go before those at hand. */
static void prepend_leaf(struct rm_stream *stream, const struct rm_leaf *leaf)
{
    unsigned count = rm_node_count(&leaf->node);
    struct rm_run *run = &stream->run;

    stream->low = rm_stream_last_reused(stream, 0)->low;
    rm_stream_drop_reused(stream, 0);
    rm_run_push_back(run, leaf, count);
}

static bool merge_leaf(struct rm_region *region, struct rm_spine *right)
{
    struct rm_stream *stream = &region->stream;
    struct rm_node *before = left_of_stream(region, 0);
    struct rm_node *behind = rm_spine_right(right, 0);

    /* NOLINTNEXTLINE(misc-redundant-expression): RM_LEAF_MIN may be 0 */
    if (stream->run.count >= RM_LEAF_MIN && stream->run.count > 0) {
        return true;
    }
    if (before != NULL && fits_leaf(&stream->run, before)) {
        prepend_leaf(stream, rm_leaf(before));
        return take_in(region, before);
    }
    if (behind != NULL && fits_leaf(&stream->run, behind)) {
        unsigned count = rm_node_count(behind);

        rm_run_append_leaf(&stream->run, rm_leaf(behind), count, 0, count);
        right->at[1].index++;
        return take_in(region, behind);
    }
    return true;
}

/* All children of an inner node that lies at `low` are the next of their level. */
static bool push_children(struct rm_region *region, struct rm_node *node, struct rm_span span)
{
    struct rm_turn turn = {.inner = rm_inner(node), .count = rm_node_count(node), .span = span};

    rm_freeze_node(region->map, turn.inner);
    for (unsigned i = 0; i < turn.count; i++) {
        if (!rm_stream_push(&region->stream, rm_node_level(node) - 1, rm_turn_child(&turn, i))) {
            return false;
        }
    }
    return true;
}

/* Likewise they go before those at hand; the node was the last reused one of its level. */
static void prepend_children(struct rm_region *region, struct rm_node *node)
{
    unsigned level = rm_node_level(node);
    struct rm_turn turn = {.inner = rm_inner(node), .count = rm_node_count(node)};
    struct rm_child *child;

    turn.span = (struct rm_span){rm_stream_last_reused(&region->stream, level)->low, UINT64_MAX};
    rm_freeze_node(region->map, turn.inner);
    rm_stream_drop_reused(&region->stream, level);
    child = rm_stream_push_back(&region->stream, level - 1, turn.count);
    for (unsigned i = 0; i < turn.count; i++) {
        child[i] = rm_turn_child(&turn, i);
    }
}

/* Likewise for inner nodes of `level`, whose children are on the level below. */
static bool merge_inner(struct rm_region *region, struct rm_spine *right, unsigned level)
{
    struct rm_node *before = left_of_stream(region, level);
    struct rm_node *behind = rm_spine_right(right, level);
    struct rm_turn *turn = &right->at[level + 1];

    if (rm_stream_count(&region->stream, level - 1) >= RM_INNER_MIN) {
        return true;
    }
    if (behind != NULL) {
        turn->index++;
        return push_children(region, behind, rm_turn_span(turn, turn->index)) && take_in(region, behind);
    }
    if (before != NULL) {
        prepend_children(region, before);
        return take_in(region, before);
    }
    return true;
}

/* ---- building ---- */

static bool reuse_left(struct rm_stream *stream, const struct rm_spine *left)
{
    for (unsigned level = left->top; level > 0; level--) {
        const struct rm_turn *turn = &left->at[level];

        for (unsigned i = 0; i < turn->index; i++) {
            if (!rm_stream_reuse(stream, level - 1, rm_turn_child(turn, i))) {
                return false;
            }
        }
    }
    return true;
}

static bool reuse_right(struct rm_stream *stream, const struct rm_spine *right, unsigned level)
{
    const struct rm_turn *turn = &right->at[level];

    for (unsigned i = turn->index + 1; i < turn->count; i++) {
        if (!rm_stream_push(stream, level - 1, rm_turn_child(turn, i))) {
            return false;
        }
    }
    return true;
}

/* The entries of the region, from the first of the left leaf to the last of the right one. */
static bool compose_region(struct rm_region *region, const struct rm_step *anchor,
                           const struct rm_spine *left, const struct rm_spine *right)
{
    unsigned left_count = rm_node_count(&left->leaf->node), right_count = rm_node_count(&right->leaf->node);
    unsigned from, left_to, right_from, to;

    rm_leaf_overlap(left->leaf, left_count, region->start, region->last, &from, &left_to);
    rm_leaf_overlap(right->leaf, right_count, region->start, region->last, &right_from, &to);
    return put_leaf_part(region, left->leaf, left_count, 0, from) &&
           (region->sink.rewrite->sees_all
                ? walk_region(region, anchor)
                : compose_visit(&region->sink, left->leaf, left_count, from, left_to) &&
                      (left->leaf == right->leaf ||
                       compose_visit(&region->sink, right->leaf, right_count, right_from, to))) &&
           finish_composing(&region->sink) &&
           put_leaf_part(region, right->leaf, right_count, to, right_count);
}

/* From the leaves up to the anchor's children, or to the one node that is all of the map. */
static bool ascend_spines(struct rm_region *region, const struct rm_spine *left, struct rm_spine *right,
                          bool is_root)
{
    struct rm_stream *stream = &region->stream;

    if (!merge_leaf(region, right) || !rm_stream_end_leaves(stream, rm_spine_leaves_high(right))) {
        return false;
    }
    for (unsigned level = 1; level <= left->top; level++) {
        if (is_root && rm_spine_is_last(right, level) && rm_stream_is_one(stream, level - 1)) {
            return true;
        }
        if (!reuse_right(stream, right, level)) {
            return false;
        }
        if (level < left->top &&
            (!merge_inner(region, right, level) || !rm_stream_end_level(stream, level - 1))) {
            return false;
        }
    }
    return true;
}

/* The node that takes the anchor's place. Where a root would have one child alone, that child does. */
static uint64_t top_of(struct rm_stream *stream, unsigned level, bool is_root)
{
    unsigned at = 0;
    uint64_t word;

    while (rm_stream_count(stream, at) == 0) {
        at++;
    }
    while (is_root ? !rm_stream_is_one(stream, at) : at < level) {
        if (!rm_stream_end_level(stream, at)) {
            return 0;
        }
        at++;
    }
    word = stream->level[at]->child[0].word;
    return is_root ? rm_pointer_bits(rm_slot_node(word)) : word;
}

static enum rm_outcome why_not_built(const struct rm_region *region)
{
    return region->sink.outcome != RM_DONE     ? region->sink.outcome
           : region->stream.outcome != RM_DONE ? region->stream.outcome
                                               : RM_NO_MEMORY;
}

enum rm_outcome rm_region_build(struct rm_region *region, const struct rm_step *anchor, struct rm_span span,
                                uint64_t *top)
{
    struct rm_node *node = rm_step_node(anchor);
    bool is_root = anchor->slot == &region->map->root;
    unsigned level = rm_meta_level(anchor->meta);
    struct rm_spine left, right; /* not initialised: above their tops they are not looked at */

    rm_spine_trace(&left, node, span, region->low);
    rm_spine_trace(&right, node, span, region->last);
    region->left_low = left.leaf_span.low;
    region->extra_bytes = 0;
    rm_builder_init(&region->builder, region->map, region->thread);
    rm_stream_init(&region->stream, &region->builder, is_root ? RM_STREAM_NO_LIMIT : level - 1,
                   left.leaf_span.low);
    begin_composing(region, &region->stream);
    if (!reuse_left(&region->stream, &left) || !stage_region(region, &left, &right) ||
        !compose_region(region, anchor, &left, &right)) {
        return why_not_built(region);
    }
    if (!region->sink.changed) {
        return RM_NOTHING;
    }
    if (!ascend_spines(region, &left, &right, is_root)) {
        return why_not_built(region);
    }
    *top = top_of(&region->stream, level, is_root);
    return *top != 0 ? RM_DONE : why_not_built(region);
}
