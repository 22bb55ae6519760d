// SPDX-License-Identifier: BSD-2-Clause
/* Character devices, and opening them. Kernel: fs/char_dev.c (6.1). */
#include <linux/cdev.h>
#include <linux/fs.h>

#include "pagemap/compat/mm/mm.h"
#include "pagemap/compat/user.h"

static DEFINE_MUTEX(lock);
static struct cdev *cdevs;
static unsigned next_major = 240;

int alloc_chrdev_region(dev_t *first, unsigned base_minor, unsigned count, const char *name)
{
    (void)count, (void)name;
    mutex_lock(&lock);
    *first = MKDEV(next_major++, base_minor);
    mutex_unlock(&lock);
    return 0;
}

int register_chrdev_region(dev_t first, unsigned count, const char *name)
{
    (void)first, (void)count, (void)name;
    return 0;
}

void unregister_chrdev_region(dev_t first, unsigned count)
{
    (void)first, (void)count;
}

void cdev_init(struct cdev *cdev, const struct file_operations *ops)
{
    memset(cdev, 0, sizeof *cdev);
    INIT_LIST_HEAD(&cdev->list);
    cdev->ops = ops;
}

struct cdev *cdev_alloc(void)
{
    struct cdev *cdev = kzalloc(sizeof *cdev, GFP_KERNEL);

    if (cdev != NULL) {
        INIT_LIST_HEAD(&cdev->list);
    }
    return cdev;
}

void cdev_set_parent(struct cdev *cdev, struct kobject *kobj)
{
    cdev->pm_parent = kobj_to_dev(kobj);
}

/* pre: locked. */
static struct cdev *find(dev_t first, unsigned count)
{
    struct cdev *at = cdevs;

    while (at != NULL && (first >= at->dev + at->count || at->dev >= first + count)) {
        at = at->pm_next;
    }
    return at;
}

int cdev_add(struct cdev *cdev, dev_t dev, unsigned count)
{
    int error = 0;

    mutex_lock(&lock);
    if (find(dev, count) != NULL) {
        error = -EBUSY;
    } else {
        cdev->dev = dev;
        cdev->count = count;
        cdev->pm_next = cdevs;
        cdevs = cdev;
        (void)get_device(cdev->pm_parent);
    }
    mutex_unlock(&lock);
    return error;
}

void cdev_del(struct cdev *cdev)
{
    struct cdev **link = &cdevs;

    mutex_lock(&lock);
    while (*link != NULL && *link != cdev) {
        link = &(*link)->pm_next;
    }
    if (*link != NULL) {
        *link = cdev->pm_next;
    }
    mutex_unlock(&lock);
    put_device(cdev->pm_parent);
    cdev->pm_parent = NULL;
}

int cdev_device_add(struct cdev *cdev, struct device *dev)
{
    int error;

    cdev_set_parent(cdev, &dev->kobj);
    error = dev->devt == 0 ? 0 : cdev_add(cdev, dev->devt, 1);
    if (error == 0) {
        error = device_add(dev);
        if (error != 0 && dev->devt != 0) {
            cdev_del(cdev);
        }
    }
    return error;
}

void cdev_device_del(struct cdev *cdev, struct device *dev)
{
    device_del(dev);
    if (dev->devt != 0) {
        cdev_del(cdev);
    }
}

loff_t noop_llseek(struct file *file, loff_t offset, int whence)
{
    (void)offset, (void)whence;
    return file->f_pos;
}

loff_t default_llseek(struct file *file, loff_t offset, int whence)
{
    return noop_llseek(file, offset, whence);
}

int nonseekable_open(struct inode *inode, struct file *file)
{
    (void)inode, (void)file;
    return 0;
}

/* ---- the other side: each open file has an inode of its own ---- */

/* With a reference on the device to which the cdev belongs, which keeps the cdev. */
static struct cdev *get_cdev(dev_t dev)
{
    struct cdev *cdev;

    mutex_lock(&lock);
    cdev = find(dev, 1);
    if (cdev != NULL) {
        (void)get_device(cdev->pm_parent);
    }
    mutex_unlock(&lock);
    return cdev;
}

static struct file *new_file(struct cdev *cdev, dev_t dev)
{
    struct file *file = kzalloc(sizeof *file, GFP_KERNEL);
    struct inode *inode = file == NULL ? NULL : new_inode(NULL);

    if (inode == NULL) {
        kfree(file);
        return NULL;
    }
    inode->i_mode = S_IFCHR | 0600;
    inode->i_rdev = dev;
    inode->i_cdev = cdev;
    inode->i_fop = cdev->ops;
    file->f_op = cdev->ops;
    file->f_inode = inode;
    file->f_mapping = inode->i_mapping;
    file->f_mode = FMODE_READ | FMODE_WRITE;
    file->f_flags = O_RDWR;
    file->pm_device = cdev->pm_parent;
    atomic_set(&file->f_count, 1);
    return file;
}

static void free_file(struct file *file)
{
    struct device *dev = file->pm_device;

    iput(file->f_inode);
    kfree(file);
    put_device(dev);
}

struct file *pagemap_compat_open(dev_t dev)
{
    struct cdev *cdev = get_cdev(dev);
    struct file *file;
    int error;

    if (cdev == NULL) {
        return ERR_PTR(-ENXIO);
    }
    file = new_file(cdev, dev);
    if (file == NULL) {
        put_device(cdev->pm_parent);
        return ERR_PTR(-ENOMEM);
    }
    error = file->f_op->open == NULL ? 0 : file->f_op->open(file->f_inode, file);
    if (error != 0) {
        free_file(file);
        return ERR_PTR(error);
    }
    return file;
}

void pm_file_get(struct file *file)
{
    atomic_inc(&file->f_count);
}

void pm_file_put(struct file *file)
{
    if (atomic_dec_and_test(&file->f_count)) {
        if (file->f_op->release != NULL) {
            (void)file->f_op->release(file->f_inode, file);
        }
        free_file(file);
    }
}

int pagemap_compat_close(struct file *file)
{
    pm_file_put(file);
    return 0;
}

long pagemap_compat_ioctl(struct file *file, unsigned command, void *argument)
{
    return file->f_op->unlocked_ioctl == NULL
               ? -ENOTTY
               : file->f_op->unlocked_ioctl(file, command, (unsigned long)argument);
}
