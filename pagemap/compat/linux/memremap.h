// SPDX-License-Identifier: BSD-2-Clause
/* Device memory: that of pagemap, with struct pages that are filled in when it is mapped, as in the kernel. */
#ifndef PAGEMAP_COMPAT_LINUX_MEMREMAP_H
#define PAGEMAP_COMPAT_LINUX_MEMREMAP_H

#include "pagemap/pagemap.h"
#include <linux/ioport.h>
#include <linux/mmzone.h>
#include <linux/percpu-refcount.h>
#include <linux/range.h>
#include <linux/types.h>

struct device;

/*
 * As pagemap's functions of these names. Each page of the device has its pgmap from then on, which costs 64 bytes a
 * page (in the altmap if there is one), and virt_to_page() finds it by its address.
 */
void *pagemap_compat_memremap_pages(struct dev_pagemap *pgmap, int nid);
int pagemap_compat_memunmap_pages(struct dev_pagemap *pgmap);
void *pagemap_compat_devm_memremap_pages(struct device *dev, struct dev_pagemap *pgmap);
void pagemap_compat_devm_memunmap_pages(struct device *dev, struct dev_pagemap *pgmap);

#define memremap_pages pagemap_compat_memremap_pages
#define memunmap_pages pagemap_compat_memunmap_pages
#define devm_memremap_pages pagemap_compat_devm_memremap_pages
#define devm_memunmap_pages pagemap_compat_devm_memunmap_pages

#endif
