// SPDX-License-Identifier: BSD-2-Clause
/* A PCI bus of devices that a program makes. Kernel: drivers/pci (6.1). */
#include <linux/pci.h>

#include "pagemap/compat/model/model.h"
#include "pagemap/compat/user.h"

static const struct pci_device_id *match_id(const struct pci_driver *driver, const struct pci_dev *pdev)
{
    for (const struct pci_device_id *id = driver->id_table; id != NULL && id->vendor != 0; id++) {
        if ((id->vendor == PCI_ANY_ID || id->vendor == pdev->vendor) &&
            (id->device == PCI_ANY_ID || id->device == pdev->device)) {
            return id;
        }
    }
    return NULL;
}

static int pci_bus_match(struct device *dev, struct device_driver *driver)
{
    return match_id(container_of(driver, struct pci_driver, driver), to_pci_dev(dev)) != NULL;
}

static int pci_bus_probe(struct device *dev)
{
    struct pci_driver *driver = container_of(dev->driver, struct pci_driver, driver);
    struct pci_dev *pdev = to_pci_dev(dev);

    return driver->probe == NULL ? 0 : driver->probe(pdev, match_id(driver, pdev));
}

static void pci_bus_remove(struct device *dev)
{
    struct pci_driver *driver = container_of(dev->driver, struct pci_driver, driver);

    if (driver->remove != NULL) {
        driver->remove(to_pci_dev(dev));
    }
}

struct bus_type pci_bus_type = {
    .name = "pci",
    .match = pci_bus_match,
    .probe = pci_bus_probe,
    .remove = pci_bus_remove,
};

__attribute__((constructor)) static void register_pci_bus(void)
{
    WARN_ON(bus_register(&pci_bus_type) != 0);
}

int pci_register_driver(struct pci_driver *driver)
{
    driver->driver.name = driver->name;
    driver->driver.bus = &pci_bus_type;
    return driver_register(&driver->driver);
}

void pci_unregister_driver(struct pci_driver *driver)
{
    driver_unregister(&driver->driver);
}

struct wanted {
    unsigned vendor, device;
};

static bool is_wanted(struct device *dev, void *context)
{
    const struct wanted *wanted = context;

    return dev_is_pci(dev) && (wanted->vendor == PCI_ANY_ID || wanted->vendor == to_pci_dev(dev)->vendor) &&
           (wanted->device == PCI_ANY_ID || wanted->device == to_pci_dev(dev)->device);
}

struct pci_dev *pci_get_device(unsigned vendor, unsigned device, struct pci_dev *from)
{
    struct wanted wanted = {vendor, device};
    struct device *found = pm_model_next(from == NULL ? NULL : &from->dev, is_wanted, &wanted);

    pci_dev_put(from);
    return found == NULL ? NULL : to_pci_dev(found);
}

/* ---- configuration space ---- */

int pci_read_config_word(const struct pci_dev *pdev, int at, u16 *value)
{
    memcpy(value, &pdev->pm_config[at & 0xffe], sizeof *value);
    return 0;
}

int pci_read_config_dword(const struct pci_dev *pdev, int at, u32 *value)
{
    memcpy(value, &pdev->pm_config[at & 0xffc], sizeof *value);
    return 0;
}

int pci_write_config_word(struct pci_dev *pdev, int at, u16 value)
{
    memcpy(&pdev->pm_config[at & 0xffe], &value, sizeof value);
    return 0;
}

/* ---- making buses and devices ---- */

static struct pci_bus *new_bus(struct pci_dev *bridge, unsigned char number)
{
    struct pci_bus *bus = kzalloc(sizeof *bus, GFP_KERNEL);

    if (bus != NULL) {
        INIT_LIST_HEAD(&bus->devices);
        bus->number = number;
        bus->self = bridge;
    }
    return bus;
}

struct pci_bus *pagemap_compat_pci_root(int domain)
{
    struct pci_host_bridge *host = kzalloc(sizeof *host, GFP_KERNEL);
    struct pci_bus *bus = host == NULL ? NULL : new_bus(NULL, 0);

    if (bus == NULL) {
        kfree(host);
        return NULL;
    }
    device_initialize(&host->dev);
    host->bus = bus;
    bus->pm_host = host;
    bus->pm_domain = domain;
    return bus;
}

struct pci_bus *pagemap_compat_pci_bus(struct pci_dev *bridge, unsigned char number)
{
    struct pci_bus *bus = new_bus(bridge, number);

    if (bus != NULL) {
        bus->parent = bridge->bus;
        bus->pm_host = bridge->bus->pm_host;
        bus->pm_domain = bridge->bus->pm_domain;
        bridge->subordinate = bus;
    }
    return bus;
}

void pagemap_compat_pci_end(struct pci_bus *bus)
{
    WARN_ON(!list_empty(&bus->devices));
    if (bus->self != NULL) {
        bus->self->subordinate = NULL;
    } else {
        kfree(bus->pm_host);
    }
    kfree(bus);
}

static void free_pci_device(struct device *dev)
{
    kfree(to_pci_dev(dev));
}

struct pci_dev *pagemap_compat_pci_device(struct pci_bus *bus, unsigned devfn, unsigned short vendor,
                                          unsigned short device)
{
    struct pci_dev *pdev = kzalloc(sizeof *pdev, GFP_KERNEL);

    if (pdev == NULL) {
        return NULL;
    }
    device_initialize(&pdev->dev);
    pdev->bus = bus;
    pdev->devfn = devfn;
    pdev->vendor = vendor;
    pdev->device = device;
    pdev->dev.bus = &pci_bus_type;
    pdev->dev.parent = bus->self != NULL ? &bus->self->dev : NULL;
    pdev->dev.release = free_pci_device;
    return pdev;
}

int pagemap_compat_pci_add(struct pci_dev *pdev)
{
    struct pci_bus *bus = pdev->bus;
    int error = dev_set_name(&pdev->dev, "%04x:%02x:%02x.%d", (unsigned)bus->pm_domain, bus->number,
                             PCI_SLOT(pdev->devfn), (int)PCI_FUNC(pdev->devfn));

    if (error == 0) {
        pm_model_lock();
        list_add_tail(&pdev->bus_list, &bus->devices);
        pm_model_unlock();
        error = device_add(&pdev->dev);
        if (error != 0) {
            pm_model_lock();
            list_del(&pdev->bus_list);
            pm_model_unlock();
        }
    }
    return error;
}

void pagemap_compat_pci_remove(struct pci_dev *pdev)
{
    device_del(&pdev->dev);
    pm_model_lock();
    list_del(&pdev->bus_list);
    pm_model_unlock();
    put_device(&pdev->dev);
}
