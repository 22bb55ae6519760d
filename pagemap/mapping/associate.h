// SPDX-License-Identifier: BSD-2-Clause
/*
 * From a page to its place in a file: what page->mapping and page->index are in the kernel, as one entry for each
 * run of pages (kernel: dax_associate_entry(), fs/dax.c 6.1).
 */
#ifndef PAGEMAP_MAPPING_ASSOCIATE_H
#define PAGEMAP_MAPPING_ASSOCIATE_H

#include "pagemap/base/compiler.h"
#include "pagemap/fs.h"
#include "pagemap/mapping/tables.h"

/* Says that [pfn, pfn + nr_pages) are at `index` of `mapping`. -EBUSY: one of them is somewhere; -ENOMEM. */
PM_INTERNAL int pm_associate(struct address_space *mapping, uint64_t index, uint64_t pfn, uint64_t nr_pages);

/* Ends it. -ENOMEM: all are still associated. */
PM_INTERNAL int pm_disassociate(uint64_t pfn, uint64_t nr_pages);

#endif
