// SPDX-License-Identifier: BSD-2-Clause
/* Devices, drivers, buses and classes (drivers/base of the kernel), in this process alone. */
#ifndef PAGEMAP_COMPAT_LINUX_DEVICE_H
#define PAGEMAP_COMPAT_LINUX_DEVICE_H

#include "pagemap/device.h"
#include <linux/device/bus.h>
#include <linux/kobject.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/numa.h>
#include <linux/pm.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include <linux/uidgid.h>

struct device_attribute {
    struct attribute attr;
    ssize_t (*show)(struct device *dev, struct device_attribute *attribute, char *to);
    ssize_t (*store)(struct device *dev, struct device_attribute *attribute, const char *text, size_t bytes);
};

#define DEVICE_ATTR(name, mode, show, store)                                                                 \
    struct device_attribute dev_attr_##name = __ATTR(name, mode, show, store)
#define DEVICE_ATTR_RO(name) struct device_attribute dev_attr_##name = __ATTR_RO(name)
#define DEVICE_ATTR_WO(name) struct device_attribute dev_attr_##name = __ATTR_WO(name)
#define DEVICE_ATTR_RW(name) struct device_attribute dev_attr_##name = __ATTR_RW(name)
#define DEVICE_ATTR_ADMIN_RO(name)                                                                           \
    struct device_attribute dev_attr_##name = __ATTR(name, 0400, name##_show, NULL)

int device_create_file(struct device *dev, const struct device_attribute *attribute);
void device_remove_file(struct device *dev, const struct device_attribute *attribute);

struct device_type {
    const char *name;
    const struct attribute_group **groups;
    int (*uevent)(struct device *dev, struct kobj_uevent_env *env);
    char *(*devnode)(struct device *dev, umode_t *mode, kuid_t *uid, kgid_t *gid);
    void (*release)(struct device *dev);
    const struct dev_pm_ops *pm;
};

struct class
{
    const char *name;
    struct module *owner;
    const struct attribute_group **class_groups;
    const struct attribute_group **dev_groups;
    void (*dev_release)(struct device *dev);
    char *(*devnode)(struct device *dev, umode_t *mode);
};

int class_register(struct class *class);
void class_unregister(struct class *class);
struct class *pagemap_compat_class_create(const char *name);
void class_destroy(struct class *class);
/* Of 6.1 with an owner, of 6.4 without. */
#define PM_LAST_OF(a, b, name, ...) name
#define class_create(...) pagemap_compat_class_create(PM_LAST_OF(0, __VA_ARGS__, __VA_ARGS__, 0))
struct device *device_create(struct class *class, struct device *parent, dev_t devt, void *drvdata,
                             const char *format, ...) __attribute__((format(printf, 5, 6)));
void device_destroy(struct class *class, dev_t devt);

/*
 * device_initialize(dev), or with a name as in pagemap/device.h. dev_set_name() copies its text. A device is released
 * (release function of device, type or class) by the last put_device().
 */
#define device_initialize(...)                                                                               \
    PM_SECOND_FORM(__VA_ARGS__, (device_initialize), pagemap_compat_device_initialize, 0)(__VA_ARGS__)
static inline void pagemap_compat_device_initialize(struct device *dev)
{
    struct device kept = *dev; /* dev_set_name() may come before */

    (device_initialize)(dev, kept.name != NULL ? kept.name : kept.init_name);
    dev->_model = kept._model;
    dev->kobj.name = dev->name;
    dev->parent = kept.parent;
    dev->release = kept.release;
    dev->class = kept.class;
    dev->type = kept.type;
    dev->bus = kept.bus;
    dev->groups = kept.groups;
    dev->driver_data = kept.driver_data;
    dev->platform_data = kept.platform_data;
    dev->devt = kept.devt;
    dev->id = kept.id;
    dev->init_name = kept.init_name;
}

int dev_set_name(struct device *dev, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Makes it known to its bus, whose drivers are tried on it. The error, if there is one, leaves it as it was. */
int device_add(struct device *dev);
int device_register(struct device *dev);
/* Unbinds its driver and forgets it. */
void device_del(struct device *dev);
void device_unregister(struct device *dev);
struct device *get_device(struct device *dev);
void put_device(struct device *dev);
/* 1: a driver took it, 0: none, or an error of its probe. */
int device_attach(struct device *dev);
void device_release_driver(struct device *dev);
bool device_is_registered(struct device *dev);
struct device *device_find_child(struct device *parent, void *data,
                                 int (*match)(struct device *dev, void *data));
struct device *device_find_child_by_name(struct device *parent, const char *name);
int device_for_each_child(struct device *parent, void *data, int (*fn)(struct device *dev, void *data));

static inline const char *dev_name(const struct device *dev)
{
    return dev->name != NULL ? dev->name : dev->init_name != NULL ? dev->init_name : "(unnamed)";
}

static inline const char *dev_driver_string(const struct device *dev)
{
    return dev->driver != NULL ? dev->driver->name : "";
}

static inline struct device *kobj_to_dev(struct kobject *kobj)
{
    return container_of(kobj, struct device, kobj);
}

static inline void *dev_get_drvdata(const struct device *dev)
{
    return dev->driver_data;
}

static inline void dev_set_drvdata(struct device *dev, void *data)
{
    dev->driver_data = data;
}

static inline void *dev_get_platdata(const struct device *dev)
{
    return dev->platform_data;
}

static inline int dev_to_node(const struct device *dev)
{
    return dev->numa_node;
}

static inline void device_lock(struct device *dev)
{
    (void)pthread_mutex_lock(&dev->mutex);
}

static inline int device_trylock(struct device *dev)
{
    return pthread_mutex_trylock(&dev->mutex) == 0;
}

static inline void device_unlock(struct device *dev)
{
    (void)pthread_mutex_unlock(&dev->mutex);
}

#define device_lock_interruptible(dev) (device_lock(dev), 0)
#define device_lock_assert(dev) ((void)(dev))
#define device_set_pm_not_required(dev) ((void)(dev))
#define dev_set_uevent_suppress(dev, value) ((void)(dev))
#define device_enable_async_suspend(dev) ((void)(dev))

#define PM_DEV_PRINT(level, dev, format, ...)                                                                \
    pagemap_compat_printk(level, "%s: " format, dev_name(dev), ##__VA_ARGS__)
#define dev_emerg(dev, ...) PM_DEV_PRINT(LOGLEVEL_EMERG, dev, __VA_ARGS__)
#define dev_crit(dev, ...) PM_DEV_PRINT(LOGLEVEL_CRIT, dev, __VA_ARGS__)
#define dev_err(dev, ...) PM_DEV_PRINT(LOGLEVEL_ERR, dev, __VA_ARGS__)
#define dev_warn(dev, ...) PM_DEV_PRINT(LOGLEVEL_WARNING, dev, __VA_ARGS__)
#define dev_notice(dev, ...) PM_DEV_PRINT(LOGLEVEL_NOTICE, dev, __VA_ARGS__)
#define dev_info(dev, ...) PM_DEV_PRINT(LOGLEVEL_INFO, dev, __VA_ARGS__)
#define dev_dbg(dev, ...) PM_DEV_PRINT(LOGLEVEL_DEBUG, dev, __VA_ARGS__)
#define dev_vdbg dev_dbg
#define dev_err_once dev_err
#define dev_warn_once dev_warn
#define dev_info_once dev_info
#define dev_err_ratelimited dev_err
#define dev_warn_ratelimited dev_warn
#define dev_info_ratelimited dev_info
#define dev_dbg_ratelimited dev_dbg
#define dev_WARN(dev, ...) ((void)WARN(1, __VA_ARGS__))
#define dev_WARN_ONCE(dev, condition, ...) WARN_ONCE(condition, __VA_ARGS__)
#define dev_err_probe(dev, error, ...) (dev_err(dev, __VA_ARGS__), (int)(error))

/* Memory that goes with the device, or before it by devm_kfree(). */
void *devm_kmalloc(struct device *dev, size_t bytes, gfp_t flags);
void devm_kfree(struct device *dev, const void *object);
void *devm_kmemdup(struct device *dev, const void *from, size_t bytes, gfp_t flags);
char *devm_kstrdup(struct device *dev, const char *text, gfp_t flags);
char *devm_kasprintf(struct device *dev, gfp_t flags, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static inline void *devm_kzalloc(struct device *dev, size_t bytes, gfp_t flags)
{
    return devm_kmalloc(dev, bytes, flags | __GFP_ZERO);
}

static inline void *devm_kcalloc(struct device *dev, size_t n, size_t bytes, gfp_t flags)
{
    return devm_kzalloc(dev, size_mul(n, bytes), flags);
}

static inline void *devm_kmalloc_array(struct device *dev, size_t n, size_t bytes, gfp_t flags)
{
    return devm_kmalloc(dev, size_mul(n, bytes), flags);
}

#endif
