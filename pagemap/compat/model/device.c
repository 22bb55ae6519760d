// SPDX-License-Identifier: BSD-2-Clause
/* Devices: their life, their place in the tree, and their drivers. Kernel: drivers/base (6.1). */
#include "pagemap/compat/model/model.h"

#include <linux/cdev.h>
#include <linux/platform_device.h>

#include "pagemap/compat/user.h"

static DEFINE_MUTEX(lock);
static LIST_HEAD(devices); /* all that were added */

void pm_model_lock(void)
{
    mutex_lock(&lock);
}

void pm_model_unlock(void)
{
    mutex_unlock(&lock);
}

struct list_head *pm_model_devices(void)
{
    return &devices;
}

int dev_set_name(struct device *dev, const char *format, ...)
{
    struct device_private *model = pm_model_of(dev);
    va_list arguments;
    char *name;

    va_start(arguments, format);
    name = kvasprintf(GFP_KERNEL, format, arguments);
    va_end(arguments);
    if (name == NULL || model == NULL) {
        kfree(name);
        return -ENOMEM;
    }
    /* NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): it knows kmalloc() by an older __GFP_ZERO */
    kfree(model->name);
    model->name = name;
    dev->name = dev->kobj.name = name;
    return 0;
}

struct device_private *pm_model_of(struct device *dev)
{
    if (dev->_model == NULL) {
        dev->_model = kzalloc(sizeof *dev->_model, GFP_KERNEL);
        if (dev->_model != NULL) {
            dev->_model->dev = dev;
        }
    }
    return dev->_model;
}

/* ---- references ---- */

struct device *get_device(struct device *dev)
{
    if (dev != NULL) {
        (void)__atomic_fetch_add(&dev->kobj._references, 1, __ATOMIC_SEQ_CST);
    }
    return dev;
}

static void release(struct device *dev)
{
    struct device_private *model = dev->_model;
    struct device *parent = model != NULL && model->holds_parent ? dev->parent : NULL;
    struct class *class = dev->class;

    (void)devres_release_all(dev);
    pm_groups_forget(&dev->kobj);
    dev->_model = NULL;
    if (dev->release != NULL) {
        dev->release(dev);
    } else if (dev->type != NULL && dev->type->release != NULL) {
        dev->type->release(dev);
    } else if (class != NULL && class->dev_release != NULL) {
        class->dev_release(dev);
    }
    if (model != NULL) {
        kfree(model->name);
        kfree(model);
    }
    put_device(parent);
}

void put_device(struct device *dev)
{
    if (dev != NULL && __atomic_fetch_sub(&dev->kobj._references, 1, __ATOMIC_SEQ_CST) == 1) {
        release(dev);
    }
}

/* ---- the tree ---- */

bool device_is_registered(struct device *dev)
{
    bool registered;

    pm_model_lock();
    registered = dev->_model != NULL && dev->_model->is_added;
    pm_model_unlock();
    return registered;
}

static int bus_groups(struct device *dev,
                      int (*change)(struct kobject *kobj, const struct attribute_group **groups))
{
    int error = dev->bus == NULL ? 0 : change(&dev->kobj, dev->bus->dev_groups);

    error = error != 0 || dev->type == NULL ? error : change(&dev->kobj, dev->type->groups);
    error = error != 0 || dev->class == NULL ? error : change(&dev->kobj, dev->class->dev_groups);
    return error != 0 ? error : change(&dev->kobj, dev->groups);
}

static int forget(struct kobject *kobj, const struct attribute_group **groups)
{
    sysfs_remove_groups(kobj, groups);
    return 0;
}

int device_add(struct device *dev)
{
    struct device_private *model = pm_model_of(dev);
    int error;

    if (model == NULL) {
        return -ENOMEM;
    }
    if (dev->name == NULL && dev->init_name == NULL) {
        return -EINVAL;
    }
    if (dev->parent != NULL && dev->numa_node < 0) {
        dev->numa_node = dev->parent->numa_node;
    }
    error = bus_groups(dev, sysfs_create_groups);
    if (error != 0) {
        (void)bus_groups(dev, forget);
        return error;
    }
    (void)get_device(dev);
    if (!model->holds_parent) {
        model->holds_parent = get_device(dev->parent) != NULL;
    }
    pm_model_lock();
    model->is_added = true;
    list_add_tail(&model->all, &devices);
    pm_model_unlock();
    if (dev->bus != NULL) {
        (void)device_attach(dev);
    }
    return 0;
}

int device_register(struct device *dev)
{
    device_initialize(dev);
    return device_add(dev);
}

void device_del(struct device *dev)
{
    struct device_private *model = dev->_model;
    bool was_added;

    if (model == NULL) {
        return;
    }
    pm_model_lock();
    was_added = model->is_added;
    if (was_added) {
        model->is_added = false;
        list_del(&model->all);
    }
    pm_model_unlock();
    if (was_added) {
        device_release_driver(dev);
        (void)devres_release_all(dev); /* of devices that never had a driver */
        (void)bus_groups(dev, forget);
        put_device(dev);
    }
}

void device_unregister(struct device *dev)
{
    device_del(dev);
    put_device(dev);
}

struct device *pm_model_next(struct device *before, bool (*wanted)(struct device *dev, void *context),
                             void *context)
{
    struct device_private *at;
    struct device *found = NULL;
    bool passed = before == NULL;

    pm_model_lock();
    list_for_each_entry(at, &devices, all)
    {
        if (passed && wanted(at->dev, context)) {
            found = get_device(at->dev);
            break;
        }
        passed = passed || at->dev == before;
    }
    pm_model_unlock();
    return found;
}

struct search {
    struct device *parent;
    const char *name;
};

static bool is_child(struct device *dev, void *context)
{
    const struct search *search = context;

    return (search->parent == NULL || dev->parent == search->parent) &&
           (search->name == NULL || strcmp(dev_name(dev), search->name) == 0);
}

struct device *device_find_child_by_name(struct device *parent, const char *name)
{
    struct search search = {parent, name};

    return pm_model_next(NULL, is_child, &search);
}

struct device *pagemap_compat_find_device(const char *name)
{
    return device_find_child_by_name(NULL, name);
}

struct device *device_find_child(struct device *parent, void *data,
                                 int (*match)(struct device *dev, void *data))
{
    struct search search = {parent, NULL};
    struct device *dev = NULL, *next;

    while ((next = pm_model_next(dev, is_child, &search)) != NULL && !match(next, data)) {
        put_device(dev);
        dev = next;
    }
    put_device(dev);
    return next;
}

int device_for_each_child(struct device *parent, void *data, int (*fn)(struct device *dev, void *data))
{
    struct search search = {parent, NULL};
    struct device *dev = NULL, *next;
    int result = 0;

    while (result == 0 && (next = pm_model_next(dev, is_child, &search)) != NULL) {
        put_device(dev);
        dev = next;
        result = fn(dev, data);
    }
    put_device(dev);
    return result;
}
