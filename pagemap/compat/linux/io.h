// SPDX-License-Identifier: BSD-2-Clause
/* Memory of devices, mapped without struct pages. */
#ifndef PAGEMAP_COMPAT_LINUX_IO_H
#define PAGEMAP_COMPAT_LINUX_IO_H

#include <linux/device.h>
#include <linux/ioport.h>

enum { MEMREMAP_WB = 1 << 0, MEMREMAP_WT = 1 << 1, MEMREMAP_WC = 1 << 2 };
#define ARCH_MEMREMAP_PMEM MEMREMAP_WB

/*
 * The bytes that stand behind [offset, offset + bytes), one plugged memory (pagemap/memory.h), in this process; NULL,
 * and ERR_PTR of the devm_ form: none does.
 */
void *memremap(resource_size_t offset, size_t bytes, unsigned long flags);
void memunmap(void *address);
void *devm_memremap(struct device *dev, resource_size_t offset, size_t bytes, unsigned long flags);
void devm_memunmap(struct device *dev, void *address);
void *devm_memremap_resource(struct device *dev, const struct resource *res);

#define ioremap(offset, bytes) memremap(offset, bytes, MEMREMAP_WB)
#define ioremap_wc(offset, bytes) memremap(offset, bytes, MEMREMAP_WC)
#define iounmap(address) memunmap(address)
#define devm_ioremap_resource(dev, res) devm_memremap_resource(dev, res)
#define readb(address) (*(volatile u8 *)(address))
#define readw(address) (*(volatile u16 *)(address))
#define readl(address) (*(volatile u32 *)(address))
#define readq(address) (*(volatile u64 *)(address))
#define writeb(value, address) ((void)(*(volatile u8 *)(address) = (value)))
#define writew(value, address) ((void)(*(volatile u16 *)(address) = (value)))
#define writel(value, address) ((void)(*(volatile u32 *)(address) = (value)))
#define writeq(value, address) ((void)(*(volatile u64 *)(address) = (value)))
#define memcpy_fromio memcpy
#define memcpy_toio memcpy
#define memset_io memset

#endif
