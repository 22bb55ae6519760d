// SPDX-License-Identifier: BSD-2-Clause
/*
 * The driver of docs/porting.md: a platform device whose memory is a character device to map. It includes headers of
 * the kernel alone and compiles in both places.
 */
#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/fs.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pfn_t.h>
#include <linux/platform_device.h>

struct window {
    struct dev_pagemap pgmap;
    struct cdev cdev;
    dev_t devt;
};

static vm_fault_t window_fault(struct vm_fault *vmf)
{
    struct window *window = vmf->vma->vm_private_data;
    unsigned long pfn = PHYS_PFN(window->pgmap.range.start) + vmf->pgoff;

    if (PFN_PHYS(pfn) > window->pgmap.range.end) {
        return VM_FAULT_SIGBUS;
    }
    return vmf_insert_mixed(vmf->vma, vmf->address, __pfn_to_pfn_t(pfn, PFN_DEV | PFN_MAP));
}

static const struct vm_operations_struct window_vm_ops = {.fault = window_fault};

static int window_mmap(struct file *file, struct vm_area_struct *vma)
{
    vma->vm_ops = &window_vm_ops;
    vma->vm_private_data = file->private_data;
    vm_flags_set(vma, VM_MIXEDMAP);
    return 0;
}

static int window_open(struct inode *inode, struct file *file)
{
    file->private_data = container_of(inode->i_cdev, struct window, cdev);
    return 0;
}

static const struct file_operations window_fops = {
    .owner = THIS_MODULE,
    .open = window_open,
    .mmap = window_mmap,
};

static void window_remove_cdev(void *data)
{
    struct window *window = data;

    cdev_del(&window->cdev);
    unregister_chrdev_region(window->devt, 1);
}

static int window_probe(struct platform_device *pdev)
{
    struct resource *memory = platform_get_resource(pdev, IORESOURCE_MEM, 0);
    struct window *window = devm_kzalloc(&pdev->dev, sizeof(*window), GFP_KERNEL);
    void *address;
    int error;

    if (!window) {
        return -ENOMEM;
    }
    if (!memory) {
        return -EINVAL;
    }
    if (!devm_request_mem_region(&pdev->dev, memory->start, resource_size(memory), "window")) {
        return -EBUSY;
    }
    window->pgmap.type = MEMORY_DEVICE_GENERIC;
    window->pgmap.nr_range = 1;
    window->pgmap.range = (struct range){.start = memory->start, .end = memory->end};
    address = devm_memremap_pages(&pdev->dev, &window->pgmap);
    if (IS_ERR(address)) {
        return PTR_ERR(address);
    }
    error = alloc_chrdev_region(&window->devt, 0, 1, "window");
    if (error) {
        return error;
    }
    cdev_init(&window->cdev, &window_fops);
    error = cdev_add(&window->cdev, window->devt, 1);
    if (error) {
        unregister_chrdev_region(window->devt, 1);
        return error;
    }
    platform_set_drvdata(pdev, window);
    pdev->dev.devt = window->devt;
    return devm_add_action_or_reset(&pdev->dev, window_remove_cdev, window);
}

static struct platform_driver window_driver = {
    .probe = window_probe,
    .driver = {.name = "window"},
};
module_platform_driver(window_driver);
MODULE_LICENSE("Dual BSD/GPL");
