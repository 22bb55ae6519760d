// SPDX-License-Identifier: BSD-2-Clause
/*
 * From a page to its place in a file: what page->mapping and page->index are in the kernel, as one entry for each
 * run of pages (kernel: dax_associate_entry(), fs/dax.c 6.1).
 */
#ifndef PAGEMAP_MAPPING_ASSOCIATE_H
#define PAGEMAP_MAPPING_ASSOCIATE_H

#include "pagemap/base/compiler.h"
#include "pagemap/fs.h"

/* Owned by the entries that refer to it. Never changes but for the count. Freed after a grace period. */
struct pm_association {
    struct address_space *mapping;
    uint64_t index_difference; /* index - pfn */
    uint64_t entries;
};

PM_INTERNAL void pm_association_retain(void *association, void *context);
PM_INTERNAL void pm_association_release(void *association, void *context);

/* Says that [pfn, pfn + nr_pages) are at `index` of `mapping`. -EBUSY: one of them is somewhere; -ENOMEM. */
PM_INTERNAL int pm_associate(struct address_space *mapping, uint64_t index, uint64_t pfn, uint64_t nr_pages);

/* Ends it. pre: as pm_mapping_lock() leaves it. */
PM_INTERNAL void pm_disassociate(uint64_t pfn, uint64_t nr_pages);

#endif
