// SPDX-License-Identifier: BSD-2-Clause
/* Numbers of devices: 12 bits of major and 20 of minor. */
#ifndef PAGEMAP_COMPAT_LINUX_KDEV_T_H
#define PAGEMAP_COMPAT_LINUX_KDEV_T_H

#include <linux/types.h>

#define MINORBITS 20
#define MINORMASK ((1u << MINORBITS) - 1)
#undef MAJOR
#undef MINOR
#undef MKDEV
#define MAJOR(dev) ((unsigned)((dev) >> MINORBITS))
#define MINOR(dev) ((unsigned)((dev)&MINORMASK))
#define MKDEV(major, minor) (((dev_t)(major) << MINORBITS) | (minor))

#endif
