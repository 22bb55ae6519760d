// SPDX-License-Identifier: BSD-2-Clause
/* A negative errno in place of a pointer. */
#ifndef PAGEMAP_COMPAT_LINUX_ERR_H
#define PAGEMAP_COMPAT_LINUX_ERR_H

#include "pagemap/types.h"
#include <linux/errno.h>
#include <linux/types.h>

#define MAX_ERRNO 4095
#define IS_ERR_VALUE(value) ((unsigned long)(void *)(value) >= (unsigned long)-MAX_ERRNO)

static inline bool IS_ERR_OR_NULL(const void *pointer)
{
    return pointer == NULL || IS_ERR(pointer);
}

static inline void *ERR_CAST(const void *pointer)
{
    return (void *)(uintptr_t)pointer;
}

static inline int PTR_ERR_OR_ZERO(const void *pointer)
{
    return IS_ERR(pointer) ? (int)PTR_ERR(pointer) : 0;
}

#endif
