// SPDX-License-Identifier: BSD-2-Clause
/* Character devices without a major number of their own. */
#ifndef PAGEMAP_COMPAT_LINUX_MISCDEVICE_H
#define PAGEMAP_COMPAT_LINUX_MISCDEVICE_H

#include <linux/cdev.h>
#include <linux/device.h>

#define MISC_DYNAMIC_MINOR 255

struct miscdevice {
    int minor;
    const char *name;
    const struct file_operations *fops;
    struct device *parent, *this_device;
    const struct attribute_group **groups;
    const char *nodename;
    umode_t mode;
    struct cdev pm_cdev;
};

int misc_register(struct miscdevice *misc);
void misc_deregister(struct miscdevice *misc);

#define module_misc_device(its_device)                                                                       \
    static int its_device##_init(void)                                                                       \
    {                                                                                                        \
        return misc_register(&its_device);                                                                   \
    }                                                                                                        \
    static void its_device##_exit(void)                                                                      \
    {                                                                                                        \
        misc_deregister(&its_device);                                                                        \
    }                                                                                                        \
    module_init(its_device##_init) module_exit(its_device##_exit)

#endif
