// SPDX-License-Identifier: BSD-2-Clause
/* What the kernel has in this header is in the ones below. */
#ifndef PAGEMAP_COMPAT_LINUX_MUTEX_TYPES_H
#define PAGEMAP_COMPAT_LINUX_MUTEX_TYPES_H

#include <linux/mutex.h>

#endif
