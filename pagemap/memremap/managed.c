// SPDX-License-Identifier: BSD-2-Clause
/* A mapping that goes with its device. Kernel: mm/memremap.c (6.1). */
#include "pagemap/device.h"
#include "pagemap/pagemap.h"

static void unmap_action(void *pgmap)
{
    (void)memunmap_pages(pgmap); /* WARNs if it fails */
}

void *devm_memremap_pages(struct device *dev, struct dev_pagemap *pgmap)
{
    void *linear = memremap_pages(pgmap, -1);
    int error;

    if (IS_ERR(linear)) {
        return linear;
    }
    error = devm_add_action_or_reset(dev, unmap_action, pgmap);
    return error == 0 ? linear : ERR_PTR(error);
}

void devm_memunmap_pages(struct device *dev, struct dev_pagemap *pgmap)
{
    (void)devm_release_action(dev, unmap_action, pgmap);
}
