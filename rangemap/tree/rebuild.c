// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/tree/rebuild.h"

#include <assert.h>

#include "rangemap/tree/freeze.h"

/* A frozen inner node of the region, and which of its children the update touches. */
struct frame {
    struct rm_inner *inner;
    unsigned count, level;
    struct rm_span span;
    enum rm_side side; /* which ends of the update lie in it */
    unsigned from, to; /* children it touches, inclusive; those strictly inside are dropped */
    bool keeps_to;     /* false: child `to` is dropped as well */
};

static bool fail(struct rm_rebuild *rebuild, enum rm_outcome outcome)
{
    rebuild->outcome = outcome;
    return false;
}

static struct frame enter_frame(const struct rm_rebuild *rebuild, struct rm_node *node, struct rm_span span,
                                enum rm_side side)
{
    const struct rm_op *op = rebuild->op;
    struct frame frame = {.inner = rm_inner(node), .span = span, .side = side, .keeps_to = true};

    frame.count = rm_node_count(node);
    frame.level = rm_node_level(node);
    frame.to = frame.count - 1;
    if ((side & RM_LEFT) != 0) {
        frame.from = rm_child_index(frame.inner, frame.count, op->start);
    }
    if ((side & RM_RIGHT) != 0) {
        frame.to = rm_child_index(frame.inner, frame.count, op->last);
        /* Nothing of it is left. The left spine goes on, to cover what becomes free (R3). */
        frame.keeps_to = op->last < rm_child_span(frame.inner, frame.count, frame.to, span).high;
    } else {
        frame.keeps_to = false;
    }
    return frame;
}

static bool stage_node(struct rm_rebuild *rebuild, const struct rm_node *node)
{
    unsigned lines = rm_node_lines(rm_node_count(node), rm_node_level(node));

    return rm_retire_stage_node(rebuild->thread, node, lines) || fail(rebuild, RM_NO_MEMORY);
}

/* Children [from, to) go, with all that is in them. */
static bool drop_children(struct rm_rebuild *rebuild, const struct frame *frame, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++) {
        if (!rm_retire_stage_subtree(rebuild->thread, rm_frozen_child(frame->inner, i),
                                     &rebuild->map->values)) {
            return fail(rebuild, RM_NO_MEMORY);
        }
    }
    return true;
}

/* Which children are rebuilt, and which dropped: calls nothing, decides for leaves and inner nodes alike. */
struct touched {
    bool left, right; /* child `from` is the left spine, child `to` the right spine */
    bool same;        /* both are one child */
    unsigned drop_from, drop_to;
};

static struct touched touch(const struct frame *frame)
{
    struct touched touched = {0};

    touched.left = (frame->side & RM_LEFT) != 0;
    touched.same = frame->side == RM_BOTH && frame->from == frame->to;
    touched.right = (frame->side & RM_RIGHT) != 0 && frame->keeps_to && !touched.same;
    touched.drop_from = touched.left ? frame->from + 1 : 0;
    touched.drop_to = touched.right || touched.same ? frame->to : frame->to + 1;
    if (touched.same) {
        touched.drop_from = touched.drop_to;
    }
    return touched;
}

/* The lowest key of what is rebuilt in this frame. */
static uint64_t rebuilt_low(const struct rm_rebuild *rebuild, const struct frame *frame)
{
    if ((frame->side & RM_LEFT) == 0) {
        return rebuild->op->last + 1;
    }
    return rm_child_span(frame->inner, frame->count, frame->from, frame->span).low;
}

static void reuse_children(const struct frame *frame, unsigned from, unsigned to, struct rm_row *row)
{
    for (unsigned i = from; i < to; i++) {
        uint64_t low = rm_child_span(frame->inner, frame->count, i, frame->span).low;

        rm_row_append(row, low, rm_frozen_child(frame->inner, i));
    }
}

/* The neighbours that a small node may take in; NULL where there is none. */
static struct rm_node *left_neighbour(const struct frame *frame)
{
    bool has = (frame->side & RM_LEFT) != 0 && frame->from > 0;

    return has ? rm_frozen_child(frame->inner, frame->from - 1) : NULL;
}

static struct rm_node *right_neighbour(const struct frame *frame)
{
    bool has = (frame->side & RM_RIGHT) != 0 && frame->to + 1 < frame->count;

    return has ? rm_frozen_child(frame->inner, frame->to + 1) : NULL;
}

/* ---- leaves ---- */

static bool append_edited_leaf(struct rm_rebuild *rebuild, struct rm_run *run, struct rm_node *node,
                               enum rm_side side)
{
    struct rm_leaf *leaf = rm_leaf(node);
    unsigned count = rm_node_count(node);
    struct rm_edit *edit = &rebuild->edit;
    enum rm_outcome outcome = rm_edit_plan(edit, rebuild->op, &rebuild->map->values, leaf, count,
                                           rm_rank(node, count, rebuild->op->start), side);

    if (outcome != RM_DONE) {
        return fail(rebuild, outcome);
    }
    if (!rm_edit_stage_values(edit, rebuild->op, &rebuild->map->values, leaf, count, rebuild->thread) ||
        !stage_node(rebuild, node)) {
        return fail(rebuild, RM_NO_MEMORY);
    }
    rm_run_append_leaf(run, leaf, count, 0, edit->from);
    for (unsigned i = 0; i < edit->puts; i++) {
        rm_run_append(run, edit->put[i].start, edit->put[i].last, edit->put[i].value);
    }
    rm_run_append_leaf(run, leaf, count, edit->to, count);
    return true;
}

static bool fits_merged(const struct rm_run *run, const struct rm_node *neighbour)
{
    return neighbour != NULL &&
           (run->count == 0 || run->count + rm_node_count(neighbour) <= RM_MERGED_LEAF_MAX);
}

static bool append_leaf(struct rm_rebuild *rebuild, struct rm_run *run, struct rm_node *node)
{
    unsigned count = rm_node_count(node);

    rm_run_append_leaf(run, rm_leaf(node), count, 0, count);
    rebuild->bytes += rm_node_bytes(node);
    return stage_node(rebuild, node);
}

/* Ordered insertion at either end of a node's leaves leaves full leaves behind. */
static enum rm_packing packing_for(const struct rm_rebuild *rebuild, const struct frame *frame,
                                   const struct rm_run *run)
{
    const struct rm_op *op = rebuild->op;

    if (frame->side != RM_BOTH || !rm_op_adds_range(op)) {
        return RM_PACK_EVENLY;
    }
    if (frame->to + 1 == frame->count && run->start[run->count - 1] == op->start) {
        return RM_PACK_LEFT_FULL;
    }
    return frame->from == 0 && run->start[0] == op->start ? RM_PACK_RIGHT_FULL : RM_PACK_EVENLY;
}

/* The leaves that take the place of those that the update touches, and perhaps of a neighbour. */
static bool rebuild_leaves(struct rm_rebuild *rebuild, const struct frame *frame, struct rm_row *row,
                           bool *took_right)
{
    struct touched touched = touch(frame);
    struct rm_run own, merged, *run = &own;
    uint64_t low = rebuilt_low(rebuild, frame);
    struct rm_node *neighbour = left_neighbour(frame);

    own.count = 0;
    if (touched.left && !append_edited_leaf(rebuild, run, rm_frozen_child(frame->inner, frame->from),
                                            touched.same ? RM_BOTH : RM_LEFT)) {
        return false;
    }
    if (touched.right && rm_broken(RM_R3_SPAN)) {
        *took_right = true; /* it is here already */
        return rm_build_leaves(&rebuild->builder, run, low, RM_PACK_EVENLY, row) &&
               (rm_row_append(row, rebuild->op->last + 1, rm_frozen_child(frame->inner, frame->to)), true);
    }
    if (touched.right &&
        !append_edited_leaf(rebuild, run, rm_frozen_child(frame->inner, frame->to), RM_RIGHT)) {
        return false;
    }
    /* NOLINTNEXTLINE(misc-redundant-expression): RM_LEAF_MIN may be 0 */
    if (run->count < RM_LEAF_MIN || run->count == 0) {
        if (fits_merged(run, neighbour)) {
            merged.count = 0;
            if (!append_leaf(rebuild, &merged, neighbour)) {
                return false;
            }
            for (unsigned i = 0; i < run->count; i++) {
                rm_run_append(&merged, run->start[i], run->pair[i].last, run->pair[i].value);
            }
            run = &merged;
            low = row->low[--row->count];
        } else if ((touched.left || run->count > 0) && fits_merged(run, right_neighbour(frame))) {
            if (!append_leaf(rebuild, run, right_neighbour(frame))) {
                return false;
            }
            *took_right = true;
        }
    }
    if (run->count == 0 && !touched.left) {
        return true; /* the left spine, elsewhere, covers it */
    }
    return rm_build_leaves(&rebuild->builder, run, low, packing_for(rebuild, frame, run), row) ||
           fail(rebuild, RM_NO_MEMORY);
}

/* ---- inner nodes ---- */

static bool rebuild_row(struct rm_rebuild *rebuild, struct rm_node *node, struct rm_span span,
                        enum rm_side side, struct rm_row *row);

static bool append_inner(struct rm_rebuild *rebuild, struct rm_row *row, struct rm_node *node, uint64_t low)
{
    unsigned count = rm_node_count(node);

    rm_freeze_node(rebuild->map, rm_inner(node));
    for (unsigned i = 0; i < count; i++) {
        rm_row_append(row, i == 0 ? low : rm_inner(node)->separator[i - 1],
                      rm_frozen_child(rm_inner(node), i));
    }
    rebuild->bytes += rm_node_bytes(node);
    return stage_node(rebuild, node);
}

/* The children of all inner nodes that the update touches in this frame, as one row. */
static bool collect_grandchildren(struct rm_rebuild *rebuild, const struct frame *frame, struct rm_row *row)
{
    struct touched touched = touch(frame);

    if (touched.left && !rebuild_row(rebuild, rm_frozen_child(frame->inner, frame->from),
                                     rm_child_span(frame->inner, frame->count, frame->from, frame->span),
                                     touched.same ? RM_BOTH : RM_LEFT, row)) {
        return false;
    }
    return !touched.right ||
           rebuild_row(rebuild, rm_frozen_child(frame->inner, frame->to),
                       rm_child_span(frame->inner, frame->count, frame->to, frame->span), RM_RIGHT, row);
}

static bool rebuild_inners(struct rm_rebuild *rebuild, const struct frame *frame, struct rm_row *row,
                           bool *took_right)
{
    struct rm_row grand;
    struct rm_node *neighbour;

    grand.count = 0;
    if (!collect_grandchildren(rebuild, frame, &grand)) {
        return false;
    }
    if (grand.count == 0) {
        return true;
    }
    neighbour = right_neighbour(frame);
    if (grand.count < RM_INNER_MIN && neighbour != NULL) {
        uint64_t low = rm_child_span(frame->inner, frame->count, frame->to + 1, frame->span).low;

        if (!append_inner(rebuild, &grand, neighbour, low)) {
            return false;
        }
        *took_right = true;
    } else if (grand.count < RM_INNER_MIN && left_neighbour(frame) != NULL) {
        struct rm_row merged;

        merged.count = 0;
        row->count--;
        if (!append_inner(rebuild, &merged, row->node[row->count], row->low[row->count])) {
            return false;
        }
        for (unsigned i = 0; i < grand.count; i++) {
            rm_row_append(&merged, grand.low[i], grand.node[i]);
        }
        return rm_build_inners(&rebuild->builder, &merged, frame->level - 1, row) ||
               fail(rebuild, RM_NO_MEMORY);
    }
    return rm_build_inners(&rebuild->builder, &grand, frame->level - 1, row) || fail(rebuild, RM_NO_MEMORY);
}

/* Appends the children that an inner node of the region is to have after the update. */
static bool rebuild_row(struct rm_rebuild *rebuild, struct rm_node *node, struct rm_span span,
                        enum rm_side side, struct rm_row *row)
{
    struct frame frame = enter_frame(rebuild, node, span, side);
    struct touched touched = touch(&frame);
    bool took_right = false;
    bool done;

    if (!stage_node(rebuild, node) || !drop_children(rebuild, &frame, touched.drop_from, touched.drop_to)) {
        return false;
    }
    if (touched.left) {
        reuse_children(&frame, 0, frame.from, row);
    }
    done = frame.level == 1 ? rebuild_leaves(rebuild, &frame, row, &took_right)
                            : rebuild_inners(rebuild, &frame, row, &took_right);
    if (done && (side & RM_RIGHT) != 0) {
        reuse_children(&frame, frame.to + 1 + took_right, frame.count, row);
    }
    return done;
}

/* ---- the top ---- */

/* The root is one leaf that no longer fits, or that is edited while nothing else is there. */
static bool rebuild_root_leaf(struct rm_rebuild *rebuild, struct rm_node *node, struct rm_row *row)
{
    struct frame frame = {.side = RM_BOTH, .count = 1};
    struct rm_run run;

    run.count = 0;
    return append_edited_leaf(rebuild, &run, node, RM_BOTH) &&
           (rm_build_leaves(&rebuild->builder, &run, 0, packing_for(rebuild, &frame, &run), row) ||
            fail(rebuild, RM_NO_MEMORY));
}

/*
 * A root of one child gives way to it, and so on down, as far as the children were built just now: a node
 * that others have seen must not be published a second time (R4). The only child always is new.
 */
static struct rm_node *collapse(struct rm_rebuild *rebuild, struct rm_node *node)
{
    while (rm_node_level(node) > 0 && rm_node_count(node) == 1) {
        struct rm_node *child = rm_slot_node(rm_word_private(&rm_inner(node)->slot[0]));

        if (!rm_builder_made(&rebuild->builder, child)) {
            break;
        }
        rm_builder_free(&rebuild->builder, node);
        node = child;
    }
    return node;
}

/* One inner node over `row`, which fits: the anchor had room. */
static struct rm_node *wrap(struct rm_rebuild *rebuild, const struct rm_row *row, unsigned level)
{
    struct rm_row above;

    above.count = 0;
    assert(row->count <= RM_INNER_MAX);
    return rm_build_inners(&rebuild->builder, row, level, &above) ? above.node[0] : NULL;
}

/* Inner nodes over `row`, level upon level, until one is left. */
static struct rm_node *raise(struct rm_rebuild *rebuild, struct rm_row *row, unsigned level)
{
    do {
        struct rm_row above;

        above.count = 0;
        if (!rm_build_inners(&rebuild->builder, row, level, &above)) {
            return NULL;
        }
        *row = above;
        level++;
    } while (row->count > 1);
    return row->node[0];
}

enum rm_outcome rm_rebuild_region(struct rm_rebuild *rebuild, const struct rm_step *anchor,
                                  struct rm_span span, struct rm_node **top)
{
    struct rm_node *node = rm_step_node(anchor);
    unsigned level = rm_meta_level(anchor->meta);
    bool is_root = anchor->slot == &rebuild->map->root;
    struct rm_row row;

    row.count = 0;
    rebuild->edit.shares_value = false;
    if (level == 0 ? !rebuild_root_leaf(rebuild, node, &row)
                   : !rebuild_row(rebuild, node, span, RM_BOTH, &row)) {
        return rebuild->outcome;
    }
    if (is_root && row.count == 1 && rm_builder_made(&rebuild->builder, row.node[0])) {
        *top = collapse(rebuild, row.node[0]);
        return RM_DONE;
    }
    if (level == 0) {
        level = 1;
    }
    *top = is_root ? raise(rebuild, &row, level) : wrap(rebuild, &row, level);
    return *top != NULL ? RM_DONE : RM_NO_MEMORY;
}
