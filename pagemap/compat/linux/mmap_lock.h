// SPDX-License-Identifier: BSD-2-Clause
/* What the kernel has in this header is in the ones below. */
#ifndef PAGEMAP_COMPAT_LINUX_MMAP_LOCK_H
#define PAGEMAP_COMPAT_LINUX_MMAP_LOCK_H

#include <linux/mm_types.h>

#endif
