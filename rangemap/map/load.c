// SPDX-License-Identifier: BSD-2-Clause
/* Bulk load: a packed tree built from a sorted array and published in one step. */
#include "rangemap/epoch/dispose.h"
#include "rangemap/epoch/upkeep.h"
#include "rangemap/map/admit.h"
#include "rangemap/map/enter.h"
#include "rangemap/node/gap_class.h"
#include "rangemap/tree/freeze.h"
#include "rangemap/tree/make.h"
#include "rangemap/tree/op.h"
#include "rangemap/tree/publish.h"
#include "rangemap/tree/walk.h"

struct load {
    struct rm_thread *thread;
    const struct rangemap_entry *entries;
    size_t count;
    bool tracks_gaps;
};

/* The most entries under a node of `level`; saturates. */
static size_t capacity(unsigned level)
{
    size_t entries = RM_LEAF_MAX;

    while (level-- > 0) {
        entries = entries > SIZE_MAX / RM_INNER_MAX ? SIZE_MAX : entries * RM_INNER_MAX;
    }
    return entries;
}

/* The class of the leaf that holds entries [from, from + count). */
static unsigned class_of(const struct load *load, const struct rm_node *leaf, size_t from, unsigned count)
{
    size_t to = from + count;
    uint64_t low = from > 0 ? load->entries[from].start : 0;
    uint64_t high = to < load->count ? load->entries[to].start - 1 : UINT64_MAX;

    return load->tracks_gaps ? rm_leaf_class(rm_leaf(leaf), count, low, high) : 0;
}

/* As the word of a slot; 0: no memory. */
static uint64_t load_leaf(const struct load *load, size_t from, unsigned count)
{
    struct rm_node *node = rm_node_make(load->thread, count, 0);
    uint64_t *start;
    struct rm_pair *pair;

    if (node == NULL) {
        return 0;
    }
    start = rm_node_keys(node);
    pair = rm_leaf_pairs(rm_leaf(node), count);
    for (unsigned i = 0; i < count; i++) {
        const struct rangemap_entry *entry = &load->entries[from + i];

        start[i] = entry->start;
        pair[i] = (struct rm_pair){entry->last, entry->value};
    }
    return rm_slot_word(node, class_of(load, node, from, count));
}

/* Frees an inner node of which only the first `built` children are there. */
static void discard_part(struct rm_thread *thread, struct rm_node *node, unsigned built)
{
    rm_word_set_private(&node->meta, rm_meta(built, rm_node_level(node), 0));
    rm_dispose_tree(node, NULL, thread);
}

/*
 * A tree over entries [from, from + count), shared evenly among as few children as will do, as the word of a slot;
 * 0: no memory.
 */
static uint64_t load_tree(const struct load *load, size_t from, size_t count, unsigned level)
{
    size_t below = level > 0 ? capacity(level - 1) : 0;
    unsigned children;
    struct rm_node *node;

    if (level == 0) {
        return load_leaf(load, from, (unsigned)count);
    }
    children = (unsigned)((count - 1) / below + 1);
    node = rm_node_make(load->thread, children, level);
    if (node == NULL) {
        return 0;
    }
    for (unsigned i = 0; i < children; i++) {
        size_t share = count / (children - i);
        uint64_t child = load_tree(load, from, share, level - 1);

        if (child == 0) {
            discard_part(load->thread, node, i);
            return 0;
        }
        rm_word_set_private(&rm_inner(node)->slot[i], child);
        if (i > 0) {
            rm_inner(node)->separator[i - 1] = load->entries[from].start;
        }
        from += share;
        count -= share;
    }
    return rm_slot_word(node, load->tracks_gaps ? rm_inner_class(rm_inner(node), children) : 0);
}

/*
 * The new tree takes the place of the whole old one, if that is empty: frozen, so that it stays so. Like any
 * update, but with the root as its anchor.
 */
static enum rm_outcome replace_tree(struct rangemap *map, struct rm_thread *thread, struct rm_node *top)
{
    uint64_t meta;
    struct rm_node *old = rm_version_follow(map, &map->root, RM_VERSION_CURRENT, &meta);
    struct rangemap_entry entry;
    struct rm_walk walk = rm_walk_up(map, RM_VERSION_CURRENT, 0, UINT64_MAX, rm_walk_first, &entry);
    uint64_t bytes;

    if (!rm_walk_node(&walk, old, meta)) {
        return RM_CONFLICT;
    }
    bytes = rm_freeze_region(map, old, 0, UINT64_MAX);
    if (!rm_walk_node(&walk, old, meta)) {
        return RM_CONFLICT;
    }
    if (!rm_retire_stage_subtree(thread, old, &map->values)) {
        return RM_NO_MEMORY;
    }
    if (!rm_publish(map, &(struct rm_step){&map->root, rm_pointer_bits(old), meta}, rm_pointer_bits(top))) {
        rm_retire_abort(thread);
        return RM_RETRY;
    }
    rm_retire_commit(thread, bytes);
    return RM_DONE;
}

static bool is_sorted(const struct rangemap_entry *entries, size_t count, size_t *bad)
{
    for (size_t i = 0; i < count; i++) {
        if (entries[i].start > entries[i].last || (i > 0 && entries[i].start <= entries[i - 1].last)) {
            if (bad != NULL) {
                *bad = i;
            }
            return false;
        }
    }
    return true;
}

static int load_entries(struct rangemap *map, struct rm_thread *thread, const struct rangemap_entry *entries,
                        size_t count)
{
    struct load load = {thread, entries, count, map->tracks_gaps};
    unsigned level = 0;
    struct rm_node *top;
    enum rm_outcome outcome;

    while (capacity(level) < count) {
        level++;
    }
    top = rm_slot_node(load_tree(&load, 0, count, level));
    if (top == NULL) {
        return -ENOMEM;
    }
    rm_section_enter(thread);
    while ((outcome = replace_tree(map, thread, top)) == RM_RETRY) {
        rm_count_own(&thread->retries, 1);
    }
    rm_section_leave(thread);
    if (outcome != RM_DONE) {
        rm_word_set_private(&top->meta, rm_meta_with_stamp(rm_word_private(&top->meta), 0));
        rm_dispose_tree(top, NULL, thread);
    }
    return outcome == RM_DONE ? 0 : outcome == RM_CONFLICT ? -ENOTEMPTY : -ENOMEM;
}

int rangemap_load(struct rangemap *map, const struct rangemap_entry *entries, size_t count, size_t *bad)
{
    struct rm_thread *thread;
    int result;

    if (map == NULL || (entries == NULL && count > 0) || !is_sorted(entries, count, bad)) {
        return -EINVAL;
    }
    thread = rm_map_admit(map, &result);
    if (thread == NULL) {
        return result;
    }
    rm_busy_enter(thread);
    result = load_entries(map, thread, entries, count);
    rm_busy_leave(thread);
    rm_upkeep_built(thread, count);
    return result;
}
