// SPDX-License-Identifier: BSD-2-Clause
/* How far memory is. There is one tier, and these keep count. */
#ifndef PAGEMAP_COMPAT_LINUX_MEMORY_TIERS_H
#define PAGEMAP_COMPAT_LINUX_MEMORY_TIERS_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mmzone.h>

#define MEMTIER_CHUNK_BITS 7
#define MEMTIER_CHUNK_SIZE (1 << MEMTIER_CHUNK_BITS)
#define MEMTIER_ADISTANCE_DRAM ((4 * MEMTIER_CHUNK_SIZE) + (MEMTIER_CHUNK_SIZE >> 1))

struct memory_dev_type {
    int adistance;
    struct kref kref;
};

struct memory_dev_type *alloc_memory_type(int adistance);
void destroy_memory_type(struct memory_dev_type *type);
void init_node_memory_type(int node, struct memory_dev_type *type);
void clear_node_memory_type(int node, struct memory_dev_type *type);

#endif
