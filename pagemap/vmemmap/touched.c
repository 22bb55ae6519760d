// SPDX-License-Identifier: BSD-2-Clause
#include "pagemap/vmemmap/touched.h"

#include <errno.h>
#include <sys/mman.h>

#include "pagemap/base/map.h"
#include "pagemap/types.h"

uint64_t *pm_touched;

/* Pages that come with the first write; NULL: there are none. */
static void *map_words(size_t bytes)
{
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    void *words = pm_area_reserve(bytes, PAGE_SIZE);

    if (words != NULL &&
        pm_area_map(words, bytes, PROT_READ | PROT_WRITE, flags, -1, 0, PM_PAGES_SMALL) != 0) {
        (void)pm_area_release(words, bytes);
        words = NULL;
    }
    return words;
}

int pm_touched_reserve(uint64_t nr_pfns)
{
    if (pm_touched == NULL) {
        pm_touched = map_words(nr_pfns >> PM_TOUCHED_SHIFT >> 3);
    }
    return pm_touched != NULL ? 0 : -ENOMEM;
}

/* The bits from `bit` to the end of its word or to `last`, whichever comes first. */
static uint64_t mask_from(uint64_t bit, uint64_t last)
{
    uint64_t high = last / 64 == bit / 64 ? last % 64 : 63;

    return (UINT64_MAX << bit % 64) & (UINT64_MAX >> (63 - high));
}

/* Untouched words stay untouched, and cost no memory. */
void pm_touched_clear(uint64_t first_pfn, uint64_t nr_pfns)
{
    uint64_t last = ((first_pfn + nr_pfns) >> PM_TOUCHED_SHIFT) - 1;

    for (uint64_t bit = first_pfn >> PM_TOUCHED_SHIFT; bit <= last; bit = (bit / 64 + 1) * 64) {
        uint64_t mask = mask_from(bit, last);

        if ((pm_load_relaxed(&pm_touched[bit / 64]) & mask) != 0) {
            (void)pm_and_full(&pm_touched[bit / 64], ~mask);
        }
    }
}

uint64_t pm_touched_next(uint64_t pfn, uint64_t last_pfn)
{
    uint64_t last = last_pfn >> PM_TOUCHED_SHIFT;

    for (uint64_t bit = pfn >> PM_TOUCHED_SHIFT; bit <= last; bit = (bit / 64 + 1) * 64) {
        uint64_t found = pm_load_full(&pm_touched[bit / 64]) & mask_from(bit, last);

        if (found != 0) {
            uint64_t start = ((bit / 64 * 64) + (uint64_t)__builtin_ctzll(found)) << PM_TOUCHED_SHIFT;

            return start > pfn ? start : pfn;
        }
    }
    return UINT64_MAX;
}
