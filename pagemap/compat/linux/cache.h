// SPDX-License-Identifier: BSD-2-Clause
/* Lines of caches. */
#ifndef PAGEMAP_COMPAT_LINUX_CACHE_H
#define PAGEMAP_COMPAT_LINUX_CACHE_H

#include <linux/compiler.h>

#define L1_CACHE_SHIFT 6
#define L1_CACHE_BYTES (1 << L1_CACHE_SHIFT)
#define SMP_CACHE_BYTES L1_CACHE_BYTES

#endif
