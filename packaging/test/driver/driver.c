// SPDX-License-Identifier: BSD-2-Clause
#include <linux/device.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/module.h>

static struct dev_pagemap pgmap;
static struct device dev;

static int __init driver_init(void)
{
    void *address;

    device_initialize(&dev);
    pgmap.type = MEMORY_DEVICE_GENERIC;
    pgmap.nr_range = 1;
    pgmap.range = (struct range){.start = 1UL << 32, .end = (1UL << 32) + (2 << 20) - 1};
    address = devm_memremap_pages(&dev, &pgmap);
    if (IS_ERR(address))
        return PTR_ERR(address);
    return virt_to_page(address)->pgmap == &pgmap ? 0 : -EIO;
}

static void __exit driver_exit(void)
{
    devres_release_all(&dev);
}

module_init(driver_init);
module_exit(driver_exit);
MODULE_LICENSE("GPL");
