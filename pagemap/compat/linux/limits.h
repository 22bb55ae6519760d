// SPDX-License-Identifier: BSD-2-Clause
/* The system header of this name, which the C library includes, and limits of the types above. */
#ifndef PAGEMAP_COMPAT_LINUX_LIMITS_H
#define PAGEMAP_COMPAT_LINUX_LIMITS_H

#include_next <linux/limits.h>

#endif
