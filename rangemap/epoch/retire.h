// SPDX-License-Identifier: BSD-2-Clause
/*
 * What an update takes out of the tree is collected in bags: blocks of the pool that name nodes, subtrees
 * and values, and that wait for their grace period as one.
 *
 * An update stages what it would retire before its compare-and-swap, while it can still fail for memory, and
 * commits or aborts afterwards; neither can fail. Only a winner commits (rule R6). One node alone is not staged: the
 * winner writes it down afterwards, into a bag that was open before.
 * A bag is handed to a shard when it is full, or at once if it holds values, so that a destroyer can find
 * every value of its map in the shards.
 */
#ifndef RANGEMAP_EPOCH_RETIRE_H
#define RANGEMAP_EPOCH_RETIRE_H

#include "rangemap/epoch/own.h"
#include "rangemap/epoch/values.h"

/*
 * One retired thing.
 *   a node     word = address | lines (2..6), values NULL
 *   a subtree  word = address | RM_RETIRED_SUBTREE, values of the map, or NULL if it releases nothing
 *   a value    word = the value, values = those of the map + RM_RETIRED_VALUE
 */
struct rm_retired {
    uint64_t word;
    uint64_t values;
};

#define RM_RETIRED_TAGS UINT64_C(63)
#define RM_RETIRED_SUBTREE UINT64_C(1)
#define RM_RETIRED_SUBTREE_ENTERED UINT64_C(7)
#define RM_RETIRED_VALUE UINT64_C(1)

static inline bool rm_retired_is_node(const struct rm_retired *retired)
{
    uint64_t tag = retired->word & RM_RETIRED_TAGS;

    return retired->values == 0 && tag >= RM_LINES_MIN && tag <= RM_LINES_MAX;
}

/* How many entries a bag takes before it is handed over; tests make it small to reclaim early. */
#if !defined(RANGEMAP_BAG_ENTRIES)
#define RANGEMAP_BAG_ENTRIES 21
#endif
enum { RM_BAG_LINES = 6, RM_BAG_ENTRIES = RANGEMAP_BAG_ENTRIES };

struct rm_bag {
    struct rm_garbage garbage;
    struct rm_bag *older; /* staged before this one by the same update */
    unsigned count, done;
    uint64_t bytes;    /* of nodes named in it */
    bool holds_values; /* what was staged last, or all of it: an open bag holds none */
    struct rm_retired entry[RM_BAG_ENTRIES];
};

_Static_assert(sizeof(struct rm_bag) <= RM_BAG_LINES * RM_CACHE_LINE, "a bag is a node of the pool");

/* False: out of memory; the caller aborts. */
RM_INTERNAL bool rm_retire_stage_slow(struct rm_thread *thread, uint64_t word, uint64_t values);

/* Makes a bag. Nothing is staged. False: out of memory. */
RM_INTERNAL bool rm_retire_open(struct rm_thread *thread);

/* Hands the bag being filled to a shard, if there is anything in it. Nothing may be staged. */
RM_INTERNAL void rm_retire_close(struct rm_thread *thread);

/* Makes what was staged garbage. `bytes` is the size of the nodes in it. */
RM_INTERNAL void rm_retire_commit(struct rm_thread *thread, uint64_t bytes);

/* Forgets what was staged. */
RM_INTERNAL void rm_retire_abort(struct rm_thread *thread);

static inline bool rm_retire_stage(struct rm_thread *thread, uint64_t word, uint64_t values)
{
    struct rm_bag *bag = thread->bag;

    if (RM_UNLIKELY(bag == NULL || bag->count == RM_BAG_ENTRIES)) {
        return rm_retire_stage_slow(thread, word, values);
    }
    bag->entry[bag->count].word = word;
    bag->entry[bag->count].values = values;
    bag->count++;
    if (values != 0) {
        bag->holds_values = true;
    }
    return true;
}

static inline bool rm_retire_stage_node(struct rm_thread *thread, const void *node, unsigned lines)
{
    return rm_retire_stage(thread, rm_pointer_bits(node) | lines, 0);
}

/*
 * Whether rm_retire_node() may follow, which cannot fail. Nothing is staged, and there is always room in an open bag.
 */
static inline bool rm_retire_has_room(struct rm_thread *thread)
{
    return RM_LIKELY(thread->bag != NULL) || rm_retire_open(thread);
}

/* Makes a node garbage at once, without staging. */
static inline void rm_retire_node(struct rm_thread *thread, const void *node, unsigned lines)
{
    struct rm_bag *bag = thread->bag;
    unsigned count = bag->count;

    bag->entry[count].word = rm_pointer_bits(node) | lines;
    bag->entry[count].values = 0;
    bag->bytes += (uint64_t)lines * RM_CACHE_LINE;
    bag->count = count + 1;
    thread->committed = count + 1;
    rm_explorer_retired(bag->entry[count].word, 0);
    if (RM_UNLIKELY(count + 1 == RM_BAG_ENTRIES)) {
        rm_retire_close(thread);
    }
}

static inline bool rm_retire_stage_subtree(struct rm_thread *thread, const struct rm_node *root,
                                           const struct rm_values *values)
{
    bool releases = values->release != NULL;

    return rm_retire_stage(thread, rm_pointer_bits(root) | RM_RETIRED_SUBTREE,
                           releases ? rm_pointer_bits(values) : 0);
}

/* Nothing to do for maps that do not own their values. */
static inline bool rm_retire_stage_value(struct rm_thread *thread, void *value,
                                         const struct rm_values *values)
{
    return values->release == NULL ||
           rm_retire_stage(thread, rm_pointer_bits(value), rm_pointer_bits(values) | RM_RETIRED_VALUE);
}

#endif
