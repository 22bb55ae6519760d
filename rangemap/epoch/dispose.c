// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/epoch/dispose.h"

#include <limits.h>

static void free_node(struct rm_thread *thread, void *node, unsigned lines)
{
    rm_thread_free(thread, node, lines);
}

static void spend(unsigned *budget)
{
    *budget -= *budget > 0;
}

static void dispose_leaf(struct rm_leaf *leaf, const struct rm_values *values, struct rm_thread *thread,
                         unsigned *budget)
{
    unsigned count = rm_node_count(&leaf->node);

    if (values != NULL) {
        const struct rm_pair *pair = rm_leaf_pairs(leaf, count);

        for (unsigned i = 0; i < count; i++) {
            values->release(pair[i].value, values->context);
            spend(budget);
        }
    }
    free_node(thread, leaf, rm_leaf_lines(count));
    spend(budget);
}

/*
 * One step through a dead tree, depth first, with no memory but its own: an inner node's count says how
 * many children are left, its `prev` leads back to its parent. Returns the inner node to go on with.
 */
static struct rm_inner *dispose_step(struct rm_inner *inner, const struct rm_values *values,
                                     struct rm_thread *thread, unsigned *budget)
{
    uint64_t meta = rm_word_private(&inner->node.meta);
    unsigned count = rm_meta_count(meta);
    struct rm_node *child;

    if (count == 0) {
        struct rm_node *parent = rm_prev_node(rm_word_private(&inner->prev));

        free_node(thread, inner, RM_INNER_LINES);
        spend(budget);
        return parent != NULL ? rm_inner(parent) : NULL;
    }
    rm_word_set_private(&inner->node.meta, rm_meta(count - 1, rm_meta_level(meta), 0));
    child = rm_slot_node(rm_word_private(&inner->slot[count - 1]));
    if (rm_meta_level(meta) == 1) {
        dispose_leaf(rm_leaf(child), values, thread, budget);
        return inner;
    }
    rm_word_set_private(&rm_inner(child)->prev, rm_pointer_bits(inner));
    return rm_inner(child);
}

static bool dispose_subtree(struct rm_retired *retired, struct rm_thread *thread, unsigned *budget)
{
    const struct rm_values *values = (const struct rm_values *)(uintptr_t)retired->values;
    struct rm_node *node = (struct rm_node *)(uintptr_t)(retired->word & ~RM_RETIRED_TAGS);
    struct rm_inner *inner;

    if (rm_node_level(node) == 0) {
        dispose_leaf(rm_leaf(node), values, thread, budget);
        return true;
    }
    inner = rm_inner(node);
    if ((retired->word & RM_RETIRED_TAGS) == RM_RETIRED_SUBTREE) {
        rm_word_set_private(&inner->prev, 0);
    }
    while (inner != NULL && *budget > 0) {
        inner = dispose_step(inner, values, thread, budget);
    }
    retired->word = rm_pointer_bits(inner) | RM_RETIRED_SUBTREE_ENTERED;
    return inner == NULL;
}

bool rm_dispose_retired(struct rm_retired *retired, struct rm_thread *thread, unsigned *budget)
{
    uint64_t tag = retired->word & RM_RETIRED_TAGS;

    if ((retired->values & RM_RETIRED_VALUE) != 0) {
        const struct rm_values *values =
            (const struct rm_values *)(uintptr_t)(retired->values - RM_RETIRED_VALUE);

        values->release((void *)(uintptr_t)retired->word, values->context);
        spend(budget);
        return true;
    }
    if (tag == RM_RETIRED_SUBTREE || tag == RM_RETIRED_SUBTREE_ENTERED) {
        return dispose_subtree(retired, thread, budget);
    }
    free_node(thread, (void *)(uintptr_t)(retired->word - tag), (unsigned)tag);
    spend(budget);
    return true;
}

void rm_dispose_tree(struct rm_node *root, const struct rm_values *values, struct rm_thread *thread)
{
    struct rm_retired retired = rm_dispose_whole(root, values);
    unsigned budget;

    do {
        budget = UINT_MAX;
    } while (!dispose_subtree(&retired, thread, &budget));
}
