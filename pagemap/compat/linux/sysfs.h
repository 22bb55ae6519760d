// SPDX-License-Identifier: BSD-2-Clause
/* Attributes: functions that show and store a line of text. pagemap/compat/user.h calls them. */
#ifndef PAGEMAP_COMPAT_LINUX_SYSFS_H
#define PAGEMAP_COMPAT_LINUX_SYSFS_H

#include "pagemap/device.h"
#include <linux/kernel.h>

struct bin_attribute;

struct attribute {
    const char *name;
    umode_t mode;
};

struct attribute_group {
    const char *name; /* of the folder; NULL: none */
    umode_t (*is_visible)(struct kobject *kobj, struct attribute *attribute, int n);
    umode_t (*is_bin_visible)(struct kobject *kobj, struct bin_attribute *attribute, int n);
    struct attribute **attrs;
    struct bin_attribute **bin_attrs;
};

struct kobj_attribute {
    struct attribute attr;
    ssize_t (*show)(struct kobject *kobj, struct kobj_attribute *attribute, char *to);
    ssize_t (*store)(struct kobject *kobj, struct kobj_attribute *attribute, const char *text, size_t bytes);
};

struct sysfs_ops {
    ssize_t (*show)(struct kobject *kobj, struct attribute *attribute, char *to);
    ssize_t (*store)(struct kobject *kobj, struct attribute *attribute, const char *text, size_t bytes);
};

#define __ATTR(its_name, its_mode, its_show, its_store)                                                      \
    {                                                                                                        \
        .attr = {.name = __stringify(its_name), .mode = (its_mode)}, .show = (its_show),                     \
        .store = (its_store),                                                                                \
    }
#define __ATTR_RO(name) __ATTR(name, 0444, name##_show, NULL)
#define __ATTR_WO(name) __ATTR(name, 0200, NULL, name##_store)
#define __ATTR_RW(name) __ATTR(name, 0644, name##_show, name##_store)
#define __ATTR_NULL                                                                                          \
    {                                                                                                        \
        .attr = {.name = NULL }                                                                              \
    }
#define ATTRIBUTE_GROUPS(name)                                                                               \
    static const struct attribute_group name##_group = {.attrs = name##_attrs};                              \
    static const struct attribute_group *name##_groups[] = {&name##_group, NULL}
#define __ATTRIBUTE_GROUPS(name) static const struct attribute_group *name##_groups[] = {&name##_group, NULL}
#define sysfs_attr_init(attribute) ((void)(attribute))

/* -EEXIST: it is there already; -ENOMEM. */
int sysfs_create_group(struct kobject *kobj, const struct attribute_group *group);
int sysfs_create_groups(struct kobject *kobj, const struct attribute_group **groups);
void sysfs_remove_group(struct kobject *kobj, const struct attribute_group *group);
void sysfs_remove_groups(struct kobject *kobj, const struct attribute_group **groups);

int sysfs_emit(char *to, const char *format, ...) __attribute__((format(printf, 2, 3)));
int sysfs_emit_at(char *to, int at, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Notifications go nowhere. */
static inline struct kernfs_node *sysfs_get_dirent(struct kernfs_node *parent, const char *name)
{
    (void)name;
    return parent;
}

#define sysfs_put(node) ((void)(node))
#define sysfs_notify_dirent(node) ((void)(node))
#define sysfs_notify(kobj, folder, name) ((void)(kobj))

#endif
