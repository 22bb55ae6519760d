// SPDX-License-Identifier: BSD-2-Clause
/* Numbers that need not be predictable. */
#ifndef PAGEMAP_COMPAT_LINUX_RANDOM_H
#define PAGEMAP_COMPAT_LINUX_RANDOM_H

#include <linux/types.h>

u32 get_random_u32(void);
void get_random_bytes(void *to, size_t bytes);

static inline u32 prandom_u32_max(u32 end)
{
    return (u32)((u64)get_random_u32() * end >> 32);
}

#define get_random_u32_below(end) prandom_u32_max(end)
#define prandom_u32() get_random_u32()

#endif
