// SPDX-License-Identifier: BSD-2-Clause
/* What the kernel has in this header is in the ones below. */
#ifndef PAGEMAP_COMPAT_LINUX_PM_RUNTIME_H
#define PAGEMAP_COMPAT_LINUX_PM_RUNTIME_H

#include <linux/pm.h>

#endif
