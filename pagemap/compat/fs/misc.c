// SPDX-License-Identifier: BSD-2-Clause
/* Misc devices, and numbers of memory regions. Kernel: drivers/char/misc.c, lib/memregion.c (6.1). */
#include <linux/idr.h>
#include <linux/memregion.h>
#include <linux/miscdevice.h>

enum { MISC_MAJOR = 10, FIRST_DYNAMIC = 256 };

static DEFINE_IDA(minors);
static DEFINE_IDA(regions);

static int add_device(struct miscdevice *misc, dev_t devt)
{
    misc->this_device = device_create(NULL, misc->parent, devt, misc, "%s", misc->name);
    if (IS_ERR(misc->this_device)) {
        return (int)PTR_ERR(misc->this_device);
    }
    cdev_init(&misc->pm_cdev, misc->fops);
    cdev_set_parent(&misc->pm_cdev, &misc->this_device->kobj);
    return cdev_add(&misc->pm_cdev, devt, 1);
}

int misc_register(struct miscdevice *misc)
{
    bool is_dynamic = misc->minor == MISC_DYNAMIC_MINOR;
    int minor = is_dynamic ? ida_alloc_min(&minors, FIRST_DYNAMIC, GFP_KERNEL) : misc->minor;
    int error = minor < 0 ? minor : add_device(misc, MKDEV(MISC_MAJOR, minor));

    if (error != 0 && minor >= 0) {
        if (!IS_ERR(misc->this_device)) {
            device_destroy(NULL, MKDEV(MISC_MAJOR, minor));
        }
        if (is_dynamic) {
            ida_free(&minors, (unsigned)minor);
        }
        return error;
    }
    misc->minor = minor < 0 ? misc->minor : minor;
    return error;
}

void misc_deregister(struct miscdevice *misc)
{
    cdev_del(&misc->pm_cdev);
    device_destroy(NULL, MKDEV(MISC_MAJOR, misc->minor));
    if (misc->minor >= FIRST_DYNAMIC) {
        ida_free(&minors, (unsigned)misc->minor);
    }
}

int memregion_alloc(gfp_t flags)
{
    return ida_alloc(&regions, flags);
}

void memregion_free(int id)
{
    ida_free(&regions, (unsigned)id);
}
