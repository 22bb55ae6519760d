// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/tree/gaps.h"

#include "rangemap/epoch/retire.h"
#include "rangemap/node/entry.h"
#include "rangemap/tree/freeze.h"
#include "rangemap/tree/publish.h"

/* ---- routes ---- */

/* What an erase makes of the range that holds its key, or would. */
static enum rm_outcome plan_erase(const struct rm_op *op, const struct rangemap_entry *entry)
{
    if (op->start > entry->last ||
        (op->kind != RM_ERASE && (op->start != entry->start || op->end != entry->last))) {
        return RM_NOTHING;
    }
    return op->kind == RM_ERASE_VALUE && op->expected != entry->value ? RM_STALE : RM_DONE;
}

/*
 * The path ends in a leaf of which an erase takes the first range, and the leaf's span begins with that; but the map's
 * first leaf.
 */
static bool takes_first(const struct rm_path *path, const struct rm_op *op)
{
    const struct rm_step *step = &path->step[path->last];
    const struct rm_node *node = rm_step_node(step);
    struct rangemap_entry entry;

    if (rm_meta_level(step->meta) > 0 || path->rank != 1) {
        return false;
    }
    entry = rm_leaf_entry(rm_leaf(node), rm_meta_count(step->meta), 0);
    return entry.start != 0 && entry.start == rm_path_span(path, step).low &&
           plan_erase(op, &entry) == RM_DONE;
}

static void descend_from(struct rm_path *path, struct rangemap *map, const struct rm_op *op, uint64_t low)
{
    const struct rm_step *step;

    rm_path_descend(path, map, low, op->last);
    step = &path->step[path->last];
    if (low != op->start && rm_meta_level(step->meta) == 0) {
        path->rank = rm_rank(rm_step_node(step), rm_meta_count(step->meta), op->start);
    }
}

/* Each way down sees another map: where a leaf began, a range may have come that begins with the leaf before it. */
uint64_t rm_gaps_descend(struct rm_path *path, struct rangemap *map, const struct rm_op *op)
{
    uint64_t low = op->start;

    if (op->kind == RM_CARVE && low > 0) {
        low--;
    }
    descend_from(path, map, op, low);
    while (rm_op_erases(op) && takes_first(path, op)) {
        low = rm_node_keys(rm_step_node(&path->step[path->last]))[0] - 1;
        descend_from(path, map, op, low);
    }
    return low;
}

/* The leaf in a frozen region that covers `key`; its span is in *span, which is that of the anchor's node. */
static struct rm_leaf *frozen_leaf(const struct rm_step *anchor, uint64_t key, unsigned *count,
                                   struct rm_span *span)
{
    struct rm_node *node = rm_step_node(anchor);

    while (rm_node_level(node) > 0) {
        struct rm_inner *inner = rm_inner(node);
        unsigned children = rm_node_count(node);
        unsigned index = rm_child_index(inner, children, key);

        *span = rm_child_span(inner, children, index, *span);
        node = rm_frozen_child(inner, index);
    }
    *count = rm_node_count(node);
    return rm_leaf(node);
}

enum rm_outcome rm_gaps_inspect_erase(struct rm_op *op, uint64_t low, const struct rm_step *anchor)
{
    struct rm_span span = RM_ALL_KEYS;
    unsigned count, from, to;
    struct rm_leaf *leaf = frozen_leaf(anchor, op->start, &count, &span);
    struct rangemap_entry entry;
    enum rm_outcome outcome;

    rm_leaf_overlap(leaf, count, op->start, op->start, &from, &to);
    if (from == to) {
        return RM_NOTHING;
    }
    op->found = entry = rm_leaf_entry(leaf, count, from);
    outcome = plan_erase(op, &entry);
    if (outcome == RM_DONE && entry.start - 1 != low) {
        outcome = RM_RETRY;
    }
    return outcome;
}

uint64_t rm_gaps_left_high(const struct rm_op *op, const struct rm_step *anchor, struct rm_span span)
{
    uint64_t removed = rm_op_is_spanning(op) ? op->last : op->found.last;
    unsigned count, rank;
    struct rm_leaf *leaf = frozen_leaf(anchor, op->last, &count, &span);

    rank = rm_rank(&leaf->node, count, removed);
    if (rank > 0 && rm_leaf_pairs(leaf, count)[rank - 1].last > removed) {
        return removed; /* a range that sticks out is cut behind it */
    }
    return rank < count ? rm_node_keys(&leaf->node)[rank] - 1 : span.high;
}

/* ---- classes ---- */

/* False: frozen below `gap_class`. */
static bool raise_slot(rm_word *slot, unsigned gap_class)
{
    uint64_t word = rm_load_relaxed(slot); /* the compare-and-swap decides */

    while (rm_slot_class(word) < gap_class) {
        uint64_t raised = rm_slot_word(rm_slot_node(word), gap_class);

        if (rm_slot_is_frozen(word)) {
            return false;
        }
        if (rm_cas_full(slot, word, raised)) {
            return true;
        }
        word = rm_load_relaxed(slot);
    }
    return true;
}

/*
 * Raises, from the top down, the slots of steps 1 to below - 1 to `gap_class` (G3). Returns 0, or the step whose slot
 * is frozen and too low, the topmost: nothing of that class may be published below it (G4).
 */
static unsigned raise_slots(const struct rm_path *path, unsigned below, unsigned gap_class)
{
    unsigned i = below;

    while (i > 1 && rm_slot_class(path->step[i - 1].word) < gap_class) {
        i--;
    }
    for (; i > 0 && i < below; i++) {
        if (!raise_slot(path->step[i].slot, gap_class)) {
            return i;
        }
    }
    return 0;
}

enum rm_outcome rm_gaps_publish(struct rangemap *map, const struct rm_path *path, const struct rm_step *step,
                                uint64_t word, unsigned *limit)
{
    unsigned frozen = raise_slots(path, (unsigned)(step - path->step), rm_slot_class(word));

    if (frozen > 0) {
        *limit = frozen - 1;
        return RM_TOO_LOW;
    }
    return rm_publish(map, step, word) ? RM_DONE : RM_RETRY;
}

/* The class of the gap between ranges index - 1 and index of a leaf; at its end, up to the end of its span. */
static unsigned class_of_gap(const struct rm_path *path, const struct rm_step *step,
                             const struct rm_leaf *leaf, unsigned count, unsigned index)
{
    uint64_t before = rm_leaf_pairs(leaf, count)[index - 1].last;
    uint64_t behind = index < count ? rm_node_keys(&leaf->node)[index] - 1 : rm_path_high(path, step);

    return rm_gap_class(behind - before);
}

/* Whether all that changes is a value. */
static bool keeps_bounds(const struct rm_edit *edit, const struct rm_leaf *old, unsigned old_count)
{
    struct rangemap_entry entry;

    if (edit->puts != 1 || edit->to != edit->from + 1) {
        return false;
    }
    entry = rm_leaf_entry(old, old_count, edit->from);
    return entry.start == edit->put[0].start && entry.last == edit->put[0].last;
}

/*
 * The class of a leaf as edited. That of the old one is exact, so where only one gap changed there is no need to look
 * at the others: one that grew may be the longest now; one that is filled was the longest, or does not matter.
 */
static unsigned edited_class(const struct rm_path *path, const struct rm_step *step,
                             const struct rm_edit *edit, const struct rm_leaf *made, unsigned made_count)
{
    const struct rm_leaf *old = rm_leaf(rm_step_node(step));
    unsigned old_count = rm_meta_count(step->meta), old_class = rm_slot_class(step->word), grown;
    struct rm_span span;

    if (edit->puts == 0 && edit->from > 0) {
        grown = class_of_gap(path, step, made, made_count, edit->from);
        return grown > old_class ? grown : old_class;
    }
    if (edit->from == edit->to && edit->from > 0 &&
        class_of_gap(path, step, old, old_count, edit->from) < old_class) {
        return old_class;
    }
    if (keeps_bounds(edit, old, old_count)) {
        return old_class;
    }
    span = rm_path_span(path, step);
    return rm_leaf_class(made, made_count, span.low, span.high);
}

uint64_t rm_gaps_leaf_word(const struct rm_path *path, const struct rm_step *step, const struct rm_edit *edit,
                           const struct rm_leaf *made)
{
    unsigned count = rm_edit_count(edit, rm_meta_count(step->meta));

    return rm_slot_word(&made->node, step == path->step ? 0 : edited_class(path, step, edit, made, count));
}

/* ---- tightening ---- */

/* A copy of a frozen inner node, unpublished. NULL: no memory. */
static struct rm_node *copy_frozen(struct rm_thread *thread, struct rm_inner *inner, uint64_t meta)
{
    unsigned count = rm_meta_count(meta);
    struct rm_inner *made = rm_thread_alloc(thread, RM_INNER_LINES);

    if (made == NULL) {
        return NULL;
    }
    rm_word_set_private(&made->node.meta, rm_meta(count, rm_meta_level(meta), 0));
    for (unsigned i = 0; i < count; i++) {
        rm_word_set_private(&made->slot[i], rm_frozen_word(inner, i));
        if (i > 0) {
            made->separator[i - 1] = inner->separator[i - 1];
        }
    }
    return &made->node;
}

static void replace_by_copy(struct rangemap *map, struct rm_thread *thread, const struct rm_step *step)
{
    struct rm_inner *inner = rm_inner(rm_step_node(step));
    struct rm_node *made;
    uint64_t word;

    rm_freeze_node(map, inner);
    made = copy_frozen(thread, inner, step->meta);
    if (made == NULL) {
        return;
    }
    word = rm_slot_word(made, rm_inner_class(rm_inner(made), rm_meta_count(step->meta)));
    if (rm_retire_stage_node(thread, inner, RM_INNER_LINES) && rm_publish(map, step, word)) {
        rm_retire_commit(thread, RM_INNER_LINES * RM_CACHE_LINE);
        return;
    }
    rm_retire_abort(thread);
    rm_thread_free(thread, made, RM_INNER_LINES);
}

/* Whether its slot promises more than the node holds, and can be changed. */
static bool is_loose(const struct rm_step *step)
{
    const struct rm_inner *inner = rm_inner(rm_step_node(step));

    return !rm_slot_is_frozen(step->word) &&
           rm_slot_class(step->word) > rm_inner_class(inner, rm_meta_count(step->meta));
}

void rm_gaps_tighten(struct rangemap *map, struct rm_thread *thread, uint64_t key, unsigned level)
{
    struct rm_path path;
    const struct rm_step *step = path.step;

    rm_busy_enter(thread);
    rm_section_enter(thread);
    rm_path_descend(&path, map, key, key);
    while (rm_meta_level(step->meta) > level) {
        step++;
    }
    if (step != path.step && rm_meta_level(step->meta) == level && level > 0 && is_loose(step)) {
        replace_by_copy(map, thread, step);
    }
    rm_section_leave(thread);
    rm_busy_leave(thread);
}
