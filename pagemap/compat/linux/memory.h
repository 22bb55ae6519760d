// SPDX-License-Identifier: BSD-2-Clause
/* Memory in blocks, which is how it is plugged in and out. */
#ifndef PAGEMAP_COMPAT_LINUX_MEMORY_H
#define PAGEMAP_COMPAT_LINUX_MEMORY_H

#include <linux/device.h>
#include <linux/idr.h>
#include <linux/memory_hotplug.h>
#include <linux/mmzone.h>

struct memory_notify {
    unsigned long start_pfn, nr_pages;
};

#define MEM_ONLINE 1
#define MEM_OFFLINE 4
#define MEM_GOING_ONLINE 8

static inline unsigned long memory_block_size_bytes(void)
{
    return PAGES_PER_SECTION * PAGE_SIZE;
}

/* A number for memory that belongs together; -EINVAL, -ENOMEM. */
int memory_group_register_static(int nid, unsigned long max_pages);
/* -EBUSY: some of its memory is still there. */
int memory_group_unregister(int mgid);

#endif
