// SPDX-License-Identifier: BSD-2-Clause
/* Pages that were ballooned out: ordinary ones. */
#ifndef PAGEMAP_COMPAT_XEN_BALLOON_H
#define PAGEMAP_COMPAT_XEN_BALLOON_H

#include <linux/mm.h>

static inline int xen_alloc_ballooned_pages(unsigned nr_pages, struct page **pages)
{
    for (unsigned i = 0; i < nr_pages; i++) {
        pages[i] = alloc_page(GFP_KERNEL);
        if (pages[i] == NULL) {
            while (i-- > 0) {
                __free_page(pages[i]);
            }
            return -ENOMEM;
        }
    }
    return 0;
}

static inline void xen_free_ballooned_pages(unsigned nr_pages, struct page **pages)
{
    for (unsigned i = 0; i < nr_pages; i++) {
        __free_page(pages[i]);
    }
}

#endif
