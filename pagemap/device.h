// SPDX-License-Identifier: BSD-2-Clause
/*
 * A device and what it owns (kernel: drivers/base/devres.c). Actions run in reverse order of their adding when
 * the device is released, outside of any lock.
 */
#ifndef PAGEMAP_DEVICE_H
#define PAGEMAP_DEVICE_H

#include <pthread.h>

#include "pagemap/ioport.h"

#ifdef __cplusplus
extern "C" {
#endif

struct devres;

/* Set it up with device_initialize(). The members but the name are private. */
struct device {
    const char *name;
    pthread_mutex_t lock;
    struct devres *newest;
};

typedef void devm_action_fn(void *data);

/* `name` is not copied. */
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

/* request_mem_region() and request_free_mem_region(), released with the device. */
struct resource *devm_request_mem_region(struct device *dev, resource_size_t start, resource_size_t n,
                                         const char *name);
struct resource *devm_request_free_mem_region(struct device *dev, struct resource *base,
                                              resource_size_t size);

#ifdef __cplusplus
}
#endif

#endif
