// SPDX-License-Identifier: BSD-2-Clause
/* Rules that the compiler checks. */
#ifndef PAGEMAP_COMPAT_LINUX_BUILD_BUG_H
#define PAGEMAP_COMPAT_LINUX_BUILD_BUG_H

#include <linux/compiler.h>

#define BUILD_BUG_ON_MSG(condition, text) _Static_assert(!(condition), text)
#define BUILD_BUG_ON(condition) _Static_assert(!(condition), #condition)
#define BUILD_BUG_ON_ZERO(condition) ((int)sizeof(struct { int : -!!(condition); }))
#define BUILD_BUG_ON_NOT_POWER_OF_2(n) BUILD_BUG_ON((n) == 0 || (((n) & ((n)-1)) != 0))
#define BUILD_BUG() __builtin_trap()

#endif
