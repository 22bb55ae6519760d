// SPDX-License-Identifier: BSD-2-Clause
/* What mapping peers for DMA comes to. */
#ifndef PAGEMAP_COMPAT_LINUX_DMA_MAP_OPS_H
#define PAGEMAP_COMPAT_LINUX_DMA_MAP_OPS_H

#include <linux/dma-mapping.h>

struct pci_p2pdma_map_state {
    struct dev_pagemap *pgmap;
    int map;
    u64 bus_off;
};

enum pci_p2pdma_map_type {
    PCI_P2PDMA_MAP_UNKNOWN = 0,
    PCI_P2PDMA_MAP_NOT_SUPPORTED,
    PCI_P2PDMA_MAP_BUS_ADDR,
    PCI_P2PDMA_MAP_THRU_HOST_BRIDGE
};

enum pci_p2pdma_map_type pci_p2pdma_map_segment(struct pci_p2pdma_map_state *state, struct device *dev,
                                                struct scatterlist *sg);

#endif
