// SPDX-License-Identifier: BSD-2-Clause
/* What the library asks of the compiler. */
#ifndef PAGEMAP_BASE_COMPILER_H
#define PAGEMAP_BASE_COMPILER_H

#include <stddef.h>

#define PM_LIKELY(x) __builtin_expect(!!(x), 1)
#define PM_UNLIKELY(x) __builtin_expect(!!(x), 0)

/* Visible to the whole library, but not outside of it. */
#define PM_INTERNAL __attribute__((visibility("hidden")))

/* The object of type T whose member M is at pointer P. */
#define PM_CONTAINER_OF(P, T, M) ((T *)(void *)((char *)(P)-offsetof(T, M)))

/* A result that is not looked at: where it is called, why. */
static inline void pm_ignore(int result)
{
    (void)result;
}

#endif
