// SPDX-License-Identifier: BSD-2-Clause
/* Runs an update: finds its place, publishes it, cleans up after it. */
#ifndef RANGEMAP_TREE_UPDATE_H
#define RANGEMAP_TREE_UPDATE_H

#include "rangemap/tree/op.h"

/*
 * RM_DONE or the reason why nothing changed; never RM_RETRY. Lock-free; a section of its own. Runs the
 * callbacks of op and map.
 */
RM_INTERNAL enum rm_outcome rm_update(struct rangemap *map, struct rm_thread *thread, struct rm_op *op);

/* What the largest number of nodes that one update can take weighs, whatever happens meanwhile. */
RM_INTERNAL size_t rm_update_bytes_max(const struct rangemap *map);

#endif
