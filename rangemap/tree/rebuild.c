// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/tree/rebuild.h"

#include <assert.h>
#include <string.h>

#include "rangemap/tree/frame.h"
#include "rangemap/tree/gaps.h"

static bool fail(struct rm_rebuild *rebuild, enum rm_outcome outcome)
{
    rebuild->outcome = outcome;
    return false;
}

static bool stage_node(struct rm_rebuild *rebuild, const struct rm_node *node)
{
    unsigned lines = rm_node_lines(rm_node_count(node), rm_node_level(node));

    return rm_retire_stage_node(rebuild->thread, node, lines) || fail(rebuild, RM_NO_MEMORY);
}

/* Children [from, to) go, with all that is in them. */
static bool drop_children(struct rm_rebuild *rebuild, const struct rm_frame *frame, unsigned from,
                          unsigned to)
{
    for (unsigned i = from; i < to; i++) {
        if (!rm_retire_stage_subtree(rebuild->thread, rm_frozen_child(frame->inner, i),
                                     &rebuild->map->values)) {
            return fail(rebuild, RM_NO_MEMORY);
        }
    }
    return true;
}

/* The lowest key of what is rebuilt in this frame. */
static uint64_t rebuilt_low(const struct rm_rebuild *rebuild, const struct rm_frame *frame)
{
    if ((frame->side & RM_LEFT) == 0) {
        return rebuild->left_high + 1;
    }
    return rm_frame_span(frame, frame->from).low;
}

/* And the highest. */
static uint64_t rebuilt_high(const struct rm_rebuild *rebuild, const struct rm_frame *frame, bool took_right)
{
    if ((frame->side & RM_RIGHT) == 0) {
        return rebuild->left_high;
    }
    return rm_frame_span(frame, frame->to + took_right).high;
}

/* ---- leaves ---- */

static bool append_edited_leaf(struct rm_rebuild *rebuild, struct rm_run *run, struct rm_node *node,
                               enum rm_side side)
{
    struct rm_leaf *leaf = rm_leaf(node);
    unsigned count = rm_node_count(node);
    struct rm_edit *edit = &rebuild->edit;
    enum rm_outcome outcome = rm_edit_plan(edit, rebuild->op, &rebuild->map->values, leaf, count,
                                           rm_rank(node, count, rebuild->op->start), side, RM_MAY_CUT);

    if (outcome != RM_DONE) {
        return fail(rebuild, outcome);
    }
    if (!rm_edit_stage_values(RM_MAY_CUT, edit, rebuild->op, &rebuild->map->values, leaf, count,
                              rebuild->thread) ||
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

/* A neighbour that is rebuilt as well. */
static bool absorb(struct rm_rebuild *rebuild, const struct rm_node *node)
{
    rebuild->bytes += rm_node_bytes(node);
    return stage_node(rebuild, node);
}

/* A small leaf takes in a neighbour, if there is one that it fits: *low is its own, *took_right says which it was. */
static bool absorb_leaf(struct rm_rebuild *rebuild, const struct rm_frame *frame, struct rm_run *run,
                        struct rm_row *row, uint64_t *low, bool *took_right)
{
    struct rm_node *left = rm_frame_left_neighbour(frame), *right = rm_frame_right_neighbour(frame);
    bool has_left = (frame->side & RM_LEFT) != 0;

    if (fits_merged(run, left)) {
        rm_run_push_back(run, rm_leaf(left), rm_node_count(left));
        *low = rm_frame_span(frame, frame->from - 1).low;
        row->count--; /* where it was to be reused */
        return absorb(rebuild, left);
    }
    if ((has_left || run->count > 0) && fits_merged(run, right)) {
        rm_run_append_leaf(run, rm_leaf(right), rm_node_count(right), 0, rm_node_count(right));
        *took_right = true;
        return absorb(rebuild, right);
    }
    return true;
}

/* Ordered insertion at either end of a node's leaves leaves full leaves behind. */
static enum rm_packing packing_for(const struct rm_rebuild *rebuild, const struct rm_frame *frame,
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
static bool rebuild_leaves(struct rm_rebuild *rebuild, const struct rm_frame *frame, struct rm_row *row,
                           bool *took_right)
{
    struct rm_child_plan plan = rm_frame_plan_children(frame);
    struct rm_run run;
    uint64_t low = rebuilt_low(rebuild, frame);

    run.count = 0;
    if (plan.left && !append_edited_leaf(rebuild, &run, rm_frozen_child(frame->inner, frame->from),
                                         plan.same ? RM_BOTH : RM_LEFT)) {
        return false;
    }
    if (plan.right &&
        !append_edited_leaf(rebuild, &run, rm_frozen_child(frame->inner, frame->to), RM_RIGHT)) {
        return false;
    }
    if (plan.left && rm_gaps_free_low(rebuild->map, &run, low)) {
        return fail(rebuild, RM_RETRY);
    }
    /* NOLINTNEXTLINE(misc-redundant-expression): RM_LEAF_MIN may be 0 */
    if ((run.count < RM_LEAF_MIN || run.count == 0) &&
        !absorb_leaf(rebuild, frame, &run, row, &low, took_right)) {
        return false;
    }
    if (run.count == 0 && !plan.left) {
        return true; /* the left spine, elsewhere, covers it */
    }
    return rm_build_leaves(&rebuild->builder, &run,
                           (struct rm_span){low, rebuilt_high(rebuild, frame, *took_right)},
                           packing_for(rebuild, frame, &run), row) ||
           fail(rebuild, RM_NO_MEMORY);
}

/* ---- inner nodes ---- */

static bool rebuild_row(struct rm_rebuild *rebuild, struct rm_node *node, struct rm_span span,
                        enum rm_side side, struct rm_row *row);

/* The children of an inner node that lies at `low`, into a row. */
static void open_inner(struct rm_rebuild *rebuild, struct rm_node *node, uint64_t low, struct rm_child *child)
{
    struct rm_inner *inner = rm_inner(node);
    unsigned count = rm_node_count(node);

    rm_freeze_node(rebuild->map, inner);
    for (unsigned i = 0; i < count; i++) {
        child[i] = (struct rm_child){i == 0 ? low : inner->separator[i - 1], rm_frozen_word(inner, i)};
    }
}

/* The children of a small inner node take in those of a neighbour; *took_right says whether it was the right one. */
static bool absorb_inner(struct rm_rebuild *rebuild, const struct rm_frame *frame, struct rm_row *grand,
                         struct rm_row *row, bool *took_right)
{
    struct rm_node *left = rm_frame_left_neighbour(frame), *right = rm_frame_right_neighbour(frame);

    if (right != NULL) {
        open_inner(rebuild, right, rm_frame_span(frame, frame->to + 1).low, grand->child + grand->count);
        grand->count += rm_node_count(right);
        *took_right = true;
        return absorb(rebuild, right);
    }
    if (left != NULL) {
        unsigned count = rm_node_count(left);

        memmove(grand->child + count, grand->child, grand->count * sizeof grand->child[0]);
        open_inner(rebuild, left, rm_frame_span(frame, frame->from - 1).low, grand->child);
        row->count--;
        grand->count += count;
        return absorb(rebuild, left);
    }
    return true;
}

/* The children of all inner nodes that the update touches in this frame, as one row. */
static bool collect_grandchildren(struct rm_rebuild *rebuild, const struct rm_frame *frame,
                                  struct rm_row *row)
{
    struct rm_child_plan plan = rm_frame_plan_children(frame);

    if (plan.left && !rebuild_row(rebuild, rm_frozen_child(frame->inner, frame->from),
                                  rm_frame_span(frame, frame->from), plan.same ? RM_BOTH : RM_LEFT, row)) {
        return false;
    }
    return !plan.right || rebuild_row(rebuild, rm_frozen_child(frame->inner, frame->to),
                                      rm_frame_span(frame, frame->to), RM_RIGHT, row);
}

static bool rebuild_inners(struct rm_rebuild *rebuild, const struct rm_frame *frame, struct rm_row *row,
                           bool *took_right)
{
    struct rm_row grand;

    grand.count = 0;
    if (!collect_grandchildren(rebuild, frame, &grand)) {
        return false;
    }
    if (grand.count == 0) {
        return true;
    }
    if (grand.count < RM_INNER_MIN && !absorb_inner(rebuild, frame, &grand, row, took_right)) {
        return false;
    }
    return rm_build_inners(&rebuild->builder, grand.child, grand.count, frame->level - 1, row) ||
           fail(rebuild, RM_NO_MEMORY);
}

/* Appends the children that an inner node of the region is to have after the update. */
static bool rebuild_row(struct rm_rebuild *rebuild, struct rm_node *node, struct rm_span span,
                        enum rm_side side, struct rm_row *row)
{
    struct rm_frame frame = rm_frame_enter(node, span, side, rebuild->low, rebuild->op->last);
    struct rm_child_plan plan = rm_frame_plan_children(&frame);
    bool took_right = false;
    bool done;

    if (!stage_node(rebuild, node) || !drop_children(rebuild, &frame, plan.drop_from, plan.drop_to)) {
        return false;
    }
    rm_frame_reuse(&frame, 0, frame.from, row);
    done = frame.level == 1 ? rebuild_leaves(rebuild, &frame, row, &took_right)
                            : rebuild_inners(rebuild, &frame, row, &took_right);
    if (done) {
        rm_frame_reuse(&frame, frame.to + 1 + took_right, frame.count, row);
    }
    return done;
}

/* ---- the top ---- */

/*
 * The root is one leaf that no longer fits, or that is edited while nothing else is there. Not inlined, for the
 * stack's sake: neither this nor add_levels() lies under the other levels.
 */
static RM_NOINLINE bool rebuild_root_leaf(struct rm_rebuild *rebuild, struct rm_node *node,
                                          struct rm_row *row)
{
    struct rm_frame frame = {.side = RM_BOTH, .count = 1};
    struct rm_run run;

    run.count = 0;
    return append_edited_leaf(rebuild, &run, node, RM_BOTH) &&
           (rm_build_leaves(&rebuild->builder, &run, RM_ALL_KEYS, packing_for(rebuild, &frame, &run), row) ||
            fail(rebuild, RM_NO_MEMORY));
}

/*
 * A root of one child gives way to it, and so on down, as far as the children were built just now: a node
 * that others have seen must not be published a second time (R4). The only child always is new.
 */
static struct rm_node *shrink_root(struct rm_rebuild *rebuild, struct rm_node *node)
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

/* One inner node over `row`, which fits: the anchor had room. 0: no memory. */
static uint64_t top_below_anchor(struct rm_rebuild *rebuild, const struct rm_row *row, unsigned level)
{
    struct rm_child top;

    assert(row->count <= RM_INNER_MAX);
    return rm_build_inner(&rebuild->builder, row->child, row->count, level, &top) ? top.word : 0;
}

/* Inner nodes over `row`, level upon level, until one is left: a root, which has no class. 0: no memory. */
static RM_NOINLINE uint64_t grow_root(struct rm_rebuild *rebuild, struct rm_row *row, unsigned level)
{
    do {
        struct rm_row above;

        above.count = 0;
        if (!rm_build_inners(&rebuild->builder, row->child, row->count, level, &above)) {
            return 0;
        }
        *row = above;
        level++;
    } while (row->count > 1);
    return rm_pointer_bits(rm_slot_node(row->child[0].word));
}

enum rm_outcome rm_rebuild_region(struct rm_rebuild *rebuild, const struct rm_step *anchor,
                                  struct rm_span span, uint64_t *top)
{
    struct rm_node *node = rm_step_node(anchor);
    unsigned level = rm_meta_level(anchor->meta);
    bool is_root = anchor->slot == &rebuild->map->root;
    struct rm_row row;

    row.count = 0;
    rebuild->edit.shares_value = false;
    if (rebuild->map->tracks_gaps) {
        rebuild->left_high = rm_gaps_left_high(rebuild->op, anchor, span);
    }
    if (level == 0 ? !rebuild_root_leaf(rebuild, node, &row)
                   : !rebuild_row(rebuild, node, span, RM_BOTH, &row)) {
        return rebuild->outcome;
    }
    if (is_root && row.count == 1 && rm_builder_made(&rebuild->builder, rm_slot_node(row.child[0].word))) {
        *top = rm_pointer_bits(shrink_root(rebuild, rm_slot_node(row.child[0].word)));
        return RM_DONE;
    }
    if (level == 0) {
        level = 1;
    }
    *top = is_root ? grow_root(rebuild, &row, level) : top_below_anchor(rebuild, &row, level);
    return *top != 0 ? RM_DONE : RM_NO_MEMORY;
}
