// SPDX-License-Identifier: BSD-2-Clause
/* Which devices a driver is for. */
#ifndef PAGEMAP_COMPAT_LINUX_MOD_DEVICETABLE_H
#define PAGEMAP_COMPAT_LINUX_MOD_DEVICETABLE_H

#include <linux/types.h>

#define PLATFORM_NAME_SIZE 20

struct platform_device_id {
    char name[PLATFORM_NAME_SIZE];
    kernel_ulong_t driver_data;
};

struct pci_device_id {
    u32 vendor, device, subvendor, subdevice, class, class_mask;
    kernel_ulong_t driver_data;
};

struct of_device_id {
    char name[32], type[32], compatible[128];
    const void *data;
};

#endif
