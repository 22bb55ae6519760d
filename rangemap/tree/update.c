// SPDX-License-Identifier: BSD-2-Clause
/*
 * The update protocol, the long way; docs/proofs.md has why it is right. The short way is tree/short.h.
 *
 *   leaf path     everything in one leaf that stays one leaf: a copy, one compare-and-swap (tree/leaf_path.h).
 *   region path   leaves split, merge or are crossed: freeze, rebuild with the update applied, one
 *                 compare-and-swap at the anchor.
 */
#include "rangemap/tree/update.h"

#include "rangemap/base/probe.h"
#include "rangemap/tree/freeze.h"
#include "rangemap/tree/gaps.h"
#include "rangemap/tree/join.h"
#include "rangemap/tree/merge.h"
#include "rangemap/tree/rebuild.h"
#include "rangemap/tree/walk.h"

struct update {
    struct rangemap *map;
    struct rm_thread *thread;
    struct rm_op *op;
    uint64_t low;   /* where the route begins: op->start, or the key before it (G1) */
    unsigned limit; /* after RM_TOO_LOW: the last step that may be the anchor (G4) */
    struct rm_path path;
};

/* ---- the leaf path ---- */

static inline enum rm_outcome publish_leaf(void *context, const struct rm_leaf_update *leaf_update,
                                           struct rm_leaf *made, unsigned count)
{
    struct update *update = context;
    const struct rm_step *step = leaf_update->step;
    uint64_t word = rm_pointer_bits(made);

    if (update->map->tracks_gaps) {
        rm_word_set_private(&made->node.meta, rm_meta(count, 0, 0));
        word = rm_gaps_leaf_word(&update->path, step, leaf_update->edit, made);
        if (!rm_gaps_suffice(&update->path, step, word)) {
            return rm_gaps_publish(update->map, &update->path, step, word, &update->limit);
        }
    }
    return rm_publish_node(update->map, step, &made->node, word, count, 0) ? RM_DONE : RM_RETRY;
}

/* ---- the region path ---- */

/*
 * The deepest place on the path, down to step `limit`, where a compare-and-swap can take effect (unfrozen) and the
 * node has room for one child more and can lose one. count never changes, so both are stable facts. The root slot
 * always serves: it is never frozen, and the root may grow and shrink.
 */
static const struct rm_step *choose_anchor(const struct rm_path *path, unsigned limit)
{
    unsigned i = limit;

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
    return op->kind == RM_CARVE && rm_walk_finds_nothing(&walk) ? RM_NOTHING : RM_DONE;
}

/* What stands in the way in the frozen region: it is final, and was true when it was last in the tree. */
static enum rm_outcome inspect(const struct update *update, const struct rm_step *anchor, uint64_t low)
{
    struct rm_op *op = update->op;
    struct rangemap_entry entry;
    struct rm_walk walk = walk_of(update, RM_VERSION_CURRENT, rm_walk_first, &entry);

    if (op->kind == RM_INSERT && !rm_walk_node(&walk, rm_step_node(anchor), anchor->meta)) {
        op->found = entry;
        return RM_CONFLICT;
    }
    if (op->kind == RM_JOIN && !rm_join_is_valid(update->map, op, rm_step_node(anchor), anchor->meta)) {
        return RM_STALE;
    }
    if (low != op->start && !rm_op_is_spanning(op)) {
        return rm_gaps_inspect_erase(op, low, anchor);
    }
    return RM_DONE;
}

static bool report_visit(void *state, const struct rm_leaf *leaf, unsigned count, unsigned from, unsigned to)
{
    rm_leaf_report(state, leaf, count, from, to);
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

static enum rm_outcome update_anchored(struct update *update, const struct rm_step *anchor)
{
    uint64_t low = update->low;
    struct rm_rebuild rebuild;
    uint64_t top;
    enum rm_outcome outcome;

    rm_rebuild_init(&rebuild, update->map, update->op, low, update->thread);
    rebuild.bytes = rm_freeze_region(update->map, rm_step_node(anchor), low, update->op->last);
    outcome = inspect(update, anchor, low);
    if (outcome != RM_DONE) {
        return outcome; /* the region stays frozen without an owner: a legal state */
    }
    outcome = rm_rebuild_region(&rebuild, anchor, rm_path_span(&update->path, anchor), &top);
    if (outcome == RM_DONE) {
        outcome = rm_gaps_publish(update->map, &update->path, anchor, top, &update->limit);
    }
    if (outcome != RM_DONE) {
        rm_retire_abort(update->thread);
        rm_builder_discard(&rebuild.builder);
        return outcome;
    }
    rm_retire_commit(update->thread, rebuild.bytes);
    rm_edit_retain(&rebuild.edit, &update->map->values);
    report_region(update, anchor);
    return RM_DONE;
}

/* Once more, with an anchor further up, where a frozen slot forbids the first one (G4): at most once a level. */
static enum rm_outcome update_region(struct update *update, unsigned limit)
{
    enum rm_outcome outcome = update_anchored(update, choose_anchor(&update->path, limit));

    while (outcome == RM_TOO_LOW) {
        outcome = update_anchored(update, choose_anchor(&update->path, update->limit));
    }
    return outcome;
}

/* ---- */

static enum rm_outcome attempt_leaf(struct update *update)
{
    const struct rm_path *path = &update->path;
    const struct rm_step *step = &path->step[path->last];
    unsigned count = rm_meta_count(step->meta);
    struct rm_edit edit;
    enum rm_outcome outcome =
        rm_edit_plan(&edit, update->op, &update->map->values, rm_leaf(rm_step_node(step)), count, path->rank,
                     RM_BOTH, RM_MAY_CUT);
    struct rm_leaf_update leaf_update = {
        update->map, update->thread, update->op, step, rm_leaf(rm_step_node(step)), &edit};
    unsigned new_count;

    if (outcome != RM_DONE) {
        return outcome;
    }
    if (update->op->kind == RM_JOIN &&
        !rm_join_is_valid(update->map, update->op, rm_step_node(step), step->meta)) {
        return RM_STALE;
    }
    new_count = rm_edit_count(&edit, count);
    if (rm_slot_is_frozen(step->word) || new_count > RM_LEAF_MAX || rm_should_merge(path, count, new_count)) {
        return update_region(update, path->last);
    }
    outcome = rm_leaf_path(rm_splice, RM_MAY_CUT, publish_leaf, update, &leaf_update);
    return outcome == RM_TOO_LOW ? update_region(update, update->limit) : outcome;
}

static enum rm_outcome attempt(struct update *update)
{
    struct rm_path *path = &update->path;
    enum rm_outcome outcome;

    update->low = update->op->start;
    if (update->map->tracks_gaps && rm_op_frees(update->op)) {
        update->low = rm_gaps_descend(path, update->map, update->op);
    } else {
        rm_path_descend(path, update->map, update->op->start, update->op->last);
    }
    if (rm_meta_level(path->step[path->last].meta) == 0) {
        return attempt_leaf(update);
    }
    outcome = peek(update);
    return outcome == RM_DONE ? update_region(update, path->last) : outcome;
}

enum rm_outcome rm_update_long(struct rangemap *map, struct rm_thread *thread, struct rm_op *op)
{
    struct update update; /* not initialised whole: its path is 800 bytes */

    update.map = map;
    update.thread = thread;
    update.op = op;
    return attempt(&update);
}

/*
 * What an attempt takes: four leaves of any size, four inner nodes a level for a height that has grown by two
 * meanwhile, and bags for everything it can stage. Nodes of a failed attempt go to the magazines and serve the
 * next one, of this update or of a later one; so retries cost, once and not per update, that of each size there
 * may be as many as one attempt takes.
 */
uint64_t rm_update_bytes_max(const struct rangemap *map, unsigned updates)
{
    const struct rm_node *root = rm_slot_node(rm_load_dependent(&map->root));
    uint64_t levels = rm_node_level(root) + 3;
    uint64_t leaf_lines = 4 * RM_LINES_MAX, all_leaf_lines = 4 * (2 + 3 + 5 + 6);
    uint64_t tightened = map->tracks_gaps ? RM_LOOSE_MAX : 0;
    uint64_t inner_lines = RM_INNER_LINES * (4 * levels + tightened);
    uint64_t staged = levels * 2 * (RM_INNER_ROOM + 2) + 3 * RM_LEAF_ROOM + tightened;
    uint64_t bag_lines = RM_BAG_LINES * (staged / RM_BAG_ENTRIES + 2);

    return ((leaf_lines + inner_lines + bag_lines) * updates + all_leaf_lines + inner_lines + bag_lines) *
           RM_CACHE_LINE;
}
