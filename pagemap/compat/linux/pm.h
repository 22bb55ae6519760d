// SPDX-License-Identifier: BSD-2-Clause
/* Power management, which there is none of. */
#ifndef PAGEMAP_COMPAT_LINUX_PM_H
#define PAGEMAP_COMPAT_LINUX_PM_H

struct device;

struct dev_pm_ops {
    int (*suspend)(struct device *dev);
    int (*resume)(struct device *dev);
};

#endif
