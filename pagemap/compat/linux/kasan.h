// SPDX-License-Identifier: BSD-2-Clause
/* The sanitizers are those of the compiler. */
#ifndef PAGEMAP_COMPAT_LINUX_KASAN_H
#define PAGEMAP_COMPAT_LINUX_KASAN_H

#define kasan_add_zero_shadow(start, bytes) ((void)(start), (void)(bytes), 0)
#define kasan_remove_zero_shadow(start, bytes) ((void)(start), (void)(bytes))

#endif
