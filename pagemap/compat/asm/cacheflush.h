// SPDX-License-Identifier: BSD-2-Clause
/* Caches, which are coherent. */
#ifndef PAGEMAP_COMPAT_ASM_CACHEFLUSH_H
#define PAGEMAP_COMPAT_ASM_CACHEFLUSH_H

#include <linux/string.h>

#define arch_invalidate_pmem(address, bytes) ((void)(address))
#define arch_wb_cache_pmem(address, bytes) ((void)(address))
#define memcpy_flushcache(to, from, bytes) ((void)memcpy(to, from, bytes))
#define copy_mc_to_kernel(to, from, bytes) (memcpy(to, from, bytes), 0UL)
#define flush_cache_all() ((void)0)

#endif
