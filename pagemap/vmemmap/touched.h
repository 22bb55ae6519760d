// SPDX-License-Identifier: BSD-2-Clause
/*
 * Which struct pages were ever grabbed: a bit for 64 of them. A search for busy pages reads these bits, and never
 * a struct page that was never written: reading those of a sparse altmap would make the device allocate them.
 *
 * A bit is set before the first count goes up, and cleared when the memmap goes.
 */
#ifndef PAGEMAP_VMEMMAP_TOUCHED_H
#define PAGEMAP_VMEMMAP_TOUCHED_H

#include "pagemap/base/atomic.h"
#include "pagemap/base/compiler.h"

enum { PM_TOUCHED_SHIFT = 6 }; /* 64 pages: the struct pages of one page of memmap */

/* The bits, one word for 4096 pfns; set by pm_touched_reserve(). */
PM_INTERNAL extern uint64_t *pm_touched;

/* Reserves the words, once, under the vmemmap's lock. -ENOMEM. */
PM_INTERNAL int pm_touched_reserve(uint64_t nr_pfns);

/* Clears the bits of [first_pfn, first_pfn + nr_pfns), whole groups of 64 pages. No thread marks them meanwhile. */
PM_INTERNAL void pm_touched_clear(uint64_t first_pfn, uint64_t nr_pfns);

/* The lowest pfn in [pfn, last_pfn] whose bit is set, or UINT64_MAX. */
PM_INTERNAL uint64_t pm_touched_next(uint64_t pfn, uint64_t last_pfn);

/* Whether the struct pages around that of pfn were. Acquire: what was written to them before the mark is seen. */
static inline bool pm_is_touched(uint64_t pfn)
{
    uint64_t bit = pfn >> PM_TOUCHED_SHIFT;

    return (pm_load_acquire(&pm_touched[bit / 64]) >> bit % 64 & 1) != 0;
}

static inline void pm_touched_mark(uint64_t pfn)
{
    uint64_t bit = pfn >> PM_TOUCHED_SHIFT;

    (void)pm_or_full(&pm_touched[bit / 64], UINT64_C(1) << bit % 64);
}

#endif
