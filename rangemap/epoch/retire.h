// SPDX-License-Identifier: BSD-2-Clause
/*
 * What an update takes out of the tree is collected in bags: blocks of the pool that name nodes, subtrees
 * and values, and that wait for their grace period as one object of ck_epoch.
 *
 * An update stages what it would retire before its compare-and-swap, while it can still fail for memory, and
 * commits or aborts afterwards; neither can fail. Only a winner commits (rule R6).
 * A bag is handed to a shard when it is full, or at once if it holds values, so that a destroyer can find
 * every value of its map in the shards.
 */
#ifndef RANGEMAP_EPOCH_RETIRE_H
#define RANGEMAP_EPOCH_RETIRE_H

#include "rangemap/epoch/thread.h"
#include "rangemap/epoch/values.h"

struct rm_garbage;

/* Disposes of some of `garbage`, at most about *budget objects, which it counts down. True: all is gone. */
typedef bool rm_dispose_fn(struct rm_garbage *garbage, struct rm_thread *thread, unsigned *budget);

/* An object that waits for its grace period. */
struct rm_garbage {
    union {
        ck_epoch_entry_t epoch_entry; /* in the shard's record */
        struct rm_link link;          /* in its inbox, then in its ready list */
    };
    rm_dispose_fn *dispose;
};

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

/* How many entries a bag takes before it is handed over; tests make it small to reclaim early. */
#if !defined(RANGEMAP_BAG_ENTRIES)
#define RANGEMAP_BAG_ENTRIES 21
#endif
enum { RM_BAG_LINES = 6, RM_BAG_ENTRIES = RANGEMAP_BAG_ENTRIES };

struct rm_bag {
    struct rm_garbage garbage;
    struct rm_bag *older; /* staged before this one by the same update */
    unsigned count, done;
    uint64_t bytes; /* of nodes named in it */
    struct rm_retired entry[RM_BAG_ENTRIES];
};

_Static_assert(sizeof(struct rm_bag) <= RM_BAG_LINES * RM_CACHE_LINE, "a bag is a node of the pool");

/* The size of the nodes that a piece of garbage names. */
RM_INTERNAL uint64_t rm_retire_bytes(const struct rm_garbage *garbage);

/* False: out of memory; the caller aborts. */
RM_INTERNAL bool rm_retire_stage_slow(struct rm_thread *thread, uint64_t word, uint64_t values);

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
    return true;
}

static inline bool rm_retire_stage_node(struct rm_thread *thread, const void *node, unsigned lines)
{
    return rm_retire_stage(thread, rm_pointer_bits(node) | lines, 0);
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
