// SPDX-License-Identifier: BSD-2-Clause
/* What the kernel has in this header is in the ones below. */
#ifndef PAGEMAP_COMPAT_LINUX_INIT_H
#define PAGEMAP_COMPAT_LINUX_INIT_H

#include <linux/compiler.h>
#include <linux/module.h>

#endif
