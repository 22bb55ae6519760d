// SPDX-License-Identifier: BSD-2-Clause
/* File systems without a place in the tree of files. */
#ifndef PAGEMAP_COMPAT_LINUX_PSEUDO_FS_H
#define PAGEMAP_COMPAT_LINUX_PSEUDO_FS_H

#include <linux/fs_context.h>

struct pseudo_fs_context {
    const struct super_operations *ops;
    unsigned long magic;
};

struct pseudo_fs_context *init_pseudo(struct fs_context *context, unsigned long magic);

#endif
