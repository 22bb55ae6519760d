// SPDX-License-Identifier: BSD-2-Clause
/* What every driver uses. */
#ifndef PAGEMAP_COMPAT_LINUX_KERNEL_H
#define PAGEMAP_COMPAT_LINUX_KERNEL_H

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>

#include <asm/byteorder.h>
#include <linux/align.h>
#include <linux/bitops.h>
#include <linux/bug.h>
#include <linux/build_bug.h>
#include <linux/cache.h>
#include <linux/compiler.h>
#include <linux/container_of.h>
#include <linux/err.h>
#include <linux/init.h>
#include <linux/kstrtox.h>
#include <linux/log2.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/printk.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/types.h>

#define U8_MAX UINT8_MAX
#define U16_MAX UINT16_MAX
#define U32_MAX UINT32_MAX
#define U64_MAX UINT64_MAX
#define S8_MAX INT8_MAX
#define S16_MAX INT16_MAX
#define S32_MAX INT32_MAX
#define S64_MAX INT64_MAX
#define S64_MIN INT64_MIN
#define PHYS_ADDR_MAX UINT64_MAX

#define ARRAY_SIZE(array) (sizeof(array) / sizeof *(array))
#define upper_32_bits(n) ((u32)((u64)(n) >> 32))
#define lower_32_bits(n) ((u32)(n))
#define u64_to_user_ptr(value) ((void *)(uintptr_t)(value))
#define __ALIGN_KERNEL(x, a) ALIGN(x, a)
#define might_sleep() ((void)0)
#define might_sleep_if(condition) ((void)(condition))
#define might_fault() ((void)0)
#define cond_resched() ((void)0)
#define panic(...) pagemap_compat_bug("panic", __FILE__, __LINE__)
#define UL(n) n##UL
#define ULL(n) n##ULL
#define _AC(n, suffix) n##suffix
#define lockdep_assert_held(lock) ((void)(lock))
#define lockdep_assert_held_write(lock) ((void)(lock))
#define lockdep_assert_not_held(lock) ((void)(lock))
#define lockdep_set_class(lock, key) ((void)(lock), (void)(key))
#define lockdep_is_held(lock) ((void)(lock), true)

struct lock_class_key {
    char unused;
};

/* As snprintf(), but the number of bytes that were written. */
int scnprintf(char *to, size_t bytes, const char *format, ...) __attribute__((format(printf, 3, 4)));
int vscnprintf(char *to, size_t bytes, const char *format, va_list arguments);

#endif
