// SPDX-License-Identifier: BSD-2-Clause
/* What the kernel has in this header is in the ones below. */
#ifndef PAGEMAP_COMPAT_LINUX_DEVICE_CLASS_H
#define PAGEMAP_COMPAT_LINUX_DEVICE_CLASS_H

#include <linux/device.h>

#endif
