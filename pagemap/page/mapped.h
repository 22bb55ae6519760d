// SPDX-License-Identifier: BSD-2-Clause
/* The index of pfns, and what a mapped dev_pagemap has. */
#ifndef PAGEMAP_PAGE_MAPPED_H
#define PAGEMAP_PAGE_MAPPED_H

#include <sys/types.h>

#include "pagemap/memremap.h"
#include "pagemap/percpu_ref/count.h"
#include "pagemap/vmemmap/vmemmap.h"
#include "rangemap/rangemap.h"

/* One range of a mapped dev_pagemap. */
struct pm_mapped_range {
    struct pm_span span;
    struct pagemap_memory *memory; /* in use; NULL: none behind it */
    void *linear;                  /* the range in this process; NULL until it is there */
    bool is_reserved;              /* it has an entry in the index */
    bool is_populated;
};

struct pm_mapped {
    struct rangemap *index;
    pid_t process;      /* that mapped it: a child has neither its linear map nor its struct pages */
    unsigned *by_start; /* the numbers of the ranges in order of address */
    int drained_fd;     /* written to when the last reference is gone; PM_NO_FD: none */
    unsigned watchers;  /* have a reference each; under the lock of page/watch.c */
    struct pm_mapped_range range[]; /* nr_range */
};

/*
 * The index: pfn ranges to dev_pagemaps. An entry whose value has the tag is reserved, not published: lookups
 * take it for nothing. NULL if nothing was ever mapped.
 */
#define PM_RESERVED UINT64_C(1)

PM_INTERNAL extern struct rangemap *pm_index;

/* Makes the index. -ENOMEM. */
PM_INTERNAL int pm_index_create(void);

static inline struct rangemap *pm_index_get(void)
{
    return __atomic_load_n(&pm_index, __ATOMIC_ACQUIRE);
}

static inline void *pm_reserved_value(struct dev_pagemap *pgmap)
{
    return (void *)((uintptr_t)pgmap | PM_RESERVED);
}

static inline bool pm_is_reserved_value(const void *value)
{
    return ((uintptr_t)value & PM_RESERVED) != 0;
}

static inline uint64_t pm_first_pfn(const struct range *range)
{
    return PHYS_PFN(range->start);
}

static inline uint64_t pm_last_pfn(const struct range *range)
{
    return PHYS_PFN(range->end);
}

/* pm_range_of() of a dev_pagemap of many ranges, in time of their logarithm. */
PM_INTERNAL int pm_range_search(const struct dev_pagemap *pgmap, uint64_t pfn);

/* The number of the range that holds pfn, or -1. */
static inline int pm_range_of(const struct dev_pagemap *pgmap, uint64_t pfn)
{
    if (PM_UNLIKELY(pgmap->nr_range != 1)) {
        return pm_range_search(pgmap, pfn);
    }
    return pm_first_pfn(&pgmap->ranges[0]) <= pfn && pfn <= pm_last_pfn(&pgmap->ranges[0]) ? 0 : -1;
}

static inline uint64_t pm_head_pfn(const struct dev_pagemap *pgmap, uint64_t pfn)
{
    return pfn & ~(pgmap_vmemmap_nr(pgmap) - 1);
}

/* What a dev_pagemap that is about to be mapped has; free() ends it. NULL: no memory. */
PM_INTERNAL struct pm_mapped *pm_mapped_alloc(const struct dev_pagemap *pgmap);

/* get_dev_pagemap(pfn, NULL). */
PM_INTERNAL struct dev_pagemap *pm_get(uint64_t pfn);

/*
 * Ends it; NULL is allowed. Unlike get_dev_pagemap()'s, references of the library's own are not recorded as a
 * holder's.
 */
static inline void pm_put(struct dev_pagemap *pgmap)
{
    if (pgmap != NULL) {
        pm_ref_put_many(&pgmap->ref, 1);
    }
}

/* The mapping that holds pfn, live or dying, without a reference: for a caller that knows that it stays. NULL: none. */
PM_INTERNAL struct dev_pagemap *pm_find(uint64_t pfn);

/* A reference on the mapping that holds pfn, live or dying; NULL: none does, or it has no reference any more. */
PM_INTERNAL struct dev_pagemap *pm_hold(uint64_t pfn);

#endif
