// SPDX-License-Identifier: BSD-2-Clause
/* Regions of persistent memory (drivers/nvdimm of the kernel), as far as drivers of what is in them look at them. */
#ifndef PAGEMAP_COMPAT_LINUX_LIBNVDIMM_H
#define PAGEMAP_COMPAT_LINUX_LIBNVDIMM_H

#include <linux/badblocks.h>
#include <linux/blk_types.h>
#include <linux/device.h>
#include <linux/idr.h>
#include <linux/ioport.h>
#include <linux/range.h>
#include <linux/sizes.h>
#include <linux/uuid.h>

struct bio;
struct nd_region;
struct nvdimm;
struct nvdimm_bus;
struct nvdimm_bus_descriptor;

enum {
    ND_REGION_PAGEMAP = 0,
    ND_REGION_PERSIST_CACHE = 1,
    ND_REGION_PERSIST_MEMCTRL = 2,
    ND_REGION_ASYNC = 3,
    ND_REGION_CXL = 4
};

struct nd_interleave_set {
    u64 cookie1, cookie2, altcookie;
    guid_t type_guid;
};

struct nd_mapping_desc {
    struct nvdimm *nvdimm;
    u64 start, size;
    int position;
};

struct nd_region_desc {
    struct resource *res;
    struct nd_mapping_desc *mapping;
    u16 num_mappings;
    const struct attribute_group **attr_groups;
    struct nd_interleave_set *nd_set;
    void *provider_data;
    int num_lanes, numa_node, target_node;
    unsigned long flags;
    int (*flush)(struct nd_region *nd_region, struct bio *bio);
};

struct nd_region *to_nd_region(struct device *dev);
struct device *nd_region_dev(struct nd_region *nd_region);
void *nd_region_provider_data(struct nd_region *nd_region);
int nvdimm_flush(struct nd_region *nd_region, struct bio *bio);
int generic_nvdimm_flush(struct nd_region *nd_region);
int nvdimm_has_flush(struct nd_region *nd_region);
int nvdimm_has_cache(struct nd_region *nd_region);
bool is_nvdimm_sync(struct nd_region *nd_region);

#endif
