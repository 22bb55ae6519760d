// SPDX-License-Identifier: BSD-2-Clause
/* Files for debugging, which are not read here. */
#ifndef PAGEMAP_COMPAT_LINUX_DEBUGFS_H
#define PAGEMAP_COMPAT_LINUX_DEBUGFS_H

#include <linux/err.h>
#include <linux/fs.h>

#define debugfs_create_dir(name, parent) ((struct dentry *)NULL)
#define debugfs_create_file(name, mode, parent, data, fops)                                                  \
    ((void)(data), (void)(fops), (struct dentry *)NULL)
#define debugfs_remove(entry) ((void)(entry))
#define debugfs_remove_recursive(entry) ((void)(entry))
#define debugfs_create_u32(name, mode, parent, value) ((void)(value))
#define debugfs_create_u64(name, mode, parent, value) ((void)(value))
#define debugfs_create_bool(name, mode, parent, value) ((void)(value))

#endif
