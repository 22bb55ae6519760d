// SPDX-License-Identifier: BSD-2-Clause
/* Ordinary memory that comes and goes. Its pages are those that linux/gfp.h allocates. */
#ifndef PAGEMAP_COMPAT_LINUX_MEMORY_HOTPLUG_H
#define PAGEMAP_COMPAT_LINUX_MEMORY_HOTPLUG_H

#include <linux/mm.h>

typedef int mhp_t;
#define MHP_NONE 0
#define MHP_MERGE_RESOURCE 1
#define MHP_MEMMAP_ON_MEMORY 2
#define MHP_NID_IS_MGID 4

struct mhp_params {
    struct vmem_altmap *altmap;
    pgprot_t pgprot;
    struct dev_pagemap *pgmap;
};

/*
 * Makes the plugged memory (pagemap/memory.h) at [start, start + size) ordinary memory, for the driver whose name in
 * the resource tree is "System RAM ($DRIVER)". -EINVAL: not in whole blocks, or the name; -EEXIST: it overlaps other
 * resources, or is mapped; -ENXIO: no memory is plugged in there; -ENOMEM.
 */
int add_memory_driver_managed(int nid, u64 start, u64 size, const char *resource_name, mhp_t flags);
int add_memory(int nid, u64 start, u64 size, mhp_t flags);
/* Takes it away. -EBUSY: a page of it is in use; -EINVAL: it was not added. */
int remove_memory(u64 start, u64 size);
int offline_and_remove_memory(u64 start, u64 size);

#define lock_device_hotplug() ((void)0)
#define unlock_device_hotplug() ((void)0)
#define mem_hotplug_begin() ((void)0)
#define mem_hotplug_done() ((void)0)
#define get_online_mems() ((void)0)
#define put_online_mems() ((void)0)

#endif
