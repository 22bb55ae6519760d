// SPDX-License-Identifier: BSD-2-Clause
/* What a mount is made of. */
#ifndef PAGEMAP_COMPAT_LINUX_FS_CONTEXT_H
#define PAGEMAP_COMPAT_LINUX_FS_CONTEXT_H

#include <linux/fs.h>

struct fs_context {
    void *fs_private;
};

#endif
