// SPDX-License-Identifier: BSD-2-Clause
#include "pagemap/page/busy.h"

#include "pagemap/page/mapped.h"
#include "pagemap/vmemmap/touched.h"

uint64_t pm_next_busy(const struct dev_pagemap *pgmap, uint64_t pfn, uint64_t last_pfn)
{
    pfn = pm_head_pfn(pgmap, pfn);
    while ((pfn = pm_touched_next(pfn, last_pfn)) != UINT64_MAX) {
        uint64_t end = pfn | ((UINT64_C(1) << PM_TOUCHED_SHIFT) - 1);

        for (; pfn <= end && pfn <= last_pfn; pfn++) {
            if (pm_load_full(&pfn_to_page(pfn)->_refcount) != 0) {
                return pfn;
            }
        }
        if (pfn > last_pfn) {
            break;
        }
    }
    return UINT64_MAX;
}
