// SPDX-License-Identifier: BSD-2-Clause
/* From bytes to pages and back. */
#ifndef PAGEMAP_COMPAT_LINUX_PFN_H
#define PAGEMAP_COMPAT_LINUX_PFN_H

#include <linux/types.h>

#define PFN_ALIGN(x) (((unsigned long)(x) + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1))
#define PFN_UP(x) (((x) + PAGE_SIZE - 1) >> PAGE_SHIFT)
#define PFN_DOWN(x) ((x) >> PAGE_SHIFT)

#endif
