// SPDX-License-Identifier: BSD-2-Clause
/* Memory of a PCI device for its peers (drivers/pci/p2pdma.c of the kernel). */
#ifndef PAGEMAP_COMPAT_LINUX_PCI_P2PDMA_H
#define PAGEMAP_COMPAT_LINUX_PCI_P2PDMA_H

#include <linux/dma-map-ops.h>
#include <linux/pci.h>

struct block_device;
struct scatterlist;

int pci_p2pdma_add_resource(struct pci_dev *pdev, int bar, size_t size, u64 offset);
int pci_p2pdma_distance_many(struct pci_dev *provider, struct device **clients, int num_clients,
                             bool verbose);
bool pci_has_p2pmem(struct pci_dev *pdev);
struct pci_dev *pci_p2pmem_find_many(struct device **clients, int num_clients);
void *pci_alloc_p2pmem(struct pci_dev *pdev, size_t size);
void pci_free_p2pmem(struct pci_dev *pdev, void *addr, size_t size);
pci_bus_addr_t pci_p2pmem_virt_to_bus(struct pci_dev *pdev, void *addr);
struct scatterlist *pci_p2pmem_alloc_sgl(struct pci_dev *pdev, unsigned int *nents, u32 length);
void pci_p2pmem_free_sgl(struct pci_dev *pdev, struct scatterlist *sgl);
void pci_p2pmem_publish(struct pci_dev *pdev, bool publish);
int pci_p2pdma_enable_store(const char *page, struct pci_dev **p2p_dev, bool *use_p2pdma);
ssize_t pci_p2pdma_enable_show(char *page, struct pci_dev *p2p_dev, bool use_p2pdma);

static inline int pci_p2pdma_distance(struct pci_dev *provider, struct device *client, bool verbose)
{
    return pci_p2pdma_distance_many(provider, &client, 1, verbose);
}

static inline struct pci_dev *pci_p2pmem_find(struct device *client)
{
    return pci_p2pmem_find_many(&client, 1);
}

#endif
