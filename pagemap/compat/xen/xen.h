// SPDX-License-Identifier: BSD-2-Clause
/* Whether this is a guest of Xen: it is, as far as drivers for such guests are concerned. */
#ifndef PAGEMAP_COMPAT_XEN_XEN_H
#define PAGEMAP_COMPAT_XEN_XEN_H

#include <linux/types.h>

#define xen_domain() 1
#define xen_pv_domain() 0
#define xen_hvm_domain() 1
#define xen_initial_domain() 0

int xen_alloc_unpopulated_pages(unsigned nr_pages, struct page **pages);
void xen_free_unpopulated_pages(unsigned nr_pages, struct page **pages);

#endif
