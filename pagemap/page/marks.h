// SPDX-License-Identifier: BSD-2-Clause
/* Marks of poisoned pages: memory_failure() makes them, inserting pages or taking them away looks at them. */
#ifndef PAGEMAP_PAGE_MARKS_H
#define PAGEMAP_PAGE_MARKS_H

#include <stdbool.h>
#include <stdint.h>

#include "pagemap/base/compiler.h"
#include "pagemap/memremap.h"

/*
 * The lowest poisoned pfn of [pfn, last_pfn], or UINT64_MAX. pre: their mapping stays. Takes a lock that orders it
 * with memory_failure(): what the caller did before is seen there, or the mark is seen here.
 */
PM_INTERNAL uint64_t pm_poison_next(uint64_t pfn, uint64_t last_pfn);

/* Marks the page, or takes the mark away; whether that changed anything. pre: its mapping stays. */
PM_INTERNAL bool pm_poison_mark(struct page *page, bool poisoned);

/*
 * Around a memory_failure() of the page, of which some may be under way: between the two it is marked. It stays so if
 * one of them has dealt with it, or it was before; pm_poison_end() is true for the first that has. pre: as above.
 */
PM_INTERNAL void pm_poison_begin(struct page *page);
PM_INTERNAL bool pm_poison_end(struct page *page, bool is_dealt_with);

/* The mapping of [pfn, last_pfn] goes, and marks with it. */
PM_INTERNAL void pm_poison_forget(uint64_t pfn, uint64_t last_pfn);

#endif
