// SPDX-License-Identifier: BSD-2-Clause
/* Numbers for regions of memory. */
#ifndef PAGEMAP_COMPAT_LINUX_MEMREGION_H
#define PAGEMAP_COMPAT_LINUX_MEMREGION_H

#include <linux/errno.h>
#include <linux/range.h>
#include <linux/types.h>

struct memregion_info {
    int target_node;
    struct range range;
};

int memregion_alloc(gfp_t flags);
void memregion_free(int id);

#endif
