// SPDX-License-Identifier: BSD-2-Clause
/* The test of docs/porting.md: from the machine to the driver to a program. */
#include <linux/platform_device.h>

#include "test/pagemap/kernel/rig.h"

#define START (2 * RIG_GB)
#define BYTES (2 * RIG_MB)

static struct pagemap_memory *memory;

static struct platform_device *plug_in(void)
{
    const struct resource window = DEFINE_RES_MEM(START, BYTES);
    struct platform_device *pdev = platform_device_alloc("window", 0);

    REQUIRE_NE(pdev, NULL);
    REQUIRE_EQ(platform_device_add_resources(pdev, &window, 1), 0);
    REQUIRE_EQ(platform_device_add(pdev), 0);
    return pdev;
}

TEST_CASE(window, mapped_by_a_program)
{
    struct platform_device *pdev;
    struct file *file;
    char *view;

    kernel_set_up();
    memory = rig_plug(START, BYTES);              /* the machine, */
    REQUIRE_EQ(pagemap_compat_load("window"), 0); /* an administrator, */
    pdev = plug_in();                             /* the platform, */
    REQUIRE_NE(pdev->dev.driver, NULL);
    file = pagemap_compat_open(pdev->dev.devt); /* and a program */
    REQUIRE(!IS_ERR(file));
    view = pagemap_compat_mmap(file, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
    REQUIRE(!IS_ERR(view));
    REQUIRE_EQ(pagemap_compat_catch_faults(), 0);
    view[PAGE_SIZE] = 42; /* calls window_fault() */
    CHECK_EQ(*(char *)page_address(pfn_to_page(PHYS_PFN(START) + 1)), 42);
    CHECK_EQ(pagemap_compat_munmap(view, BYTES), 0);
    CHECK_EQ(pagemap_compat_close(file), 0);
    platform_device_unregister(pdev);
    CHECK(kernel_is_free(START, BYTES));
    CHECK_EQ(pagemap_compat_unload("window"), 0);
    rig_unplug(memory);
    CHECK_EQ(warnings_take(), 0);
}

static struct platform_device *device;

static int bind_again(void)
{
    int error = pagemap_compat_bind(&device->dev, "window");

    if (error == 0) {
        CHECK_EQ(pagemap_compat_unbind(&device->dev), 0);
    }
    CHECK(kernel_is_free(START, BYTES));
    return error;
}

TEST_CASE(window, probe_fails_half_way)
{
    kernel_set_up();
    memory = rig_plug(START, BYTES);
    device = plug_in();
    REQUIRE_EQ(pagemap_compat_load("window"), 0);
    CHECK_EQ(pagemap_compat_unbind(&device->dev), 0);
    CHECK_EQ(kernel_fail_each_step(false, bind_again), 1);
    CHECK_GE(kernel_fail_each_step(true, bind_again), 8);
    platform_device_unregister(device);
    CHECK_EQ(pagemap_compat_unload("window"), 0);
    rig_unplug(memory);
    CHECK_EQ(warnings_take(), 0);
}
