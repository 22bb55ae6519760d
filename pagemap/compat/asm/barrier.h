// SPDX-License-Identifier: BSD-2-Clause
/* What the kernel has in this header is in the ones below. */
#ifndef PAGEMAP_COMPAT_ASM_BARRIER_H
#define PAGEMAP_COMPAT_ASM_BARRIER_H

#include <linux/atomic.h>

#endif
