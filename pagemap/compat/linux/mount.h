// SPDX-License-Identifier: BSD-2-Clause
/* Mounted file systems. */
#ifndef PAGEMAP_COMPAT_LINUX_MOUNT_H
#define PAGEMAP_COMPAT_LINUX_MOUNT_H

#include <linux/fs.h>

struct vfsmount {
    struct super_block *mnt_sb;
    struct file_system_type *pm_type;
};

struct vfsmount *kern_mount(struct file_system_type *type);
void kern_unmount(struct vfsmount *mnt);

#endif
