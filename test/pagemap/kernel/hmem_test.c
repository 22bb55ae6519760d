// SPDX-License-Identifier: BSD-2-Clause
/*
 * drivers/dax/hmem: memory that the platform has set aside, found in the resource tree, becomes regions of
 * device-dax.
 */
#include "test/pagemap/kernel/dax.h"

#define START (24 * RIG_GB)
#define BYTES (16 * RIG_MB)

TEST_CASE(hmem, soft_reserved_memory_becomes_a_device)
{
    struct resource soft = {.start = START,
                            .end = START + BYTES - 1,
                            .name = "Soft Reserved",
                            .flags = IORESOURCE_MEM,
                            .desc = IORES_DESC_SOFT_RESERVED};
    struct pagemap_memory *memory = rig_plug(START, BYTES);
    struct device *dev, *parent;
    struct file *file;
    char *view;

    kernel_set_up();
    REQUIRE_EQ(insert_resource(&iomem_resource, &soft), 0);
    REQUIRE_EQ(pagemap_compat_load("dax"), 0);
    REQUIRE_EQ(pagemap_compat_load("device_dax"), 0);
    REQUIRE_EQ(pagemap_compat_load("dax_hmem"), 0);
    REQUIRE_EQ(pagemap_compat_load("device_hmem"), 0, "walks over the tree");
    REQUIRE_EQ(pagemap_compat_catch_faults(), 0);
    parent = pagemap_compat_find_device("hmem.0");
    dev = pagemap_compat_find_device("dax0.0");
    REQUIRE_NE(parent, NULL);
    REQUIRE_NE(dev, NULL);
    REQUIRE_NE(dev->driver, NULL);
    CHECK(rig_finds(PHYS_PFN(START), to_dev_dax(dev)->pgmap));
    file = pagemap_compat_open(dev->devt);
    REQUIRE(!IS_ERR(file));
    view = pagemap_compat_mmap(file, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
    REQUIRE(!IS_ERR(view));
    view[BYTES - 1] = 5;
    CHECK_EQ(view[BYTES - 1], 5);
    CHECK_EQ(pagemap_compat_munmap(view, BYTES), 0);
    CHECK_EQ(pagemap_compat_close(file), 0);
    put_device(dev);
    put_device(parent);
    platform_device_unregister(to_platform_device(parent)); /* as firmware that takes it away */
    CHECK_EQ(pagemap_compat_find_device("dax0.0"), NULL);
    CHECK_EQ(pagemap_compat_unload("dax_hmem"), 0);
    CHECK_EQ(pagemap_compat_unload("device_dax"), 0);
    CHECK_EQ(pagemap_compat_unload("dax"), 0);
    CHECK(rig_finds(PHYS_PFN(START), NULL));
    CHECK_EQ(release_resource(&soft), 0);
    CHECK_EQ(iomem_resource.child, NULL);
    rig_unplug(memory);
    CHECK_EQ(warnings_take(), 0);
}
