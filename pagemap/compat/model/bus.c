// SPDX-License-Identifier: BSD-2-Clause
/* Buses, drivers, and binding them to devices. Kernel: drivers/base/bus.c, dd.c (6.1). */
#include <linux/device.h>

#include "pagemap/compat/model/model.h"
#include "pagemap/compat/user.h"

struct bus_private {
    struct bus_type *bus, *next_bus;
    struct bus_private *next;
    struct device_driver *drivers;
};

static struct bus_private *buses;

int bus_register(struct bus_type *bus)
{
    struct bus_private *made = kzalloc(sizeof *made, GFP_KERNEL);

    if (made == NULL) {
        return -ENOMEM;
    }
    made->bus = bus;
    pm_model_lock();
    made->next = buses;
    buses = made;
    bus->p = made;
    pm_model_unlock();
    return 0;
}

void bus_unregister(struct bus_type *bus)
{
    struct bus_private **link = &buses;

    pm_model_lock();
    while (*link != NULL && *link != bus->p) {
        link = &(*link)->next;
    }
    if (*link != NULL) {
        *link = bus->p->next;
    }
    kfree(bus->p);
    bus->p = NULL;
    pm_model_unlock();
}

/* ---- binding ---- */

static bool matches(struct device *dev, struct device_driver *driver)
{
    return dev->bus == driver->bus && (driver->bus->match == NULL || driver->bus->match(dev, driver) > 0);
}

static int call_probe(struct device *dev, struct device_driver *driver)
{
    if (dev->bus->probe != NULL) {
        return dev->bus->probe(dev);
    }
    return driver->probe == NULL ? 0 : driver->probe(dev);
}

/* pre: the device is locked and has no driver. What a probe left behind when it failed goes. */
static int probe(struct device *dev, struct device_driver *driver)
{
    int error;

    dev->driver = driver;
    error = call_probe(dev, driver);
    error = error != 0 ? error : sysfs_create_groups(&dev->kobj, driver->dev_groups);
    if (error != 0) {
        (void)devres_release_all(dev);
        dev->driver = NULL;
        dev_set_drvdata(dev, NULL);
    }
    return error > 0 ? -EINVAL : error;
}

/* pre: locked. */
static void unbind(struct device *dev)
{
    struct device_driver *driver = dev->driver;

    if (driver == NULL) {
        return;
    }
    sysfs_remove_groups(&dev->kobj, driver->dev_groups);
    if (dev->bus->remove != NULL) {
        dev->bus->remove(dev);
    } else if (driver->remove != NULL) {
        (void)driver->remove(dev);
    }
    (void)devres_release_all(dev);
    dev_set_drvdata(dev, NULL);
    dev->driver = NULL;
}

/* The driver after `before` of the bus; NULL: no more. Drivers stay registered while devices are looked at. */
static struct device_driver *next_driver(struct bus_type *bus, struct device_driver *before)
{
    struct device_driver *driver;

    pm_model_lock();
    driver = before != NULL ? before->pm_next : bus->p == NULL ? NULL : bus->p->drivers;
    pm_model_unlock();
    return driver;
}

int device_attach(struct device *dev)
{
    struct device_driver *driver = NULL;
    int attached = 0;

    device_lock(dev);
    attached = dev->driver != NULL;
    while (!attached && (driver = next_driver(dev->bus, driver)) != NULL) {
        attached = matches(dev, driver) && probe(dev, driver) == 0;
    }
    device_unlock(dev);
    return attached;
}

void device_release_driver(struct device *dev)
{
    device_lock(dev);
    unbind(dev);
    device_unlock(dev);
}

int pagemap_compat_bind(struct device *dev, const char *name)
{
    struct device_driver *driver = NULL;
    int error = -ENODEV;

    device_lock(dev);
    while (dev->bus != NULL && (driver = next_driver(dev->bus, driver)) != NULL &&
           strcmp(driver->name, name) != 0) {
    }
    if (driver != NULL && matches(dev, driver)) {
        error = dev->driver != NULL ? -EBUSY : probe(dev, driver);
    }
    device_unlock(dev);
    return error;
}

int pagemap_compat_unbind(struct device *dev)
{
    int error = 0;

    device_lock(dev);
    error = dev->driver == NULL ? -ENODEV : 0;
    unbind(dev);
    device_unlock(dev);
    return error;
}

/* ---- drivers ---- */

static bool is_on_bus(struct device *dev, void *bus)
{
    return dev->bus == bus;
}

int bus_for_each_dev(struct bus_type *bus, struct device *start, void *data,
                     int (*fn)(struct device *dev, void *data))
{
    struct device *dev = get_device(start), *next;
    int result = 0;

    while (result == 0 && (next = pm_model_next(dev, is_on_bus, bus)) != NULL) {
        put_device(dev);
        dev = next;
        result = fn(dev, data);
    }
    put_device(dev);
    return result;
}

struct device *bus_find_device(struct bus_type *bus, struct device *start, const void *data,
                               int (*match)(struct device *dev, const void *data))
{
    struct device *dev = get_device(start), *next;

    while ((next = pm_model_next(dev, is_on_bus, bus)) != NULL && !match(next, data)) {
        put_device(dev);
        dev = next;
    }
    put_device(dev);
    return next;
}

static int has_name(struct device *dev, const void *name)
{
    return sysfs_streq(dev_name(dev), name);
}

struct device *bus_find_device_by_name(struct bus_type *bus, struct device *start, const char *name)
{
    return bus_find_device(bus, start, name, has_name);
}

static int attach_one(struct device *dev, void *driver)
{
    device_lock(dev);
    if (dev->driver == NULL && matches(dev, driver)) {
        (void)probe(dev, driver);
    }
    device_unlock(dev);
    return 0;
}

int driver_attach(struct device_driver *driver)
{
    return bus_for_each_dev(driver->bus, NULL, driver, attach_one);
}

int driver_register(struct device_driver *driver)
{
    struct bus_private *bus = driver->bus == NULL ? NULL : driver->bus->p;

    if (bus == NULL) {
        return -EINVAL;
    }
    pm_model_lock();
    driver->pm_next = bus->drivers;
    bus->drivers = driver;
    pm_model_unlock();
    return driver_attach(driver);
}

static int unbind_from(struct device *dev, void *driver)
{
    device_lock(dev);
    if (dev->driver == driver) {
        unbind(dev);
    }
    device_unlock(dev);
    return 0;
}

void driver_unregister(struct device_driver *driver)
{
    struct device_driver **link;

    pm_model_lock();
    for (link = &driver->bus->p->drivers; *link != NULL && *link != driver; link = &(*link)->pm_next) {
    }
    if (*link != NULL) {
        *link = driver->pm_next;
    }
    pm_model_unlock();
    (void)bus_for_each_dev(driver->bus, NULL, driver, unbind_from);
}

/* ---- attributes of drivers ---- */

static struct attribute *find_attribute(const struct attribute_group **groups, const char *name)
{
    for (; groups != NULL && *groups != NULL; groups++) {
        for (struct attribute **at = (*groups)->attrs; at != NULL && *at != NULL; at++) {
            if (strcmp((*at)->name, name) == 0) {
                return *at;
            }
        }
    }
    return NULL;
}

static struct device_driver *find_driver(const char *bus_name, const char *name)
{
    struct device_driver *driver = NULL;

    pm_model_lock();
    for (struct bus_private *bus = buses; bus != NULL && driver == NULL; bus = bus->next) {
        if (strcmp(bus->bus->name, bus_name) == 0) {
            driver = bus->drivers;
            while (driver != NULL && strcmp(driver->name, name) != 0) {
                driver = driver->pm_next;
            }
        }
    }
    pm_model_unlock();
    return driver;
}

ssize_t pagemap_compat_store_driver(const char *bus, const char *name, const char *attribute,
                                    const char *text)
{
    struct device_driver *driver = find_driver(bus, name);
    struct attribute *found = driver == NULL ? NULL : find_attribute(driver->groups, attribute);
    struct driver_attribute *attr;

    if (driver != NULL && found == NULL) {
        found = find_attribute(driver->bus->drv_groups, attribute);
    }
    if (found == NULL) {
        return -ENOENT;
    }
    attr = container_of(found, struct driver_attribute, attr);
    return attr->store == NULL ? -EACCES : attr->store(driver, text, strlen(text));
}
