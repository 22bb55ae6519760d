// SPDX-License-Identifier: BSD-2-Clause
/* Alignment to powers of two. */
#ifndef PAGEMAP_COMPAT_LINUX_ALIGN_H
#define PAGEMAP_COMPAT_LINUX_ALIGN_H

#include <linux/math.h>

#define ALIGN(x, a) round_up((x) + 0, (__typeof__(x))(a))
#define ALIGN_DOWN(x, a) round_down((x) + 0, (__typeof__(x))(a))
#define PTR_ALIGN(p, a) ((__typeof__(p))ALIGN((unsigned long)(p), (a)))
#define PTR_ALIGN_DOWN(p, a) ((__typeof__(p))ALIGN_DOWN((unsigned long)(p), (a)))
#define IS_ALIGNED(x, a) (((x) & ((__typeof__(x))(a)-1)) == 0)

#endif
