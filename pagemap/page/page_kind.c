// SPDX-License-Identifier: BSD-2-Clause
/* What a page is, and where its bytes are. */
#include "pagemap/page/mapped.h"

void *page_address(const struct page *page)
{
    struct dev_pagemap *pgmap = page_pgmap(page);
    uint64_t pfn = page_to_pfn(page);
    int range = pgmap == NULL ? -1 : pm_range_of(pgmap, pfn);

    if (range < 0 || pgmap->type == MEMORY_DEVICE_PRIVATE) {
        return NULL;
    }
    return (char *)pgmap->_mapped->range[range].linear +
           (pfn - pm_first_pfn(&pgmap->ranges[range])) * PAGE_SIZE;
}

static bool has_type(const struct page *page, enum memory_type type)
{
    const struct dev_pagemap *pgmap = page_pgmap(page);

    return pgmap != NULL && pgmap->type == type;
}

bool is_device_private_page(const struct page *page)
{
    return has_type(page, MEMORY_DEVICE_PRIVATE);
}

bool is_device_coherent_page(const struct page *page)
{
    return has_type(page, MEMORY_DEVICE_COHERENT) && (page_pgmap(page)->flags & PGMAP_SYSTEM_RAM) == 0;
}

bool is_pci_p2pdma_page(const struct page *page)
{
    return has_type(page, MEMORY_DEVICE_PCI_P2PDMA);
}
