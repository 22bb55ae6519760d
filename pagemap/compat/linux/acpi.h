// SPDX-License-Identifier: BSD-2-Clause
/* There is no firmware. */
#ifndef PAGEMAP_COMPAT_LINUX_ACPI_H
#define PAGEMAP_COMPAT_LINUX_ACPI_H

#include <linux/device.h>

#define ACPI_COMPANION(dev) NULL
#define acpi_disabled 1

#endif
