// SPDX-License-Identifier: BSD-2-Clause
/*
 * struct page of every pfn: one array in reserved address space, inaccessible but where it is populated.
 * All bits zero is an idle page, so populating writes nothing.
 */
#ifndef PAGEMAP_VMEMMAP_VMEMMAP_H
#define PAGEMAP_VMEMMAP_VMEMMAP_H

#include "pagemap/backend/backend.h"
#include "pagemap/base/compiler.h"
#include "pagemap/memremap.h"

/* Pages whose memmap comes and goes together. */
struct pm_span {
    uint64_t start_pfn, nr_pfns;         /* whole subsections */
    struct vmem_altmap *altmap;          /* NULL: ordinary memory, when it is touched */
    const struct pagemap_memory *memory; /* with an altmap: the device, */
    uint64_t offset;                     /*   where start_pfn is in it */
};

/* Reserves the array, once. -ENOMEM. */
PM_INTERNAL int pm_vmemmap_reserve(void);

/* Makes the span's pages exist, idle. -ENOMEM (also: the altmap is used up): as before, the altmap too. */
PM_INTERNAL int pm_vmemmap_populate(const struct pm_span *span);

/* Makes them inaccessible, and gives their blocks back to the altmap. False: nothing of that. */
PM_INTERNAL bool pm_vmemmap_depopulate(const struct pm_span *span);

#endif
