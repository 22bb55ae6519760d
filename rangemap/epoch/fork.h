// SPDX-License-Identifier: BSD-2-Clause
/*
 * The child of a fork has one thread and a copy of everything. The maps are consistent: every step of an
 * update leaves a legal state. What other threads had in hand is not: their caches, the bags that they were
 * filling, the batches that they were moving and the shards that they had claimed may have been in motion, so
 * the child forgets those. Nodes stay in the pool's chunks until the domain is destroyed; values and deferred
 * objects in a claimed shard are not released in the child. Their sections would block reclamation for ever,
 * so they are ended.
 */
#ifndef RANGEMAP_EPOCH_FORK_H
#define RANGEMAP_EPOCH_FORK_H

#include "rangemap/base/compiler.h"

/* In the child, by its only thread: ends what the others were doing and parks their records. */
RM_INTERNAL void rm_fork_child(void);

#endif
