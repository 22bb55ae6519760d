// SPDX-License-Identifier: BSD-2-Clause
/* Buses and drivers. */
#ifndef PAGEMAP_COMPAT_LINUX_DEVICE_BUS_H
#define PAGEMAP_COMPAT_LINUX_DEVICE_BUS_H

#include "pagemap/device.h"
#include <linux/kobject.h>
#include <linux/pm.h>

struct bus_private;
struct module;

struct bus_type {
    const char *name;
    const char *dev_name;
    const struct attribute_group **bus_groups, **dev_groups, **drv_groups;
    int (*match)(struct device *dev, struct device_driver *driver);
    int (*uevent)(struct device *dev, struct kobj_uevent_env *env);
    int (*probe)(struct device *dev);
    void (*remove)(struct device *dev);
    void (*shutdown)(struct device *dev);
    const struct dev_pm_ops *pm;
    struct bus_private *p;
};

struct device_driver {
    const char *name;
    struct bus_type *bus;
    struct module *owner;
    const char *mod_name;
    bool suppress_bind_attrs;
    const void *of_match_table, *acpi_match_table;
    int (*probe)(struct device *dev);
    int (*remove)(struct device *dev);
    void (*shutdown)(struct device *dev);
    const struct attribute_group **groups, **dev_groups;
    const struct dev_pm_ops *pm;
    struct device_driver *pm_next; /* of the bus */
};

struct driver_attribute {
    struct attribute attr;
    ssize_t (*show)(struct device_driver *driver, char *to);
    ssize_t (*store)(struct device_driver *driver, const char *text, size_t bytes);
};

#define DRIVER_ATTR_RO(name) struct driver_attribute driver_attr_##name = __ATTR_RO(name)
#define DRIVER_ATTR_WO(name) struct driver_attribute driver_attr_##name = __ATTR_WO(name)
#define DRIVER_ATTR_RW(name) struct driver_attribute driver_attr_##name = __ATTR_RW(name)

int bus_register(struct bus_type *bus);
void bus_unregister(struct bus_type *bus);
/* Each device that it finds has a reference more. */
struct device *bus_find_device(struct bus_type *bus, struct device *start, const void *data,
                               int (*match)(struct device *dev, const void *data));
struct device *bus_find_device_by_name(struct bus_type *bus, struct device *start, const char *name);
int bus_for_each_dev(struct bus_type *bus, struct device *start, void *data,
                     int (*fn)(struct device *dev, void *data));
int driver_register(struct device_driver *driver);
void driver_unregister(struct device_driver *driver);
/* Tries it on all devices of its bus that have no driver. */
int driver_attach(struct device_driver *driver);

#endif
