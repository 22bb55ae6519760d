// SPDX-License-Identifier: BSD-2-Clause
/* Devices on a PCI bus, which a program makes by pagemap_pci_ functions of pagemap/compat/user.h. */
#ifndef PAGEMAP_COMPAT_LINUX_PCI_H
#define PAGEMAP_COMPAT_LINUX_PCI_H

#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/ioport.h>
#include <linux/list.h>
#include <linux/mod_devicetable.h>
#include <linux/pci_ids.h>
#include <linux/pci_regs.h>

#define PCI_NUM_RESOURCES 12
#define PCI_STD_NUM_BARS 6
#define PCI_DEVFN(slot, function) ((((slot)&0x1f) << 3) | ((function)&0x07))
#define PCI_SLOT(devfn) (((devfn) >> 3) & 0x1f)
#define PCI_FUNC(devfn) ((devfn)&0x07)
#define PCI_ANY_ID (~0u)

struct pci_p2pdma;

struct pci_bus {
    struct pci_bus *parent;
    struct pci_dev *self; /* the bridge to it; NULL: the root */
    struct list_head devices;
    unsigned char number;
    int pm_domain;
    struct pci_host_bridge *pm_host;
};

struct pci_host_bridge {
    struct device dev;
    struct pci_bus *bus;
};

struct pci_dev {
    struct list_head bus_list;
    struct pci_bus *bus, *subordinate;
    unsigned devfn;
    unsigned short vendor, device, subsystem_vendor, subsystem_device;
    unsigned class;
    u16 acs_cap;
    u8 pcie_type;
    struct device dev;
    struct resource resource[PCI_NUM_RESOURCES];
    u64 pm_bus_offset; /* of bus addresses to physical ones */
    u8 pm_config[4096];
    struct pci_p2pdma *p2pdma;
    unsigned is_physfn : 1, is_virtfn : 1, error_state : 2;
};

struct pci_driver {
    const char *name;
    const struct pci_device_id *id_table;
    int (*probe)(struct pci_dev *dev, const struct pci_device_id *id);
    void (*remove)(struct pci_dev *dev);
    void (*shutdown)(struct pci_dev *dev);
    struct device_driver driver;
};

extern struct bus_type pci_bus_type;

#define to_pci_dev(device) container_of(device, struct pci_dev, dev)
#define dev_is_pci(device) ((device)->bus == &pci_bus_type)
#define pci_name(pdev) dev_name(&(pdev)->dev)
#define pci_resource_start(pdev, bar) ((pdev)->resource[bar].start)
#define pci_resource_end(pdev, bar) ((pdev)->resource[bar].end)
#define pci_resource_flags(pdev, bar) ((pdev)->resource[bar].flags)
#define pci_resource_len(pdev, bar)                                                                          \
    (pci_resource_end(pdev, bar) == 0 && pci_resource_start(pdev, bar) == 0                                  \
         ? 0                                                                                                 \
         : pci_resource_end(pdev, bar) - pci_resource_start(pdev, bar) + 1)
#define pci_bus_address(pdev, bar) (pci_resource_start(pdev, bar) + (pdev)->pm_bus_offset)
#define pci_domain_nr(bus) ((bus)->pm_domain)
#define pci_pcie_type(pdev) ((int)(pdev)->pcie_type)
#define pci_find_host_bridge(bus) ((bus)->pm_host)
#define pci_get_drvdata(pdev) dev_get_drvdata(&(pdev)->dev)
#define pci_set_drvdata(pdev, data) dev_set_drvdata(&(pdev)->dev, data)
#define pci_err(pdev, ...) dev_err(&(pdev)->dev, __VA_ARGS__)
#define pci_warn(pdev, ...) dev_warn(&(pdev)->dev, __VA_ARGS__)
#define pci_info(pdev, ...) dev_info(&(pdev)->dev, __VA_ARGS__)
#define pci_dbg(pdev, ...) dev_dbg(&(pdev)->dev, __VA_ARGS__)
#define pci_enable_device(pdev) ((void)(pdev), 0)
#define pcim_enable_device(pdev) ((void)(pdev), 0)
#define pci_disable_device(pdev) ((void)(pdev))
#define pci_set_master(pdev) ((void)(pdev))

static inline struct pci_dev *pci_upstream_bridge(struct pci_dev *pdev)
{
    return pdev->bus->self;
}

static inline struct pci_dev *pci_dev_get(struct pci_dev *pdev)
{
    if (pdev != NULL) {
        (void)get_device(&pdev->dev);
    }
    return pdev;
}

static inline void pci_dev_put(struct pci_dev *pdev)
{
    if (pdev != NULL) {
        put_device(&pdev->dev);
    }
}

/* The next device after `from`, which is put, with a reference more; NULL: no more. */
struct pci_dev *pci_get_device(unsigned vendor, unsigned device, struct pci_dev *from);
#define for_each_pci_dev(pdev) while ((pdev = pci_get_device(PCI_ANY_ID, PCI_ANY_ID, pdev)) != NULL)
int pci_read_config_word(const struct pci_dev *pdev, int at, u16 *value);
int pci_read_config_dword(const struct pci_dev *pdev, int at, u32 *value);
int pci_write_config_word(struct pci_dev *pdev, int at, u16 value);
int pci_register_driver(struct pci_driver *driver);
void pci_unregister_driver(struct pci_driver *driver);

#endif
