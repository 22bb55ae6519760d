// SPDX-License-Identifier: BSD-2-Clause
/*
 * A device and what it owns (kernel: drivers/base/devres.c). Actions run in reverse order of their adding when
 * the device is released, outside of any lock.
 */
#ifndef PAGEMAP_DEVICE_H
#define PAGEMAP_DEVICE_H

#include <pthread.h>
#include <sys/types.h>

#include "pagemap/ioport.h"

#ifdef __cplusplus
extern "C" {
#endif

struct attribute_group;
struct bus_type;
struct dev_pm_domain;
struct device_driver;
struct device_node;
struct device_private;
struct device_type;
struct devres;
struct kernfs_node;
struct kobj_type;

/* Of a device, for drivers that hand it to sysfs (pagemap/compat). This library does not look at it. */
struct kobject {
    const char *name;
    struct kobject *parent;
    const struct kobj_type *ktype;
    struct kernfs_node *sd;
    uint64_t _references;
};

/*
 * Set it up with device_initialize(); zero bytes are an unnamed device without a parent. What is not private belongs
 * to the driver and to the driver model, which pagemap/compat has: this library uses the name alone.
 */
struct device {
    const char *name;
    struct device *parent;
    void *driver_data, *platform_data;
    struct device_driver *driver;
    struct bus_type *bus;
    const struct device_type *type;
#if defined(__cplusplus)
    void *_class;
#else
    struct class *class;
#endif
    const struct attribute_group **groups;
    void (*release)(struct device *dev);
    const char *init_name;
    struct device_node *of_node;
    uint64_t *dma_mask;
    uint64_t coherent_dma_mask;
    dev_t devt;
    uint32_t id;
    int numa_node;
    struct kobject kobj;
    pthread_mutex_t mutex; /* device_lock() */
    /* Private. */
    struct device_private *_model;
    pthread_mutex_t _lock;
    struct devres *_newest;
};

typedef void devm_action_fn(void *data);

/* It has no holder then but the caller, and is on no node. `name` is not copied. */
void device_initialize(struct device *dev, const char *name);

/*
 * Runs and forgets all actions, last in first out, those that actions add too; the device can be used again.
 * Unbinding a driver is this. May wait, as the actions do. Returns how many ran.
 */
unsigned devres_release_all(struct device *dev);

/* Runs action(data) when the device is released. -ENOMEM. */
int devm_add_action(struct device *dev, devm_action_fn *action, void *data);

/* The same; if it fails, action(data) has run when it returns -ENOMEM: nothing is left behind (bug 8). */
int devm_add_action_or_reset(struct device *dev, devm_action_fn *action, void *data);

/* Forgets the newest action of this function and data, without running it. -ENOENT: there is none. */
int devm_remove_action(struct device *dev, devm_action_fn *action, void *data);

/* Forgets and runs it. -ENOENT: there is none, and nothing ran. WARNs then, as the kernel. */
int devm_release_action(struct device *dev, devm_action_fn *action, void *data);

/*
 * request_mem_region() and request_free_mem_region(), released with the device, or before it by
 * devm_release_mem_region(). A driver that released it by release_mem_region() gets the WARN of a second one then.
 */
struct resource *devm_request_mem_region(struct device *dev, resource_size_t start, resource_size_t n,
                                         const char *name);
struct resource *devm_request_free_mem_region(struct device *dev, struct resource *base,
                                              resource_size_t size);

/*
 * Releases now the region of exactly these bounds that one of the two reserved for `dev`. WARNs and does nothing if
 * there is none.
 */
void devm_release_mem_region(struct device *dev, resource_size_t start, resource_size_t n);

#ifdef __cplusplus
}
#endif

#endif
