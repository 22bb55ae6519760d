// SPDX-License-Identifier: BSD-2-Clause
/* Flags of mappings: those of the C library. */
#ifndef PAGEMAP_COMPAT_LINUX_MMAN_H
#define PAGEMAP_COMPAT_LINUX_MMAN_H

#include <sys/mman.h>

#include <linux/types.h>

#endif
