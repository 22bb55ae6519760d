// SPDX-License-Identifier: BSD-2-Clause
/* Directions of DMA. Devices see physical addresses. */
#ifndef PAGEMAP_COMPAT_LINUX_DMA_MAPPING_H
#define PAGEMAP_COMPAT_LINUX_DMA_MAPPING_H

#include <linux/device.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>

enum dma_data_direction { DMA_BIDIRECTIONAL, DMA_TO_DEVICE, DMA_FROM_DEVICE, DMA_NONE };

#define DMA_MAPPING_ERROR (~(dma_addr_t)0)
#define DMA_BIT_MASK(n) ((n) == 64 ? ~0ULL : (1ULL << (n)) - 1)
#define dma_map_page(dev, page, offset, bytes, direction) ((void)(dev), page_to_phys(page) + (offset))
#define dma_unmap_page(dev, address, bytes, direction) ((void)(dev), (void)(address))
#define dma_mapping_error(dev, address) ((address) == DMA_MAPPING_ERROR)
#define dma_set_mask(dev, mask) ((dev)->coherent_dma_mask = (mask), 0)
#define dma_set_mask_and_coherent(dev, mask) dma_set_mask(dev, mask)

#endif
