// SPDX-License-Identifier: BSD-2-Clause
/* What the parts of the driver model share. */
#ifndef PAGEMAP_COMPAT_MODEL_MODEL_H
#define PAGEMAP_COMPAT_MODEL_MODEL_H

#include <linux/device.h>

struct device_private {
    struct device *dev;
    char *name; /* set by dev_set_name() */
    bool is_added, holds_parent, was_released;
    struct list_head all;
};

/* Made when it is first wanted; NULL: no memory. */
struct device_private *pm_model_of(struct device *dev);

/* Guards the lists of devices, buses and drivers; a leaf. */
void pm_model_lock(void);
void pm_model_unlock(void);
struct list_head *pm_model_devices(void);

/*
 * The device after `before` (NULL: the first; gone: none) that is wanted, with a reference more. `wanted` runs under
 * the lock.
 */
struct device *pm_model_next(struct device *before, bool (*wanted)(struct device *dev, void *context),
                             void *context);

/* The groups that were created for it and not removed. */
void pm_groups_forget(struct kobject *kobj);

#endif
