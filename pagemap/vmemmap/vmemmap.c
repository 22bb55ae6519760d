// SPDX-License-Identifier: BSD-2-Clause
/* Kernel: mm/sparse-vmemmap.c, arch/x86/mm/init_64.c (6.1). */
#include "pagemap/vmemmap/vmemmap.h"

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>

#include "pagemap/altmap/altmap.h"
#include "pagemap/base/fault.h"
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
        void *base = pm_mmap(NULL, TOTAL_PFNS * sizeof(struct page), PROT_NONE, RESERVED, -1, 0);

        if (base == MAP_FAILED) {
            error = -ENOMEM;
        } else {
            (void)madvise(base, TOTAL_PFNS * sizeof(struct page), MADV_DONTDUMP);
            vmemmap = base;
        }
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

/* The piece's struct pages in a block of the device. */
static int populate_piece(const struct pm_span *span, uint64_t pfn, uint64_t nr_pfns)
{
    uint64_t pages = memmap_pages(nr_pfns), block = pm_altmap_alloc(span->altmap, pages), offset;
    void *mapped;
    int error;

    if (block == UINT64_MAX) {
        return -ENOMEM;
    }
    offset = span->offset + (block - span->start_pfn) * PAGE_SIZE;
    error = pm_memory_zero(span->memory, offset, pages * PAGE_SIZE);
    if (error == 0) {
        mapped =
            pm_memory_map(span->memory, &vmemmap[pfn], offset, pages * PAGE_SIZE, PROT_READ | PROT_WRITE);
        error = IS_ERR(mapped) ? (int)PTR_ERR(mapped) : 0;
    }
    if (error != 0) {
        vmem_altmap_free(span->altmap, pages);
    }
    return error;
}

/* At least nobody touches them; the bytes go when their place is used again. */
static void hide(uint64_t pfn, uint64_t nr_pfns)
{
    void *start = &vmemmap[pfn];
    size_t bytes = nr_pfns * sizeof(struct page);
    bool hidden = mmap(start, bytes, PROT_NONE, RESERVED | MAP_FIXED, -1, 0) != MAP_FAILED ||
                  mprotect(start, bytes, PROT_NONE) == 0;

    (void)pm_warn_on(!hidden, "the memmap of a device that went stays mapped: no mappings left");
}

/* Gives the blocks of [start_pfn, end_pfn) back and hides their struct pages. */
static void depopulate_until(const struct pm_span *span, uint64_t end_pfn)
{
    if (end_pfn > span->start_pfn) {
        pm_touched_clear(span->start_pfn, end_pfn - span->start_pfn);
        hide(span->start_pfn, end_pfn - span->start_pfn);
    }
    if (span->altmap != NULL && end_pfn > span->start_pfn) {
        vmem_altmap_free(span->altmap, memmap_pages(end_pfn - span->start_pfn));
    }
}

/* Not for children, which would change the parent's: the counts in the device are the only ones that both share. */
static int keep_from_children(const struct pm_span *span)
{
    void *start = &vmemmap[span->start_pfn];

    return !pm_fault_here() && madvise(start, span->nr_pfns * sizeof(struct page), MADV_DONTFORK) == 0
               ? 0
               : -ENOMEM;
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
    error = error != 0 ? error : keep_from_children(span);
    if (error != 0) {
        depopulate_until(span, pfn);
        span->altmap->alloc = before.alloc;
        span->altmap->align = before.align;
    }
    return error;
}

int pm_vmemmap_populate(const struct pm_span *span)
{
    void *mapped;

    if (span->altmap != NULL) {
        return populate_from_altmap(span);
    }
    mapped = pm_mmap(&vmemmap[span->start_pfn], span->nr_pfns * sizeof(struct page), PROT_READ | PROT_WRITE,
                     RESERVED | MAP_FIXED, -1, 0);
    return mapped == MAP_FAILED ? -ENOMEM : 0;
}

void pm_vmemmap_depopulate(const struct pm_span *span)
{
    depopulate_until(span, span->start_pfn + span->nr_pfns);
}
