// SPDX-License-Identifier: BSD-2-Clause
/* The end of a retired thing, after its grace period: values are released, nodes go back to the pool. */
#ifndef RANGEMAP_EPOCH_DISPOSE_H
#define RANGEMAP_EPOCH_DISPOSE_H

#include "rangemap/epoch/retire.h"

/*
 * Disposes of *retired, or of a part: a subtree takes one step per node, and the entry remembers where it
 * is. Counts every node and value down from *budget. True: all is gone.
 */
RM_INTERNAL bool rm_dispose_retired(struct rm_retired *retired, struct rm_thread *thread, unsigned *budget);

/* What rm_dispose_retired() takes for a whole tree, and for its values if `values` is not NULL. */
static inline struct rm_retired rm_dispose_whole(const struct rm_node *root, const struct rm_values *values)
{
    return (struct rm_retired){rm_pointer_bits(root) | RM_RETIRED_SUBTREE, rm_pointer_bits(values)};
}

/* Frees a tree that no other thread sees, releasing values if `values` is not NULL; all at once. */
RM_INTERNAL void rm_dispose_tree(struct rm_node *root, const struct rm_values *values,
                                 struct rm_thread *thread);

#endif
