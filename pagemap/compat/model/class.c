// SPDX-License-Identifier: BSD-2-Clause
/* Classes, and the devices that are made in them. */
#include <linux/device.h>

#include "pagemap/compat/model/model.h"

int class_register(struct class *class)
{
    (void)class;
    return 0;
}

void class_unregister(struct class *class)
{
    (void)class;
}

struct class *pagemap_compat_class_create(const char *name)
{
    struct class *class = kzalloc(sizeof *class, GFP_KERNEL);

    if (class == NULL) {
        return ERR_PTR(-ENOMEM);
    }
    class->name = name;
    return class;
}

void class_destroy(struct class *class)
{
    if (!IS_ERR_OR_NULL(class)) {
        kfree(class);
    }
}

static void free_device(struct device *dev)
{
    kfree(dev);
}

struct device *device_create(struct class *class, struct device *parent, dev_t devt, void *drvdata,
                             const char *format, ...)
{
    struct device *dev = kzalloc(sizeof *dev, GFP_KERNEL);
    va_list arguments;
    char *name;
    int error = -ENOMEM;

    if (dev == NULL) {
        return ERR_PTR(-ENOMEM);
    }
    device_initialize(dev);
    dev->class = class;
    dev->parent = parent;
    dev->devt = devt;
    dev->driver_data = drvdata;
    dev->release = free_device;
    va_start(arguments, format);
    name = kvasprintf(GFP_KERNEL, format, arguments);
    va_end(arguments);
    error = name == NULL ? -ENOMEM : dev_set_name(dev, "%s", name);
    kfree(name);
    error = error != 0 ? error : device_add(dev);
    if (error != 0) {
        put_device(dev);
        return ERR_PTR(error);
    }
    return dev;
}

struct wanted {
    struct class *class;
    dev_t devt;
};

static bool is_wanted(struct device *dev, void *context)
{
    const struct wanted *wanted = context;

    return dev->class == wanted->class && dev->devt == wanted->devt;
}

void device_destroy(struct class *class, dev_t devt)
{
    struct wanted wanted = {class, devt};
    struct device *dev = pm_model_next(NULL, is_wanted, &wanted);

    if (dev != NULL) {
        put_device(dev);
        device_unregister(dev);
    }
}
