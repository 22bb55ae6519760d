// SPDX-License-Identifier: BSD-2-Clause
/* The tree of resources, for the parts of resource/. */
#ifndef PAGEMAP_RESOURCE_TREE_H
#define PAGEMAP_RESOURCE_TREE_H

#include "pagemap/base/compiler.h"
#include "pagemap/ioport.h"

/* One lock for all trees. A leaf: nothing is called with it held. */
PM_INTERNAL void pm_resource_lock(void);
PM_INTERNAL void pm_resource_unlock(void);

/*
 * Links `fresh` under `parent`; NULL, or the resource that is in its way (the parent: it does not fit). pre: locked.
 */
PM_INTERNAL struct resource *pm_resource_link(struct resource *parent, struct resource *fresh);

/* The next resource of the tree after `at`, children before siblings. pre: locked. */
PM_INTERNAL const struct resource *pm_resource_next(const struct resource *at);

static inline bool pm_resource_overlaps(const struct resource *resource, resource_size_t start,
                                        resource_size_t end)
{
    return resource->start <= end && start <= resource->end;
}

static inline bool pm_resource_contains(const struct resource *outer, const struct resource *inner)
{
    return outer->start <= inner->start && inner->end <= outer->end;
}

#endif
