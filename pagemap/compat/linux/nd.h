// SPDX-License-Identifier: BSD-2-Clause
/* Drivers of namespaces, which are parts of such regions. */
#ifndef PAGEMAP_COMPAT_LINUX_ND_H
#define PAGEMAP_COMPAT_LINUX_ND_H

#include <linux/badblocks.h>
#include <linux/device.h>
#include <linux/fs.h>
#include <linux/libnvdimm.h>
#include <linux/ndctl.h>

enum nvdimm_event { NVDIMM_REVALIDATE_POISON, NVDIMM_REVALIDATE_REGION };

enum nvdimm_claim_class {
    NVDIMM_CCLASS_NONE,
    NVDIMM_CCLASS_BTT,
    NVDIMM_CCLASS_BTT2,
    NVDIMM_CCLASS_PFN,
    NVDIMM_CCLASS_DAX,
    NVDIMM_CCLASS_UNKNOWN
};

struct nd_device_driver {
    struct device_driver drv;
    unsigned long type;
    int (*probe)(struct device *dev);
    void (*remove)(struct device *dev);
    void (*shutdown)(struct device *dev);
    void (*notify)(struct device *dev, enum nvdimm_event event);
};

struct nd_namespace_common {
    int force_raw;
    struct device dev;
    struct device *claim;
    enum nvdimm_claim_class claim_class;
    int (*rw_bytes)(struct nd_namespace_common *ndns, resource_size_t offset, void *buffer, size_t bytes,
                    int rw, unsigned long flags);
};

struct nd_namespace_io {
    struct nd_namespace_common common;
    struct resource res;
    resource_size_t size;
    void *addr;
    struct badblocks bb;
};

struct nd_namespace_pmem {
    struct nd_namespace_io nsio;
    unsigned long lbasize;
    char *alt_name;
    uuid_t *uuid;
    int id;
};

static inline struct nd_device_driver *to_nd_device_driver(struct device_driver *drv)
{
    return container_of(drv, struct nd_device_driver, drv);
}

static inline struct nd_namespace_common *to_ndns(struct device *dev)
{
    return container_of(dev, struct nd_namespace_common, dev);
}

static inline struct nd_namespace_io *to_nd_namespace_io(const struct device *dev)
{
    return container_of(dev, struct nd_namespace_io, common.dev);
}

static inline struct nd_namespace_pmem *to_nd_namespace_pmem(const struct device *dev)
{
    return container_of(to_nd_namespace_io(dev), struct nd_namespace_pmem, nsio);
}

/* 0 or a negative errno. `rw` of rw_bytes: 0 reads, 1 writes. */
static inline int nvdimm_read_bytes(struct nd_namespace_common *ndns, resource_size_t offset, void *buffer,
                                    size_t bytes, unsigned long flags)
{
    return ndns->rw_bytes(ndns, offset, buffer, bytes, 0, flags);
}

static inline int nvdimm_write_bytes(struct nd_namespace_common *ndns, resource_size_t offset, void *buffer,
                                     size_t bytes, unsigned long flags)
{
    return ndns->rw_bytes(ndns, offset, buffer, bytes, 1, flags);
}

#define MODULE_ALIAS_ND_DEVICE(type) MODULE_ALIAS("nd:t" __stringify(type) "*")
#define nd_driver_register(driver) __nd_driver_register(driver, THIS_MODULE, KBUILD_MODNAME)
#define module_nd_driver(its_driver)                                                                         \
    static int its_driver##_init(void)                                                                       \
    {                                                                                                        \
        return nd_driver_register(&its_driver);                                                              \
    }                                                                                                        \
    static void its_driver##_exit(void)                                                                      \
    {                                                                                                        \
        driver_unregister(&its_driver.drv);                                                                  \
    }                                                                                                        \
    module_init(its_driver##_init) module_exit(its_driver##_exit)

int __nd_driver_register(struct nd_device_driver *nd_drv, struct module *module, const char *mod_name);
void nd_region_destroy(struct nd_region *nd_region);
void nvdimm_region_notify(struct nd_region *nd_region, enum nvdimm_event event);

#endif
