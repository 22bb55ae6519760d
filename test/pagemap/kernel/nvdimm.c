// SPDX-License-Identifier: BSD-2-Clause
#include "test/pagemap/kernel/nvdimm.h"

#include <linux/slab.h>

static int nd_match(struct device *dev, struct device_driver *driver)
{
    (void)dev, (void)driver;
    return 1;
}

static int nd_probe(struct device *dev)
{
    return to_nd_device_driver(dev->driver)->probe(dev);
}

static void nd_remove(struct device *dev)
{
    struct nd_device_driver *driver = to_nd_device_driver(dev->driver);

    if (driver->remove != NULL) {
        driver->remove(dev);
    }
}

static struct bus_type nd_bus = {.name = "nd", .match = nd_match, .probe = nd_probe, .remove = nd_remove};

__attribute__((constructor)) static void register_nd_bus(void)
{
    (void)bus_register(&nd_bus);
}

int __nd_driver_register(struct nd_device_driver *nd_drv, struct module *module, const char *mod_name)
{
    nd_drv->drv.bus = &nd_bus;
    nd_drv->drv.owner = module;
    nd_drv->drv.mod_name = mod_name;
    nd_drv->drv.suppress_bind_attrs = true;
    return driver_register(&nd_drv->drv);
}

/* ---- a region ---- */

static unsigned flushes, cleared;
static sector_t bad_start;
static int bad_sectors;

struct nd_region *to_nd_region(struct device *dev)
{
    return container_of(dev, struct nd_region, dev);
}

int nvdimm_flush(struct nd_region *nd_region, struct bio *bio)
{
    (void)nd_region, (void)bio;
    (void)__atomic_fetch_add(&flushes, 1, __ATOMIC_SEQ_CST);
    return 0;
}

unsigned nvdimm_flushes(void)
{
    return __atomic_load_n(&flushes, __ATOMIC_SEQ_CST);
}

int nvdimm_has_flush(struct nd_region *nd_region)
{
    (void)nd_region;
    return 1;
}

int nvdimm_has_cache(struct nd_region *nd_region)
{
    (void)nd_region;
    return 1;
}

bool is_nvdimm_sync(struct nd_region *nd_region)
{
    (void)nd_region;
    return true;
}

void nvdimm_set_bad(sector_t start, int sectors)
{
    bad_start = start;
    bad_sectors = sectors;
}

unsigned nvdimm_cleared(void)
{
    return cleared;
}

void nvdimm_badblocks_populate(struct nd_region *nd_region, struct badblocks *bb, const struct range *range)
{
    (void)nd_region, (void)range;
    if (bad_sectors > 0) {
        (void)badblocks_set(bb, bad_start, bad_sectors, 1);
    }
}

long nvdimm_clear_poison(struct device *dev, phys_addr_t phys, unsigned int len)
{
    (void)dev, (void)phys;
    cleared++;
    return len;
}

/* ---- a namespace: its claim by a pfn device, or itself ---- */

struct namespace
{
    struct nd_region *region;
    struct nd_namespace_io nsio;
    struct nd_pfn pfn; /* if it has metadata */
    struct nd_pfn_sb sb;
    u64 metadata;
};

static const struct device_type pfn_type = {.name = "nd_pfn"};
static const struct device_type namespace_type = {.name = "nd_namespace_io"};

bool is_nd_pfn(struct device *dev)
{
    return dev->type == &pfn_type;
}

struct nd_pfn *to_nd_pfn(struct device *dev)
{
    return container_of(dev, struct nd_pfn, dev);
}

static struct namespace *namespace_of(struct device *dev)
{
    return is_nd_pfn(dev) ? container_of(to_nd_pfn(dev), struct namespace, pfn)
                          : container_of(to_nd_namespace_io(dev), struct namespace, nsio);
}

struct nd_namespace_common *nvdimm_namespace_common_probe(struct device *dev)
{
    return &namespace_of(dev)->nsio.common;
}

int devm_namespace_enable(struct device *dev, struct nd_namespace_common *ndns, resource_size_t size)
{
    (void)dev, (void)ndns, (void)size;
    return 0;
}

void devm_namespace_disable(struct device *dev, struct nd_namespace_common *ndns)
{
    (void)dev, (void)ndns;
}

const char *nvdimm_namespace_disk_name(struct nd_namespace_common *ndns, char *name)
{
    (void)ndns;
    (void)strcpy(name, "pmem0");
    return name;
}

unsigned int pmem_sector_size(struct nd_namespace_common *ndns)
{
    (void)ndns;
    return SECTOR_SIZE;
}

bool pmem_should_map_pages(struct device *dev)
{
    (void)dev;
    return true;
}

void nvdimm_check_and_set_ro(struct gendisk *disk)
{
    set_disk_ro(disk, false);
}

/* What the info block says: the struct pages in the first bytes, behind the block itself. */
int nvdimm_setup_pfn(struct nd_pfn *nd_pfn, struct dev_pagemap *pgmap)
{
    struct namespace *ns = container_of(nd_pfn, struct namespace, pfn);

    pgmap->nr_range = 1;
    pgmap->range.start = ns->nsio.res.start;
    pgmap->range.end = ns->nsio.res.end;
    pgmap->altmap.base_pfn = PHYS_PFN(ns->nsio.res.start);
    pgmap->altmap.reserve = PHYS_PFN(SZ_8K);
    pgmap->altmap.free = PHYS_PFN(ns->metadata - SZ_8K);
    pgmap->altmap.end_pfn = PHYS_PFN(ns->nsio.res.end);
    pgmap->flags |= PGMAP_ALTMAP_VALID;
    return 0;
}

int nd_pfn_probe(struct device *dev, struct nd_namespace_common *ndns)
{
    (void)dev, (void)ndns;
    return -ENODEV;
}

int nd_dax_probe(struct device *dev, struct nd_namespace_common *ndns)
{
    (void)dev, (void)ndns;
    return -ENODEV;
}

int nvdimm_namespace_attach_btt(struct nd_namespace_common *ndns)
{
    (void)ndns;
    return -ENXIO;
}

int nvdimm_namespace_detach_btt(struct nd_btt *nd_btt)
{
    (void)nd_btt;
    return 0;
}

struct nd_btt *to_nd_btt(struct device *dev)
{
    return container_of(dev, struct nd_btt, dev);
}

/* ---- making it ---- */

static void free_namespace(struct device *dev)
{
    struct namespace *ns = namespace_of(dev);

    put_device(&ns->region->dev);
    kfree(ns);
}

static void free_region(struct device *dev)
{
    kfree(to_nd_region(dev));
}

struct device *nvdimm_add(u64 start, u64 bytes, u64 metadata)
{
    struct namespace *ns = kzalloc(sizeof *ns, GFP_KERNEL | __GFP_NOFAIL);
    struct device *dev = metadata > 0 ? &ns->pfn.dev : &ns->nsio.common.dev;

    ns->region = kzalloc(sizeof *ns->region, GFP_KERNEL | __GFP_NOFAIL);
    device_initialize(&ns->region->dev);
    ns->region->dev.release = free_region;
    ns->nsio.res = (struct resource){
        .start = start, .end = start + bytes - 1, .name = "namespace0.0", .flags = IORESOURCE_MEM};
    ns->metadata = metadata;
    ns->sb.dataoff = cpu_to_le64(metadata);
    ns->pfn.pfn_sb = &ns->sb;
    ns->pfn.ndns = &ns->nsio.common;
    ns->nsio.common.dev.init_name = "namespace0.0";
    ns->nsio.common.dev.type = &namespace_type;
    device_initialize(dev);
    dev->type = metadata > 0 ? &pfn_type : &namespace_type;
    dev->bus = &nd_bus;
    dev->parent = &ns->region->dev;
    dev->release = free_namespace;
    (void)dev_set_name(dev, metadata > 0 ? "pfn0.0" : "namespace0.0");
    (void)device_add(dev);
    return dev;
}

void nvdimm_remove(struct device *dev)
{
    device_unregister(dev);
}
