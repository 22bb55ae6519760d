// SPDX-License-Identifier: BSD-2-Clause
/* Frames of the hypervisor: those of the guest. */
#ifndef PAGEMAP_COMPAT_XEN_PAGE_H
#define PAGEMAP_COMPAT_XEN_PAGE_H

#include <linux/mm.h>

typedef unsigned long xen_pfn_t;

#define XEN_PAGE_SHIFT 12
#define XEN_PAGE_SIZE (1UL << XEN_PAGE_SHIFT)
#define XEN_PFN_PER_PAGE (PAGE_SIZE / XEN_PAGE_SIZE)
#define page_to_xen_pfn(page) page_to_pfn(page)

#endif
