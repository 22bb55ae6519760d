// SPDX-License-Identifier: BSD-2-Clause
#include "pagemap/altmap/altmap.h"

#include <errno.h>

#include "pagemap/base/warn.h"

uint64_t vmem_altmap_offset(const struct vmem_altmap *altmap)
{
    return altmap == NULL ? 0 : altmap->reserve + altmap->free;
}

void vmem_altmap_free(struct vmem_altmap *altmap, uint64_t nr_pfns)
{
    if (!pm_warn_on(nr_pfns > altmap->alloc, "vmem_altmap_free() of more than was allocated")) {
        altmap->alloc -= nr_pfns;
    }
}

uint64_t pm_altmap_alloc(struct vmem_altmap *altmap, uint64_t nr_pfns)
{
    uint64_t next = altmap->base_pfn + altmap->reserve + altmap->alloc + altmap->align;
    uint64_t used = altmap->alloc + altmap->align;
    uint64_t pad = (nr_pfns - next % nr_pfns) % nr_pfns;

    /* used <= free always; each is compared by itself, so that no sum wraps (bug 16 counted twice) */
    if (nr_pfns > altmap->free - used || pad > altmap->free - used - nr_pfns) {
        return UINT64_MAX;
    }
    /* Bug 15: a block must not cover what lies outside of the namespace. end_pfn 0: not given. */
    if (altmap->end_pfn != 0 && next + pad + nr_pfns - 1 > altmap->end_pfn) {
        return UINT64_MAX;
    }
    altmap->alloc += nr_pfns;
    altmap->align += pad;
    return next + pad;
}

int pm_altmap_check(const struct vmem_altmap *altmap, uint64_t start_pfn, uint64_t nr_pfns)
{
    if (altmap->base_pfn != start_pfn || altmap->reserve > nr_pfns ||
        altmap->free > nr_pfns - altmap->reserve) {
        return -EINVAL;
    }
    return 0;
}
