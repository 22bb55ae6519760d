// SPDX-License-Identifier: BSD-2-Clause
/* Devices that are there because the platform says so. */
#ifndef PAGEMAP_COMPAT_LINUX_PLATFORM_DEVICE_H
#define PAGEMAP_COMPAT_LINUX_PLATFORM_DEVICE_H

#include <linux/device.h>
#include <linux/ioport.h>
#include <linux/mod_devicetable.h>

struct platform_device {
    const char *name;
    int id;
    struct device dev;
    u32 num_resources;
    struct resource *resource;
    const struct platform_device_id *id_entry;
};

struct platform_driver {
    int (*probe)(struct platform_device *pdev);
    int (*remove)(struct platform_device *pdev);
    void (*shutdown)(struct platform_device *pdev);
    struct device_driver driver;
    const struct platform_device_id *id_table;
};

extern struct bus_type platform_bus_type;

#define to_platform_device(device) container_of(device, struct platform_device, dev)
#define to_platform_driver(drv) container_of(drv, struct platform_driver, driver)

struct platform_device *platform_device_alloc(const char *name, int id);
int platform_device_add_resources(struct platform_device *pdev, const struct resource *resources, unsigned n);
int platform_device_add_data(struct platform_device *pdev, const void *data, size_t bytes);
int platform_device_add(struct platform_device *pdev);
void platform_device_put(struct platform_device *pdev);
void platform_device_unregister(struct platform_device *pdev);
struct resource *platform_get_resource(struct platform_device *pdev, unsigned type, unsigned n);
int platform_driver_register(struct platform_driver *driver);
void platform_driver_unregister(struct platform_driver *driver);

static inline void *platform_get_drvdata(const struct platform_device *pdev)
{
    return dev_get_drvdata(&pdev->dev);
}

static inline void platform_set_drvdata(struct platform_device *pdev, void *data)
{
    dev_set_drvdata(&pdev->dev, data);
}

#define module_platform_driver(its_driver)                                                                   \
    static int its_driver##_init(void)                                                                       \
    {                                                                                                        \
        return platform_driver_register(&its_driver);                                                        \
    }                                                                                                        \
    static void its_driver##_exit(void)                                                                      \
    {                                                                                                        \
        platform_driver_unregister(&its_driver);                                                             \
    }                                                                                                        \
    module_init(its_driver##_init) module_exit(its_driver##_exit)

#endif
