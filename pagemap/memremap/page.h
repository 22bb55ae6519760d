// SPDX-License-Identifier: BSD-2-Clause
/* struct page for the rest of the library. */
#ifndef PAGEMAP_MEMREMAP_PAGE_H
#define PAGEMAP_MEMREMAP_PAGE_H

#include "pagemap/base/compiler.h"
#include "pagemap/memremap.h"

/* Bits of struct page::_flags. */
#define PM_PAGE_LOCKED UINT64_C(1) /* of a compound page in its first page */
#define PM_PAGE_POISON UINT64_C(2) /* of each page by itself */

/* Whether its pages are allocated by their driver, and cannot be grabbed while they are idle. */
static inline bool pm_is_allocated_type(const struct dev_pagemap *pgmap)
{
    return pgmap->type == MEMORY_DEVICE_PRIVATE || pgmap->type == MEMORY_DEVICE_COHERENT;
}

/* Where the compound page of pfn ends, or [.., last_pfn] if that is sooner: the first pfn that is beyond. */
static inline uint64_t pm_next_compound(const struct dev_pagemap *pgmap, uint64_t pfn, uint64_t last_pfn)
{
    uint64_t last = pfn | (pgmap_vmemmap_nr(pgmap) - 1);

    return (last < last_pfn ? last : last_pfn) + 1;
}

/* Its mapping, for who knows that the mapping stays; NULL: no mapping has it. */
PM_INTERNAL struct dev_pagemap *pm_page_owner(const struct page *page);

/* The page of a valid pfn of `pgmap`, on which the caller has a reference; page_pgmap() of it is set. */
PM_INTERNAL struct page *pm_page_of(struct dev_pagemap *pgmap, uint64_t pfn);

/*
 * n references more on the page of a valid pfn, for who has one on `pgmap`. False: it is poisoned, or idle and
 * of a type that is allocated. *left_idle: the page needs a reference on `pgmap` for itself now: the caller's,
 * or one that the caller takes. Order: the addition is full, and comes before what the caller loads next.
 */
PM_INTERNAL bool pm_page_count_up(struct dev_pagemap *pgmap, uint64_t pfn, uint64_t n, bool *left_idle);

#endif
