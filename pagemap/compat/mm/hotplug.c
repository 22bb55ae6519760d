// SPDX-License-Identifier: BSD-2-Clause
/* Memory that is plugged in and out by drivers, and what keeps count of it. Kernel: mm/memory_hotplug.c (6.1). */
#include <linux/memory-tiers.h>
#include <linux/memory.h>
#include <linux/memory_hotplug.h>

#include "pagemap/compat/mm/mm.h"
#include "pagemap/compat/user.h"

static struct range pluggable = {0, PHYSMEM_END};

struct range mhp_get_pluggable_range(bool need_mapping)
{
    (void)need_mapping;
    return pluggable;
}

void pagemap_compat_set_pluggable_range(uint64_t start, uint64_t end)
{
    pluggable = (struct range){start, end};
}

static int check_blocks(u64 start, u64 bytes)
{
    return bytes == 0 || ((start | bytes) & (memory_block_size_bytes() - 1)) != 0 ? -EINVAL : 0;
}

int add_memory(int nid, u64 start, u64 bytes, mhp_t flags)
{
    int error = check_blocks(start, bytes);

    (void)nid, (void)flags;
    return error != 0 ? error : pm_ram_add(start, bytes, "System RAM", NULL);
}

int add_memory_driver_managed(int nid, u64 start, u64 bytes, const char *name, mhp_t flags)
{
    int error = check_blocks(start, bytes);

    (void)nid, (void)flags;
    if (name == NULL || !strstarts(name, "System RAM (") || name[strlen(name) - 1] != ')') {
        return -EINVAL;
    }
    return error != 0 ? error : pm_ram_add(start, bytes, name, NULL);
}

int remove_memory(u64 start, u64 bytes)
{
    int error = check_blocks(start, bytes);

    return error != 0 ? error : pm_ram_remove(start, bytes);
}

int offline_and_remove_memory(u64 start, u64 bytes)
{
    return remove_memory(start, bytes);
}

/* ---- groups and tiers, of which there are as many as registered ---- */

static DEFINE_IDA(groups);

int memory_group_register_static(int nid, unsigned long max_pages)
{
    return nid < 0 || nid >= MAX_NUMNODES || max_pages == 0 ? -EINVAL : ida_alloc(&groups, GFP_KERNEL);
}

int memory_group_unregister(int mgid)
{
    if (mgid < 0) {
        return -EINVAL;
    }
    ida_free(&groups, (unsigned)mgid);
    return 0;
}

struct memory_dev_type *alloc_memory_type(int adistance)
{
    struct memory_dev_type *type = kzalloc(sizeof *type, GFP_KERNEL);

    if (type == NULL) {
        return ERR_PTR(-ENOMEM);
    }
    type->adistance = adistance;
    kref_init(&type->kref);
    return type;
}

static void free_type(struct kref *kref)
{
    kfree(container_of(kref, struct memory_dev_type, kref));
}

void destroy_memory_type(struct memory_dev_type *type)
{
    (void)kref_put(&type->kref, free_type);
}

void init_node_memory_type(int node, struct memory_dev_type *type)
{
    (void)node;
    kref_get(&type->kref);
}

void clear_node_memory_type(int node, struct memory_dev_type *type)
{
    (void)node;
    (void)kref_put(&type->kref, free_type);
}
