// SPDX-License-Identifier: BSD-2-Clause
/* Kernel: mm/sparse-vmemmap.c, arch/x86/mm/init_64.c (6.1). */
#include "pagemap/vmemmap/vmemmap.h"

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>

#include "pagemap/altmap/altmap.h"
#include "pagemap/base/fault.h"
#include "pagemap/base/fork.h"
#include "pagemap/base/map.h"
#include "pagemap/base/warn.h"
#include "pagemap/vmemmap/touched.h"

enum { RESERVED = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE };

struct page *vmemmap;

static const uint64_t TOTAL_PFNS = (PHYSMEM_END >> PAGE_SHIFT) + 1;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

int pm_vmemmap_reserve(void)
{
    int error = 0;

    (void)pthread_mutex_lock(&lock);
    error = pm_touched_reserve(TOTAL_PFNS);
    if (error == 0 && vmemmap == NULL) {
        vmemmap = pm_area_reserve(TOTAL_PFNS * sizeof(struct page), PAGE_SIZE);
        error = vmemmap == NULL ? -ENOMEM : 0;
    }
    (void)pthread_mutex_unlock(&lock);
    return error;
}

/* How many pfns the next piece has: a section where one fits, else a subsection. */
static uint64_t piece_at(uint64_t pfn, uint64_t end_pfn)
{
    const uint64_t section = SECTION_SIZE / PAGE_SIZE;

    return pfn % section == 0 && end_pfn - pfn >= section ? section : SUBSECTION_SIZE / PAGE_SIZE;
}

/* How many pages the struct pages of so many pfns fill. */
static uint64_t memmap_pages(uint64_t nr_pfns)
{
    return nr_pfns * sizeof(struct page) / PAGE_SIZE;
}

/*
 * The piece's struct pages in a block of the device. Not for children, which would change the parent's: the counts in
 * the device are the only ones that both share.
 */
static int populate_piece(const struct pm_span *span, uint64_t pfn, uint64_t nr_pfns)
{
    uint64_t pages = memmap_pages(nr_pfns), block = pm_altmap_alloc(span->altmap, pages), offset;
    int error;

    if (block == UINT64_MAX) {
        return -ENOMEM;
    }
    offset = span->offset + (block - span->start_pfn) * PAGE_SIZE;
    error = pm_memory_zero(span->memory, offset, pages * PAGE_SIZE);
    if (error == 0) {
        pm_fork_hold();
        error = pm_memory_map_lazily(span->memory, &vmemmap[pfn], offset, pages * PAGE_SIZE,
                                     PROT_READ | PROT_WRITE);
        error = error == 0 && !pm_fork_exclude(&vmemmap[pfn], pages * PAGE_SIZE) ? -ENOMEM : error;
        pm_fork_release();
    }
    if (error != 0) {
        vmem_altmap_free(span->altmap, pages);
    }
    return error;
}

/*
 * No thread touches them any more; the bytes go when their place is used again. Ordinary memory whose mapping the
 * system joined with a neighbour's and will not split is emptied at least. False: those in the device can still be
 * touched.
 */
static bool hide(const struct pm_span *span, uint64_t nr_pfns)
{
    void *start = &vmemmap[span->start_pfn];
    size_t bytes = nr_pfns * sizeof(struct page);

    return (!pm_fault_here() && mmap(start, bytes, PROT_NONE, RESERVED | MAP_FIXED, -1, 0) != MAP_FAILED) ||
           pm_area_close(start, bytes) || (span->altmap == NULL && madvise(start, bytes, MADV_DONTNEED) == 0);
}

/* Gives the blocks of [start_pfn, end_pfn) back and hides their struct pages. False: all stays. */
static bool depopulate_until(const struct pm_span *span, uint64_t end_pfn)
{
    uint64_t nr_pfns = end_pfn - span->start_pfn;

    if (nr_pfns == 0) {
        return true;
    }
    if (!hide(span, nr_pfns)) {
        return false;
    }
    pm_touched_clear(span->start_pfn, nr_pfns);
    if (span->altmap != NULL) {
        vmem_altmap_free(span->altmap, memmap_pages(nr_pfns));
    }
    return true;
}

static int populate_from_altmap(const struct pm_span *span)
{
    const struct vmem_altmap before = *span->altmap;
    uint64_t end_pfn = span->start_pfn + span->nr_pfns, pfn = span->start_pfn;
    int error = 0;

    while (pfn < end_pfn && error == 0) {
        uint64_t nr_pfns = piece_at(pfn, end_pfn);

        error = populate_piece(span, pfn, nr_pfns);
        pfn += error == 0 ? nr_pfns : 0;
    }
    if (error != 0) {
        (void)pm_warn_on(!depopulate_until(span, pfn),
                         "the memmap of a device that was not made stays mapped: no mappings left");
        span->altmap->alloc = before.alloc;
        span->altmap->align = before.align;
    }
    return error;
}

int pm_vmemmap_populate(const struct pm_span *span)
{
    if (span->altmap != NULL) {
        return populate_from_altmap(span);
    }
    return pm_area_map(&vmemmap[span->start_pfn], span->nr_pfns * sizeof(struct page), PROT_READ | PROT_WRITE,
                       RESERVED, -1, 0, PM_PAGES_SMALL) == 0
               ? 0
               : -ENOMEM;
}

bool pm_vmemmap_depopulate(const struct pm_span *span)
{
    return depopulate_until(span, span->start_pfn + span->nr_pfns);
}
