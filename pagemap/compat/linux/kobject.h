// SPDX-License-Identifier: BSD-2-Clause
/* What a device is to sysfs. */
#ifndef PAGEMAP_COMPAT_LINUX_KOBJECT_H
#define PAGEMAP_COMPAT_LINUX_KOBJECT_H

#include "pagemap/device.h"
#include <linux/kernel.h>
#include <linux/kref.h>
#include <linux/sysfs.h>

struct kobj_type {
    void (*release)(struct kobject *kobj);
    const struct sysfs_ops *sysfs_ops;
    const struct attribute_group **default_groups;
};

struct kset {
    struct kobject kobj;
};

struct kobj_uevent_env {
    char buf[512];
    int buflen;
};

enum kobject_action { KOBJ_ADD, KOBJ_REMOVE, KOBJ_CHANGE, KOBJ_ONLINE, KOBJ_OFFLINE };

/* These have no listener. */
int add_uevent_var(struct kobj_uevent_env *env, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static inline int kobject_uevent(struct kobject *kobj, enum kobject_action action)
{
    (void)kobj, (void)action;
    return 0;
}

static inline const char *kobject_name(const struct kobject *kobj)
{
    return kobj->name;
}

#endif
