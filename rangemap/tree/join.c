// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/tree/join.h"

#include "rangemap/tree/edit.h"
#include "rangemap/tree/walk.h"

/* A run as far as it has been walked. */
struct run {
    const struct rm_op *op;
    struct rangemap_entry first, previous;
    uint64_t length;
    uint64_t low, high; /* ranges that stick out of it do not count */
    bool broken;
};

static bool touches(const struct run *run, const struct rangemap_entry *entry)
{
    return run->length > 0 && run->previous.last + 1 == entry->start &&
           rm_join_equal(run->op, &run->previous, entry);
}

static void restart(struct run *run, const struct rangemap_entry *entry)
{
    run->first = *entry;
    run->previous = *entry;
    run->length = 1;
}

static bool check_visit(void *state, const struct rm_leaf *leaf, unsigned count, unsigned from, unsigned to)
{
    struct run *run = state;

    for (unsigned i = from; i < to && !run->broken; i++) {
        struct rangemap_entry entry = rm_leaf_entry(leaf, count, i);

        if (run->length == 0) {
            restart(run, &entry);
        } else if (touches(run, &entry)) {
            run->previous = entry;
            run->length++;
        } else {
            run->broken = true;
        }
    }
    return !run->broken;
}

bool rm_join_is_valid(const struct rangemap *map, struct rm_op *op, const struct rm_node *node, uint64_t meta)
{
    struct run run = {.op = op};
    struct rm_walk walk = rm_walk_up(map, RM_VERSION_CURRENT, op->start, op->last, check_visit, &run);

    if (!rm_walk_node(&walk, node, meta) || run.length < 2 || run.first.start != op->start ||
        run.previous.last != op->last || run.first.value != op->value) {
        return false;
    }
    op->joined = run.length - 1;
    return true;
}

static bool find_visit(void *state, const struct rm_leaf *leaf, unsigned count, unsigned from, unsigned to)
{
    struct run *run = state;

    for (unsigned i = from; i < to; i++) {
        struct rangemap_entry entry = rm_leaf_entry(leaf, count, i);

        if (entry.last <= run->high && touches(run, &entry)) {
            run->previous = entry;
            run->length++;
        } else if (run->length > 1) {
            return false;
        } else if (entry.start >= run->low && entry.last <= run->high) {
            restart(run, &entry);
        } else {
            run->length = 0;
        }
    }
    return true;
}

bool rm_join_find(const struct rangemap *map, struct rm_op *op, uint64_t start, uint64_t last)
{
    struct run run = {.op = op, .low = start, .high = last};
    struct rm_walk walk = rm_walk_up(map, RM_VERSION_CURRENT, start, last, find_visit, &run);

    (void)rm_walk_map(&walk);
    if (run.length < 2) {
        return false;
    }
    op->start = run.first.start;
    op->last = run.previous.last;
    op->value = run.first.value;
    return true;
}
