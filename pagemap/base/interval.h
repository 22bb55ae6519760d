// SPDX-License-Identifier: BSD-2-Clause
/*
 * Closed intervals that may overlap in any way (kernel: include/linux/interval_tree_generic.h): the views of a file
 * by the indexes that they show, the clients to be told of an invalidation. A treap in which each node knows the last
 * key below it. Under the lock of its owner; needs no memory. Ordered by first key, then by the address of the node.
 */
#ifndef PAGEMAP_BASE_INTERVAL_H
#define PAGEMAP_BASE_INTERVAL_H

#include <stdbool.h>

#include "pagemap/base/compiler.h"
#include "pagemap/types.h"

/* `first` and `last` are set by the caller, and stay as they are until it is removed. */
PM_INTERNAL void pm_interval_insert(struct pm_interval **root, struct pm_interval *interval);
PM_INTERNAL void pm_interval_remove(struct pm_interval **root, struct pm_interval *interval);

/* The first that shares a key with [first, last], and the next one after it; NULL: there is none. */
PM_INTERNAL struct pm_interval *pm_interval_first(struct pm_interval *root, uint64_t first, uint64_t last);
PM_INTERNAL struct pm_interval *pm_interval_next(struct pm_interval *interval, uint64_t first, uint64_t last);

/*
 * These are given the place in the order of one that may be gone: its first key and its address, at which nothing is
 * looked at. The next one after it; whether it is there.
 */
PM_INTERNAL struct pm_interval *pm_interval_after(struct pm_interval *root, uint64_t place,
                                                  const struct pm_interval *node, uint64_t first,
                                                  uint64_t last);
PM_INTERNAL bool pm_interval_is_in(const struct pm_interval *root, uint64_t place,
                                   const struct pm_interval *node);

#endif
