// SPDX-License-Identifier: BSD-2-Clause
/* Regions of dax memory and the devices in them, as drivers/dax/hmem and cxl make them. */
#ifndef PAGEMAP_TEST_KERNEL_DAX_H
#define PAGEMAP_TEST_KERNEL_DAX_H

#include <linux/dax.h>
#include <linux/device.h>
#include <linux/memremap.h>
#include <linux/platform_device.h>

#include "drivers/dax/bus.h"
#include "drivers/dax/dax-private.h"
#include "test/pagemap/kernel/rig.h"

struct dax_rig {
    struct pagemap_memory *memory;
    struct platform_device *parent;
    struct dax_region *region;
    struct range range;
    struct dev_dax *dev;
};

static struct platform_driver dax_hmem = {.driver = {.name = "hmem"}};

/* A region of `bytes` at `start`, on node `node`, whose devices map it in pieces of `align`. */
static inline void dax_set_up(struct dax_rig *rig, uint64_t start, uint64_t bytes, int node, unsigned align)
{
    memset(rig, 0, sizeof *rig);
    rig->memory = rig_plug(start, bytes);
    rig->range = rig_range(start, bytes);
    REQUIRE_EQ(platform_driver_register(&dax_hmem), 0);
    rig->parent = platform_device_alloc("hmem", 0);
    REQUIRE_NE(rig->parent, NULL);
    REQUIRE_EQ(platform_device_add(rig->parent), 0);
    rig->region = alloc_dax_region(&rig->parent->dev, 0, &rig->range, node, align, 0);
    REQUIRE_NE(rig->region, NULL);
}

/* A device of `bytes` in it; the driver that matches, if there is one, is bound when this returns. */
static inline int dax_create(struct dax_rig *rig, uint64_t bytes)
{
    struct dev_dax_data data = {.dax_region = rig->region, .id = -1, .size = bytes};
    struct dev_dax *dev = devm_create_dev_dax(&data);

    rig->dev = IS_ERR(dev) ? NULL : dev;
    return IS_ERR(dev) ? (int)PTR_ERR(dev) : 0;
}

static inline bool dax_is_bound(const struct dax_rig *rig)
{
    return rig->dev->dev.driver != NULL;
}

/* Ends all devices, and the region with them. */
static inline void dax_tear_down(struct dax_rig *rig)
{
    dax_region_put(rig->region);
    platform_device_unregister(rig->parent);
    platform_driver_unregister(&dax_hmem);
    rig_unplug(rig->memory);
}

#endif
