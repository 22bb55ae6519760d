// SPDX-License-Identifier: BSD-2-Clause
/*
 * The update protocol; docs/design.md has its proof.
 *
 *   leaf path     everything in one leaf that stays one leaf: a copy, one compare-and-swap.
 *   region path   leaves split, merge or are crossed: freeze, rebuild with the update applied, one
 *                 compare-and-swap at the anchor.
 */
#include "rangemap/tree/update.h"

#include "rangemap/base/probe.h"
#include "rangemap/epoch/reclaim.h"
#include "rangemap/tree/freeze.h"
#include "rangemap/tree/join.h"
#include "rangemap/tree/publish.h"
#include "rangemap/tree/rebuild.h"
#include "rangemap/tree/walk.h"

struct update {
    struct rangemap *map;
    struct rm_thread *thread;
    struct rm_op *op;
    struct rm_path path;
};

/* ---- the leaf path ---- */

static bool neighbour_has_room(const struct rm_inner *parent, unsigned index, unsigned count)
{
    const struct rm_node *node = rm_slot_node(rm_load_dependent(&parent->slot[index]));

    return count == 0 || rm_node_count(node) + count <= RM_MERGED_LEAF_MAX;
}

/* Whether the leaf gets so small that it should join a neighbour under the same parent: a guess. */
static bool should_merge(const struct rm_path *path, unsigned count, unsigned new_count)
{
    const struct rm_step *parent;
    const struct rm_inner *inner;
    unsigned index;

    if (new_count >= count || new_count >= RM_LEAF_MIN + (RM_LEAF_MIN == 0) || path->last == 0) {
        return false;
    }
    parent = &path->step[path->last - 1];
    inner = rm_inner(rm_step_node(parent));
    index = (unsigned)(path->step[path->last].slot - inner->slot);
    return (index > 0 && neighbour_has_room(inner, index - 1, new_count)) ||
           (index + 1 < rm_meta_count(parent->meta) && neighbour_has_room(inner, index + 1, new_count));
}

static void report_leaf(const struct rm_op *op, const struct rm_leaf *leaf, unsigned count, unsigned from,
                        unsigned to)
{
    for (unsigned i = from; i < to; i++) {
        struct rangemap_entry entry = rm_leaf_entry(leaf, count, i);

        op->displaced(&entry, op->displaced_context);
    }
}

/* Ends an attempt whose compare-and-swap failed, but for what it built (R6). */
static void lose(const struct update *update, const struct rm_step *step)
{
    struct rm_thread *thread = update->thread;

    if (rm_broken(RM_R6_LOSER_RETIRES_NOT)) {
        rm_retire_commit(thread, rm_node_bytes(rm_step_node(step)));
        return;
    }
    rm_retire_abort(thread);
    if (rm_broken(RM_R6_LOSER_FREES_OWN)) {
        rm_cache_free(&thread->cache, &thread->domain->pool, rm_step_node(step),
                      rm_node_lines(rm_meta_count(step->meta), rm_meta_level(step->meta)));
    }
}

/* Retires what the compare-and-swap took out of the tree. */
static void win(const struct update *update, uint64_t bytes, struct rm_node *made)
{
    if (rm_broken(RM_R6_WINNER_RETIRES)) {
        rm_retire_abort(update->thread);
        return;
    }
    rm_retire_commit(update->thread, bytes);
    if (rm_broken(RM_R7_STAMP_THEN_RETIRE)) {
        (void)rm_version_meta(update->map, made);
    }
}

/* A leaf for an edit. */
static struct rm_leaf *new_leaf(const struct update *update, const struct rm_step *step, unsigned count)
{
    struct rm_thread *thread = update->thread;

    if (rm_broken(RM_R4_NEW_NODE) && count == 0) {
        struct rm_node *prev = *rm_node_prev(rm_step_node(step), step->meta);

        if (prev != NULL && rm_node_level(prev) == 0 && rm_node_count(prev) == 0) {
            return rm_leaf(prev); /* empty before, empty again */
        }
    }
    return rm_cache_alloc(&thread->cache, &thread->domain->pool, rm_leaf_lines(count));
}

static enum rm_outcome publish_leaf(struct update *update, struct rm_edit *edit, const struct rm_step *step)
{
    struct rm_thread *thread = update->thread;
    const struct rm_op *op = update->op;
    struct rm_leaf *leaf = rm_leaf(rm_step_node(step));
    unsigned count = rm_meta_count(step->meta);
    unsigned new_count = rm_edit_count(edit, count);
    unsigned lines = rm_leaf_lines(new_count);
    struct rm_leaf *made = new_leaf(update, step, new_count);

    if (made == NULL) {
        return RM_NO_MEMORY;
    }
    if (!rm_retire_stage_node(thread, leaf, rm_leaf_lines(count)) ||
        !rm_edit_stage_values(edit, op, &update->map->values, leaf, count, thread)) {
        rm_retire_abort(thread);
        rm_cache_free(&thread->cache, &thread->domain->pool, made, lines);
        return RM_NO_MEMORY;
    }
    rm_word_set_private(&made->node.meta, rm_meta(new_count, 0, 0));
    rm_edit_apply(edit, leaf, count, made);
    if (!rm_publish(update->map, step->slot, &leaf->node, &made->node)) {
        lose(update, step);
        rm_cache_free(&thread->cache, &thread->domain->pool, made, lines);
        return RM_RETRY;
    }
    win(update, rm_node_bytes(rm_step_node(step)), &made->node);
    rm_edit_retain(edit, &update->map->values);
    if (op->displaced != NULL) {
        report_leaf(op, leaf, count, edit->from, edit->to);
    }
    return RM_DONE;
}

/* ---- the region path ---- */

/*
 * The deepest place on the path where a compare-and-swap can take effect (unfrozen) and the node has room for
 * one child more and can lose one. count never changes, so both are stable facts. The root slot always
 * serves: it is never frozen, and the root may grow and shrink.
 */
static const struct rm_step *choose_anchor(const struct rm_path *path)
{
    unsigned i = path->last;

    for (; i > 0; i--) {
        const struct rm_step *step = &path->step[i];
        unsigned count = rm_meta_count(step->meta);

        if (rm_slot_is_frozen(step->word)) {
            rm_probe_fold(step->slot, rm_meta_level(step->meta));
            continue;
        }
        if (rm_meta_level(step->meta) > 0 && count + 1 <= RM_INNER_MAX && count > RM_INNER_MIN) {
            break;
        }
    }
    return &path->step[i];
}

static struct rm_walk walk_of(const struct update *update, uint64_t version, rm_walk_fn *visit, void *state)
{
    return (struct rm_walk){.map = update->map,
                            .version = version,
                            .start = update->op->start,
                            .last = update->op->last,
                            .direction = RM_UPWARD,
                            .visit = visit,
                            .state = state};
}

/*
 * Before anything is frozen, whether the update has anything to do. One range seen in the way is proof enough
 * for a conflict. That nothing is there at all must hold at one instant: it is read from a snapshot (in place
 * of rule R5).
 */
static enum rm_outcome peek(const struct update *update)
{
    struct rm_op *op = update->op;
    struct rangemap_entry entry;
    struct rm_walk walk = walk_of(update, RM_VERSION_CURRENT, rm_walk_first, &entry);

    if (op->kind == RM_INSERT && !rm_walk_map(&walk)) {
        op->found = entry;
        return RM_CONFLICT;
    }
    if (op->kind == RM_CARVE) {
        walk.version = rm_broken(RM_R5_NOTHING) ? RM_VERSION_CURRENT : rm_version_take(update->map);
        return rm_walk_map(&walk) ? RM_NOTHING : RM_DONE;
    }
    return RM_DONE;
}

/* What stands in the way in the frozen region: it is final, and was true when it was last in the tree. */
static enum rm_outcome inspect(const struct update *update, const struct rm_step *anchor)
{
    struct rm_op *op = update->op;
    struct rangemap_entry entry;
    struct rm_walk walk = walk_of(update, RM_VERSION_CURRENT, rm_walk_first, &entry);

    if (op->kind == RM_INSERT && !rm_broken(RM_INSERT_CHECKED) &&
        !rm_walk_node(&walk, rm_step_node(anchor), anchor->meta)) {
        op->found = entry;
        return RM_CONFLICT;
    }
    if (op->kind == RM_JOIN && !rm_broken(RM_JOIN_CHECKED) &&
        !rm_join_is_valid(update->map, op, rm_step_node(anchor), anchor->meta)) {
        return RM_STALE;
    }
    return RM_DONE;
}

static bool report_visit(void *state, const struct rm_leaf *leaf, unsigned count, unsigned from, unsigned to)
{
    report_leaf(state, leaf, count, from, to);
    return true;
}

/* The replaced region is frozen for ever and kept by our section: what it holds was displaced. */
static void report_region(const struct update *update, const struct rm_step *anchor)
{
    struct rm_walk walk = walk_of(update, RM_VERSION_CURRENT, report_visit, update->op);

    if (update->op->displaced != NULL) {
        (void)rm_walk_node(&walk, rm_step_node(anchor), anchor->meta);
    }
}

static enum rm_outcome update_region(struct update *update)
{
    const struct rm_step *anchor = choose_anchor(&update->path);
    struct rm_rebuild rebuild;
    struct rm_node *top = NULL;
    enum rm_outcome outcome;

    rm_rebuild_init(&rebuild, update->map, update->op, update->thread);
    rebuild.bytes = rm_freeze_region(update->map, rm_step_node(anchor), update->op->start, update->op->last);
    outcome = inspect(update, anchor);
    if (outcome != RM_DONE) {
        return outcome; /* the region stays frozen without an owner: a legal state */
    }
    outcome = rm_rebuild_region(&rebuild, anchor, rm_path_span(&update->path, anchor), &top);
    if (outcome == RM_DONE && !rm_publish(update->map, anchor->slot, rm_step_node(anchor), top)) {
        outcome = RM_RETRY;
    }
    if (outcome != RM_DONE) {
        rm_retire_abort(update->thread);
        if (!rm_broken(RM_R6_LOSER_DISCARDS)) {
            rm_builder_discard(&rebuild.builder);
        }
        return outcome;
    }
    win(update, rebuild.bytes, top);
    rm_edit_retain(&rebuild.edit, &update->map->values);
    report_region(update, anchor);
    return RM_DONE;
}

/* ---- */

#if defined(RANGEMAP_EXPLORER)
/*
 * What R1 forbids, for the test that shows why: where somebody has frozen the path, a copy of the region that
 * changes nothing takes its place, and the update begins again.
 */
static bool copy_unchanged(const struct update *update)
{
    const struct rm_step *step = &update->path.step[update->path.last];
    struct rangemap_entry entry;
    struct rm_op same = {.kind = RM_REPLACE};
    struct update copy;

    if (!rm_broken(RM_R1_FOLD) || !rm_slot_is_frozen(step->word) || rm_meta_count(step->meta) == 0) {
        return false;
    }
    entry = rm_leaf_entry(rm_leaf(rm_step_node(step)), rm_meta_count(step->meta), 0);
    same.start = same.last = entry.start;
    same.end = entry.last;
    same.value = same.expected = entry.value;
    copy = *update;
    copy.op = &same;
    rm_explorer_copying(true);
    (void)update_region(&copy);
    rm_explorer_copying(false);
    return true;
}
#else
static bool copy_unchanged(const struct update *update)
{
    (void)update;
    return false;
}
#endif

static enum rm_outcome attempt_leaf(struct update *update)
{
    const struct rm_path *path = &update->path;
    const struct rm_step *step = &path->step[path->last];
    unsigned count = rm_meta_count(step->meta);
    struct rm_edit edit;
    enum rm_outcome outcome = rm_edit_plan(&edit, update->op, &update->map->values,
                                           rm_leaf(rm_step_node(step)), count, path->rank, RM_BOTH);
    unsigned new_count;

    if (outcome != RM_DONE) {
        return outcome;
    }
    if (update->op->kind == RM_JOIN && !rm_broken(RM_JOIN_LEAF_CHECKED) &&
        !rm_join_is_valid(update->map, update->op, rm_step_node(step), step->meta)) {
        return RM_STALE;
    }
    if (copy_unchanged(update) || (rm_broken(RM_R1_WAITS_NOT) && rm_slot_is_frozen(step->word))) {
        return RM_RETRY;
    }
    new_count = rm_edit_count(&edit, count);
    if (rm_slot_is_frozen(step->word) || new_count > RM_LEAF_MAX || should_merge(path, count, new_count)) {
        return update_region(update);
    }
    return publish_leaf(update, &edit, step);
}

static enum rm_outcome attempt(struct update *update)
{
    struct rm_path *path = &update->path;
    enum rm_outcome outcome;

    rm_path_descend(path, update->map, update->op->start, update->op->last);
    if (rm_meta_level(path->step[path->last].meta) == 0) {
        return attempt_leaf(update);
    }
    outcome = peek(update);
    return outcome == RM_DONE ? update_region(update) : outcome;
}

enum rm_outcome rm_update(struct rangemap *map, struct rm_thread *thread, struct rm_op *op)
{
    struct update update; /* not initialised whole: its path is 800 bytes */
    enum rm_outcome outcome;

    update.map = map;
    update.thread = thread;
    update.op = op;
    rm_busy_enter(thread);
    rm_section_enter(thread);
    while ((outcome = attempt(&update)) == RM_RETRY) {
        rm_count_own(&thread->retries, 1);
    }
    rm_section_leave(thread);
    rm_busy_leave(thread);
    return outcome;
}

/*
 * Nodes of a failed attempt go to the magazines and serve the next one, so over all retries a size never
 * costs more than the most that one attempt takes of it: four leaves of each size, four inner nodes a level for
 * a height that has grown by two meanwhile, and bags for everything an attempt can stage.
 */
size_t rm_update_bytes_max(const struct rangemap *map)
{
    const struct rm_node *root = rm_slot_node(rm_load_dependent(&map->root));
    size_t levels = rm_node_level(root) + 3;
    size_t leaf_lines = 4 * (2 + 3 + 5 + 6);
    size_t inner_lines = 4 * RM_INNER_LINES * levels;
    size_t staged = levels * 2 * (RM_INNER_ROOM + 2) + 3 * RM_LEAF_ROOM;
    size_t bag_lines = RM_BAG_LINES * (staged / RM_BAG_ENTRIES + 2);

    return (leaf_lines + inner_lines + bag_lines) * RM_CACHE_LINE;
}
