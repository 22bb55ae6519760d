// SPDX-License-Identifier: BSD-2-Clause
/* Character devices. pagemap_user_open() of pagemap/compat/user.h opens them. */
#ifndef PAGEMAP_COMPAT_LINUX_CDEV_H
#define PAGEMAP_COMPAT_LINUX_CDEV_H

#include <linux/device.h>
#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/list.h>

struct cdev {
    struct kobject kobj;
    struct module *owner;
    const struct file_operations *ops;
    struct list_head list; /* of the inodes that are open */
    dev_t dev;
    unsigned count;
    struct cdev *pm_next;
    struct device *pm_parent;
};

void cdev_init(struct cdev *cdev, const struct file_operations *ops);
struct cdev *cdev_alloc(void);
/* -EBUSY: one of the numbers is taken. */
int cdev_add(struct cdev *cdev, dev_t dev, unsigned count);
void cdev_del(struct cdev *cdev);
void cdev_set_parent(struct cdev *cdev, struct kobject *kobj);
int cdev_device_add(struct cdev *cdev, struct device *dev);
void cdev_device_del(struct cdev *cdev, struct device *dev);

#endif
