// SPDX-License-Identifier: BSD-2-Clause
/* Moving pages of the process to a device and back. */
#ifndef PAGEMAP_COMPAT_LINUX_MIGRATE_H
#define PAGEMAP_COMPAT_LINUX_MIGRATE_H

#include <linux/mm.h>

#define MIGRATE_PFN_VALID (1UL << 0)
#define MIGRATE_PFN_MIGRATE (1UL << 1)
#define MIGRATE_PFN_WRITE (1UL << 3)
#define MIGRATE_PFN_SHIFT 6

enum migrate_vma_direction {
    MIGRATE_VMA_SELECT_SYSTEM = 1 << 0,
    MIGRATE_VMA_SELECT_DEVICE_PRIVATE = 1 << 1,
    MIGRATE_VMA_SELECT_DEVICE_COHERENT = 1 << 2
};

struct migrate_vma {
    struct vm_area_struct *vma;
    unsigned long *dst, *src;
    unsigned long cpages, npages;
    unsigned long start, end; /* end exclusive */
    void *pgmap_owner;
    unsigned long flags;
    struct page *fault_page;
};

static inline struct page *migrate_pfn_to_page(unsigned long mpfn)
{
    return (mpfn & MIGRATE_PFN_VALID) == 0 ? NULL : pfn_to_page(mpfn >> MIGRATE_PFN_SHIFT);
}

static inline unsigned long migrate_pfn(unsigned long pfn)
{
    return (pfn << MIGRATE_PFN_SHIFT) | MIGRATE_PFN_VALID;
}

/*
 * The three steps of a migration. setup: pages that `flags` select and that have no other holder are locked, held and
 * taken out of view; -EINVAL for bad arguments. pages: each that has a destination in dst is replaced by it, or loses
 * MIGRATE_PFN_MIGRATE. finalize: what was replaced is given back, what was not is brought back into view. pre: the mmap
 * lock, for reading.
 */
int migrate_vma_setup(struct migrate_vma *args);
void migrate_vma_pages(struct migrate_vma *migrate);
void migrate_vma_finalize(struct migrate_vma *migrate);

/* The same for pages of a device, wherever they are; idle ones are left out. */
int migrate_device_range(unsigned long *src_pfns, unsigned long start, unsigned long npages);
void migrate_device_pages(unsigned long *src_pfns, unsigned long *dst_pfns, unsigned long npages);
void migrate_device_finalize(unsigned long *src_pfns, unsigned long *dst_pfns, unsigned long npages);

#endif
