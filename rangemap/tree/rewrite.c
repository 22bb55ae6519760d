// SPDX-License-Identifier: BSD-2-Clause
/* Rewrites: the protocol of tree/update.c for a window that becomes a row of any length. */
#include "rangemap/tree/rewrite.h"

#include "rangemap/base/probe.h"
#include "rangemap/epoch/reclaim.h"
#include "rangemap/node/entry.h"
#include "rangemap/tree/freeze.h"
#include "rangemap/tree/gaps.h"
#include "rangemap/tree/merge.h"
#include "rangemap/tree/publish.h"
#include "rangemap/tree/region.h"
#include "rangemap/tree/walk.h"

/* One update, over all its attempts. */
struct rewriting {
    const struct rm_rewrite *rewrite;
    struct rm_thread *thread;
    struct rm_region region; /* the route, the sink, what is built */
    struct rm_path path;
    unsigned limit; /* the last step that may be the anchor (G4) */
};

static struct rm_walk window_walk(const struct rm_rewrite *rewrite, struct rangemap_entry *first)
{
    return rm_walk_up(rewrite->map, RM_VERSION_CURRENT, rewrite->start, rewrite->last, rm_walk_first, first);
}

/* Gives back what an attempt built and staged (R6). */
static enum rm_outcome lose_rewrite(struct rewriting *rewriting, enum rm_outcome outcome)
{
    rm_retire_abort(rewriting->thread);
    rm_builder_discard(&rewriting->region.builder);
    rm_stream_free(&rewriting->region.stream);
    return outcome;
}

/* After the compare-and-swap, inside the section: nothing that it took out of the tree is released before. */
static void win_rewrite(struct rewriting *rewriting, uint64_t bytes)
{
    const struct rm_sink *sink = &rewriting->region.sink;
    const struct rm_values *values = sink->values;

    rm_builder_finish(&rewriting->region.builder);
    rm_stream_free(&rewriting->region.stream);
    rm_retire_commit(rewriting->thread, bytes);
    if (sink->shares_value) {
        rm_values_retain(values, sink->shared);
    }
    if (rewriting->rewrite->done != NULL) {
        rewriting->rewrite->done(rewriting->rewrite);
    }
}

/* What a composer that ended says about the attempt. */
static enum rm_outcome effect_of(const struct rm_sink *sink)
{
    return sink->outcome == RM_DONE && !sink->changed ? RM_NOTHING : sink->outcome;
}

/* The root has no class. */
static enum rm_outcome publish_rewrite(struct rewriting *rewriting, const struct rm_step *step, uint64_t word)
{
    if (step == rewriting->path.step) {
        word = rm_pointer_bits(rm_slot_node(word));
    }
    return rm_gaps_publish(rewriting->region.map, &rewriting->path, step, word, &rewriting->limit);
}

/* ---- the leaf path ---- */

static enum rm_outcome publish_rewritten_leaf(struct rewriting *rewriting, const struct rm_step *step)
{
    struct rm_region *region = &rewriting->region;
    struct rm_node *old = rm_step_node(step);
    const struct rm_run *run = &region->stream.run;
    struct rm_span span = rm_path_span(&rewriting->path, step);
    enum rm_outcome outcome;
    struct rm_child made;

    if (rm_gaps_free_low(region->map, run, span.low)) {
        region->left_low = span.low;
        return lose_rewrite(rewriting, RM_WIDEN);
    }
    if (!rm_build_leaf(&region->builder, run, 0, run->count, span, &made) ||
        !rm_retire_stage_node(rewriting->thread, old, rm_leaf_lines(rm_meta_count(step->meta)))) {
        return lose_rewrite(rewriting, RM_NO_MEMORY);
    }
    outcome = publish_rewrite(rewriting, step, made.word);
    if (outcome != RM_DONE) {
        return lose_rewrite(rewriting, outcome);
    }
    win_rewrite(rewriting, rm_node_bytes(old));
    rm_region_report_leaf(region, rm_leaf(old), rm_meta_count(step->meta));
    return RM_DONE;
}

/* RM_NO_ROOM: it takes a region. */
static enum rm_outcome rewrite_leaf(struct rewriting *rewriting)
{
    const struct rm_path *path = &rewriting->path;
    const struct rm_step *step = &path->step[path->last];
    struct rm_region *region = &rewriting->region;
    unsigned count = rm_meta_count(step->meta), new_count;
    enum rm_outcome outcome;

    rm_region_compose_leaf(region, rm_leaf(rm_step_node(step)), count);
    outcome = effect_of(&region->sink);
    if (outcome != RM_DONE) {
        return lose_rewrite(rewriting, outcome);
    }
    new_count = region->stream.run.count;
    if (rm_slot_is_frozen(step->word) || new_count > RM_LEAF_MAX || rm_should_merge(path, count, new_count)) {
        return lose_rewrite(rewriting, RM_NO_ROOM);
    }
    return publish_rewritten_leaf(rewriting, step);
}

/* ---- the region path ---- */

/* Before anything is frozen; as in tree/update.c. */
static enum rm_outcome peek_window(struct rewriting *rewriting)
{
    const struct rm_rewrite *rewrite = rewriting->rewrite;
    struct rangemap_entry entry;
    struct rm_walk walk = window_walk(rewrite, &entry);

    if (rewrite->peek == RM_PEEK_FREE && !rm_walk_map(&walk)) {
        struct rm_sink unused = {.rewrite = rewrite, .outcome = RM_DONE};

        rewrite->composer->begin(rewrite->state);
        (void)rewrite->composer->visit(rewrite->state, &unused, &entry, 1);
        return unused.outcome;
    }
    return rewrite->peek == RM_PEEK_HELD && rm_walk_finds_nothing(&walk) ? RM_NOTHING : RM_DONE;
}

/* How many children a node of `level` may gain: an even share of what is put, and what the ends may split into. */
static uint64_t growth_of(const struct rm_rewrite *rewrite, unsigned level)
{
    uint64_t nodes = rewrite->puts / RM_LEAF_MAX;

    while (--level > 0) {
        nodes /= RM_INNER_MAX;
    }
    return nodes + 2;
}

/* The deepest unfrozen step with room, as far as one can tell beforehand, or the root. */
static const struct rm_step *choose_place(const struct rewriting *rewriting)
{
    const struct rm_path *path = &rewriting->path;
    unsigned i = rewriting->limit;

    for (; i > 0; i--) {
        const struct rm_step *step = &path->step[i];
        unsigned count = rm_meta_count(step->meta), level = rm_meta_level(step->meta);

        if (rm_slot_is_frozen(step->word)) {
            rm_probe_fold(step->slot, level);
        } else if (level > 0 && count > RM_INNER_MIN &&
                   count + growth_of(rewriting->rewrite, level) <= RM_INNER_MAX) {
            break;
        }
    }
    return &path->step[i];
}

/*
 * Whether a refusal holds: the region that it was read from was in the tree, frozen, at one instant (R5). Relaxed: the
 * word alone counts. It is loaded after every slot of the region was seen frozen: the stamp behind each, which the
 * freeze reads last, is an acquire load.
 */
static enum rm_outcome confirm_answer(const struct rm_step *anchor, enum rm_outcome outcome)
{
    bool from_ranges = outcome == RM_NOTHING || outcome == RM_REFUSED;

    if (!from_ranges) {
        return outcome;
    }
    return rm_slot_is_same(rm_load_relaxed(anchor->slot), anchor->word) ? outcome : RM_RETRY;
}

/*
 * If the route begins before the window (G1): whether nothing lies there that the window does not touch, since what
 * is between the outermost leaves is dropped. It did not, when the route was made wider.
 */
static bool is_wide_for_good(const struct rewriting *rewriting, const struct rm_step *anchor)
{
    const struct rm_region *region = &rewriting->region;
    struct rangemap_entry entry;
    struct rm_walk walk = window_walk(rewriting->rewrite, &entry);

    if (region->low == region->start) {
        return true;
    }
    walk.start = region->low + 1;
    return rm_walk_node(&walk, rm_step_node(anchor), anchor->meta) || entry.last >= region->start;
}

static enum rm_outcome rewrite_region(struct rewriting *rewriting, const struct rm_step *anchor)
{
    struct rm_region *region = &rewriting->region;
    uint64_t top;
    enum rm_outcome outcome;
    uint64_t bytes = rm_freeze_region(region->map, rm_step_node(anchor), region->low, region->last);

    if (!is_wide_for_good(rewriting, anchor)) {
        region->low = region->start;
        return RM_RETRY;
    }
    outcome = rm_region_build(region, anchor, rm_path_span(&rewriting->path, anchor), &top);
    if (outcome == RM_DONE && !region->sink.changed) {
        outcome = RM_NOTHING;
    }
    if (outcome != RM_DONE) {
        return lose_rewrite(rewriting, confirm_answer(anchor, outcome));
    }
    outcome = publish_rewrite(rewriting, anchor, top);
    if (outcome != RM_DONE) {
        return lose_rewrite(rewriting, outcome);
    }
    win_rewrite(rewriting, bytes + region->extra_bytes);
    rm_region_report(region, anchor);
    return RM_DONE;
}

/* ---- */

static enum rm_outcome rewrite_once(struct rewriting *rewriting)
{
    struct rm_path *path = &rewriting->path;
    const struct rm_region *region = &rewriting->region;
    enum rm_outcome outcome;

    rm_path_descend(path, region->map, region->low, region->last);
    rewriting->limit = path->last;
    if (rm_meta_level(path->step[path->last].meta) == 0) {
        outcome = rewrite_leaf(rewriting);
        if (outcome != RM_NO_ROOM && outcome != RM_TOO_LOW) {
            return outcome;
        }
    } else {
        outcome = peek_window(rewriting);
        if (outcome != RM_DONE) {
            return outcome;
        }
    }
    do {
        outcome = rewrite_region(rewriting, choose_place(rewriting));
    } while (outcome == RM_TOO_LOW);
    return outcome == RM_NO_ROOM ? rewrite_region(rewriting, &path->step[0]) : outcome;
}

/* G1: the first keys of a leaf become free. Its neighbour to the left takes them over, so the route goes there. */
static void widen_route(struct rm_region *region)
{
    region->low = region->left_low - 1;
}

enum rm_outcome rm_rewrite(struct rm_thread *thread, const struct rm_rewrite *rewrite)
{
    struct rewriting rewriting; /* not initialised whole: it is large */
    enum rm_outcome outcome;

    rewriting.rewrite = rewrite;
    rewriting.thread = thread;
    rm_region_init(&rewriting.region, rewrite, thread);
    rm_busy_enter(thread);
    rm_section_enter(thread);
    while ((outcome = rewrite_once(&rewriting)) == RM_RETRY || outcome == RM_WIDEN) {
        if (outcome == RM_WIDEN) {
            widen_route(&rewriting.region);
        } else {
            rm_count_own(&thread->retries, 1);
        }
    }
    rm_section_leave(thread);
    rm_busy_leave(thread);
    return outcome;
}
