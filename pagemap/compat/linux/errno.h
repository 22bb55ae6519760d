// SPDX-License-Identifier: BSD-2-Clause
/* Errors that never reach a program, beside those of the system header of this name. */
#ifndef PAGEMAP_COMPAT_LINUX_ERRNO_H
#define PAGEMAP_COMPAT_LINUX_ERRNO_H

#include_next <linux/errno.h>

#define ERESTARTSYS 512
#define ERESTARTNOINTR 513
#define ERESTARTNOHAND 514
#define ENOIOCTLCMD 515
#define EPROBE_DEFER 517
#define EOPENSTALE 518
#define ENOPARAM 519
#define ENOTSUPP 524
#define EIOCBQUEUED 529

#endif
