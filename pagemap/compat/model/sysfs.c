// SPDX-License-Identifier: BSD-2-Clause
/* Groups of attributes: a list for each device, and the calls that read and write them. */
#include <linux/device.h>

#include "pagemap/compat/model/model.h"
#include "pagemap/compat/user.h"

/* A group that a device has, or (group NULL) one attribute. */
struct kernfs_node {
    struct kernfs_node *next;
    const struct attribute_group *group;
    const struct device_attribute *attribute;
};

static int add(struct kobject *kobj, const struct attribute_group *group,
               const struct device_attribute *attribute)
{
    struct kernfs_node *node = kzalloc(sizeof *node, GFP_KERNEL), *at;

    if (node == NULL) {
        return -ENOMEM;
    }
    node->group = group;
    node->attribute = attribute;
    pm_model_lock();
    for (at = kobj->sd; at != NULL && (at->group != group || at->attribute != attribute);) {
        at = at->next;
    }
    if (at == NULL) {
        node->next = kobj->sd;
        kobj->sd = node;
    }
    pm_model_unlock();
    if (at != NULL) {
        kfree(node);
        return -EEXIST;
    }
    return 0;
}

static void remove_node(struct kobject *kobj, const struct attribute_group *group,
                        const struct device_attribute *attribute)
{
    struct kernfs_node **link, *node;

    pm_model_lock();
    for (link = &kobj->sd; *link != NULL && ((*link)->group != group || (*link)->attribute != attribute);) {
        link = &(*link)->next;
    }
    node = *link;
    if (node != NULL) {
        *link = node->next;
    }
    pm_model_unlock();
    kfree(node);
}

int sysfs_create_group(struct kobject *kobj, const struct attribute_group *group)
{
    return add(kobj, group, NULL);
}

void sysfs_remove_group(struct kobject *kobj, const struct attribute_group *group)
{
    remove_node(kobj, group, NULL);
}

int sysfs_create_groups(struct kobject *kobj, const struct attribute_group **groups)
{
    int error = 0;

    for (unsigned i = 0; groups != NULL && groups[i] != NULL && error == 0; i++) {
        error = sysfs_create_group(kobj, groups[i]);
        for (unsigned j = i; error != 0 && j-- > 0;) {
            sysfs_remove_group(kobj, groups[j]);
        }
    }
    return error;
}

void sysfs_remove_groups(struct kobject *kobj, const struct attribute_group **groups)
{
    for (; groups != NULL && *groups != NULL; groups++) {
        sysfs_remove_group(kobj, *groups);
    }
}

int device_create_file(struct device *dev, const struct device_attribute *attribute)
{
    return add(&dev->kobj, NULL, attribute);
}

void device_remove_file(struct device *dev, const struct device_attribute *attribute)
{
    remove_node(&dev->kobj, NULL, attribute);
}

void pm_groups_forget(struct kobject *kobj)
{
    while (kobj->sd != NULL) {
        struct kernfs_node *node = kobj->sd;

        kobj->sd = node->next;
        kfree(node);
    }
}

int add_uevent_var(struct kobj_uevent_env *env, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    env->buflen = vscnprintf(env->buf, sizeof env->buf, format, arguments);
    va_end(arguments);
    return 0;
}

/* ---- the other side ---- */

/* "group/name", or "name" of a group without one. pre: locked. */
static const struct device_attribute *find_in(struct kobject *kobj, const struct attribute_group *group,
                                              const char *path)
{
    size_t length = group->name == NULL ? 0 : strlen(group->name);

    if (length > 0 && (strncmp(path, group->name, length) != 0 || path[length] != '/')) {
        return NULL;
    }
    path += length > 0 ? length + 1 : 0;
    for (int n = 0; group->attrs != NULL && group->attrs[n] != NULL; n++) {
        struct attribute *at = group->attrs[n];

        if (strcmp(at->name, path) == 0 &&
            (group->is_visible == NULL || group->is_visible(kobj, at, n) != 0)) {
            return container_of(at, struct device_attribute, attr);
        }
    }
    return NULL;
}

static const struct device_attribute *find(struct device *dev, const char *path)
{
    const struct device_attribute *found = NULL;

    pm_model_lock();
    for (struct kernfs_node *node = dev->kobj.sd; node != NULL && found == NULL; node = node->next) {
        if (node->group != NULL) {
            found = find_in(&dev->kobj, node->group, path);
        } else if (strcmp(node->attribute->attr.name, path) == 0) {
            found = node->attribute;
        }
    }
    pm_model_unlock();
    return found;
}

ssize_t pagemap_compat_show(struct device *dev, const char *attribute, char *to)
{
    const struct device_attribute *found = find(dev, attribute);

    if (found == NULL || found->show == NULL) {
        return found == NULL ? -ENOENT : -EACCES;
    }
    return found->show(dev, (struct device_attribute *)(uintptr_t)found, to);
}

ssize_t pagemap_compat_store(struct device *dev, const char *attribute, const char *text)
{
    const struct device_attribute *found = find(dev, attribute);

    if (found == NULL || found->store == NULL) {
        return found == NULL ? -ENOENT : -EACCES;
    }
    return found->store(dev, (struct device_attribute *)(uintptr_t)found, text, strlen(text));
}
