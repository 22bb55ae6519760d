// SPDX-License-Identifier: BSD-2-Clause
/* Hashes of numbers. */
#ifndef PAGEMAP_COMPAT_LINUX_HASH_H
#define PAGEMAP_COMPAT_LINUX_HASH_H

#include <linux/types.h>

static inline u32 hash_32(u32 value, unsigned bits)
{
    return value * 0x61C88647u >> (32 - bits);
}

static inline u32 hash_64(u64 value, unsigned bits)
{
    return (u32)(value * 0x61C8864680B583EBull >> (64 - bits));
}

#define hash_long(value, bits) hash_64(value, bits)
#define hash_ptr(pointer, bits) hash_64((unsigned long)(pointer), bits)

#endif
