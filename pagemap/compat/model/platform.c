// SPDX-License-Identifier: BSD-2-Clause
/* Platform devices. Kernel: drivers/base/platform.c (6.1). */
#include <linux/platform_device.h>

static int platform_match(struct device *dev, struct device_driver *driver)
{
    const struct platform_device *pdev = to_platform_device(dev);
    const struct platform_device_id *id = to_platform_driver(driver)->id_table;

    for (; id != NULL && id->name[0] != 0; id++) {
        if (strcmp(id->name, pdev->name) == 0) {
            return 1;
        }
    }
    return strcmp(pdev->name, driver->name) == 0;
}

static int platform_probe(struct device *dev)
{
    struct platform_driver *driver = to_platform_driver(dev->driver);

    return driver->probe == NULL ? 0 : driver->probe(to_platform_device(dev));
}

static void platform_remove(struct device *dev)
{
    struct platform_driver *driver = to_platform_driver(dev->driver);

    if (driver->remove != NULL) {
        (void)driver->remove(to_platform_device(dev));
    }
}

struct bus_type platform_bus_type = {
    .name = "platform",
    .match = platform_match,
    .probe = platform_probe,
    .remove = platform_remove,
};

__attribute__((constructor)) static void register_platform_bus(void)
{
    WARN_ON(bus_register(&platform_bus_type) != 0);
}

static void free_platform_device(struct device *dev)
{
    struct platform_device *pdev = to_platform_device(dev);

    kfree(pdev->resource);
    kfree(pdev->dev.platform_data);
    kfree(pdev);
}

struct platform_device *platform_device_alloc(const char *name, int id)
{
    struct platform_device *pdev = kzalloc(sizeof *pdev, GFP_KERNEL);

    if (pdev == NULL) {
        return NULL;
    }
    device_initialize(&pdev->dev);
    pdev->name = name;
    pdev->id = id;
    pdev->dev.bus = &platform_bus_type;
    pdev->dev.release = free_platform_device;
    return pdev;
}

int platform_device_add_resources(struct platform_device *pdev, const struct resource *resources, unsigned n)
{
    struct resource *copy = kmemdup(resources, n * sizeof *resources, GFP_KERNEL);

    if (copy == NULL && n > 0) {
        return -ENOMEM;
    }
    kfree(pdev->resource);
    pdev->resource = copy;
    pdev->num_resources = n;
    return 0;
}

int platform_device_add_data(struct platform_device *pdev, const void *data, size_t bytes)
{
    void *copy = kmemdup(data, bytes, GFP_KERNEL);

    if (copy == NULL) {
        return -ENOMEM;
    }
    kfree(pdev->dev.platform_data);
    pdev->dev.platform_data = copy;
    return 0;
}

int platform_device_add(struct platform_device *pdev)
{
    int error = pdev->id < 0 ? dev_set_name(&pdev->dev, "%s", pdev->name)
                             : dev_set_name(&pdev->dev, "%s.%d", pdev->name, pdev->id);

    return error != 0 ? error : device_add(&pdev->dev);
}

void platform_device_put(struct platform_device *pdev)
{
    if (!IS_ERR_OR_NULL(pdev)) {
        put_device(&pdev->dev);
    }
}

void platform_device_unregister(struct platform_device *pdev)
{
    if (!IS_ERR_OR_NULL(pdev)) {
        device_unregister(&pdev->dev);
    }
}

struct resource *platform_get_resource(struct platform_device *pdev, unsigned type, unsigned n)
{
    for (u32 i = 0; i < pdev->num_resources; i++) {
        if (resource_type(&pdev->resource[i]) == type && n-- == 0) {
            return &pdev->resource[i];
        }
    }
    return NULL;
}

int platform_driver_register(struct platform_driver *driver)
{
    driver->driver.bus = &platform_bus_type;
    return driver_register(&driver->driver);
}

void platform_driver_unregister(struct platform_driver *driver)
{
    driver_unregister(&driver->driver);
}
