// SPDX-License-Identifier: BSD-2-Clause
/* The part of drivers/nvdimm that is not compiled: a region with one namespace, which nd_pmem drives. */
#ifndef PAGEMAP_TEST_KERNEL_NVDIMM_H
#define PAGEMAP_TEST_KERNEL_NVDIMM_H

#include <linux/nd.h>

#include <drivers/nvdimm/nd.h>
#include <drivers/nvdimm/pfn.h>

/*
 * A namespace [start, start + bytes) below the region of the test; with `metadata` bytes it has a pfn info block,
 * whose struct pages lie in the first so many bytes (an altmap), else it is mapped raw. The device to bind nd_pmem
 * to, with the caller's reference.
 */
struct device *nvdimm_add(u64 start, u64 bytes, u64 metadata);
void nvdimm_remove(struct device *dev);

/* How often the region was flushed. */
unsigned nvdimm_flushes(void);

/* Sectors of the namespace that are bad when it is attached, and how many times poison was cleared. */
void nvdimm_set_bad(sector_t start, int sectors);
unsigned nvdimm_cleared(void);

#endif
