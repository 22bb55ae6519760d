// SPDX-License-Identifier: BSD-2-Clause
/* Which range of a dev_pagemap has a pfn. Drivers give the ranges in any order; they do not overlap. */
#include <stdlib.h>
#include <unistd.h>

#include "pagemap/base/fault.h"
#include "pagemap/page/mapped.h"

static int compare(const void *a, const void *b, void *ranges)
{
    const struct range *all = ranges, *left = &all[*(const unsigned *)a], *right = &all[*(const unsigned *)b];

    return left->start < right->start ? -1 : left->start > right->start;
}

struct pm_mapped *pm_mapped_alloc(const struct dev_pagemap *pgmap)
{
    const unsigned nr = pgmap->nr_range;
    struct pm_mapped *mapped =
        pm_alloc(sizeof *mapped + nr * (sizeof mapped->range[0] + sizeof *mapped->by_start));

    if (mapped == NULL) {
        return NULL;
    }
    mapped->process = getpid();
    mapped->drained_fd = PM_NO_FD;
    mapped->by_start = (unsigned *)(void *)&mapped->range[nr];
    for (unsigned i = 0; i < nr; i++) {
        mapped->by_start[i] = i;
    }
    qsort_r(mapped->by_start, nr, sizeof *mapped->by_start, compare, (void *)(uintptr_t)pgmap->ranges);
    return mapped;
}

int pm_range_search(const struct dev_pagemap *pgmap, uint64_t pfn)
{
    const unsigned *by_start = pgmap->_mapped == NULL ? NULL : pgmap->_mapped->by_start;
    unsigned low = 0, high = by_start == NULL ? 0 : pgmap->nr_range; /* it is below `high` */

    while (low < high) {
        unsigned middle = low + (high - low) / 2;

        if (pfn < pm_first_pfn(&pgmap->ranges[by_start[middle]])) {
            high = middle;
        } else if (pfn > pm_last_pfn(&pgmap->ranges[by_start[middle]])) {
            low = middle + 1;
        } else {
            return (int)by_start[middle];
        }
    }
    return -1;
}
