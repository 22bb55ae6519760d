// SPDX-License-Identifier: BSD-2-Clause
/* Modes of files: those of the C library. */
#ifndef PAGEMAP_COMPAT_LINUX_STAT_H
#define PAGEMAP_COMPAT_LINUX_STAT_H

#include <sys/stat.h>

#define S_IRUGO 0444
#define S_IALLUGO 07777

#endif
