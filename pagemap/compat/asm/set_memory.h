// SPDX-License-Identifier: BSD-2-Clause
/* What the kernel has in this header is in the ones below. */
#ifndef PAGEMAP_COMPAT_ASM_SET_MEMORY_H
#define PAGEMAP_COMPAT_ASM_SET_MEMORY_H

#include <linux/set_memory.h>

#endif
