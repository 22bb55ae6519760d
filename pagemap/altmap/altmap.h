// SPDX-License-Identifier: BSD-2-Clause
/* Taking the memmap's memory from the device itself (kernel: mm/sparse-vmemmap.c, mm/memory_hotplug.c 6.1). */
#ifndef PAGEMAP_ALTMAP_ALTMAP_H
#define PAGEMAP_ALTMAP_ALTMAP_H

#include "pagemap/base/compiler.h"
#include "pagemap/memremap.h"

/*
 * The first pfn of a block of nr_pfns (a power of two), naturally aligned; UINT64_MAX: it does not fit in what
 * is left. Blocks come from a bump pointer, as in the kernel; vmem_altmap_free() only counts.
 */
PM_INTERNAL uint64_t pm_altmap_alloc(struct vmem_altmap *altmap, uint64_t nr_pfns);

/* Whether it describes a device of `nr_pfns` pages at `start_pfn`: else -EINVAL. */
PM_INTERNAL int pm_altmap_check(const struct vmem_altmap *altmap, uint64_t start_pfn, uint64_t nr_pfns);

#endif
