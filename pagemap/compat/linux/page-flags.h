// SPDX-License-Identifier: BSD-2-Clause
/* Flags of pages: HWPoison, by memory_failure() of pagemap, and locked. */
#ifndef PAGEMAP_COMPAT_LINUX_PAGE_FLAGS_H
#define PAGEMAP_COMPAT_LINUX_PAGE_FLAGS_H

#include "pagemap/poison.h"
#include <linux/types.h>

/* Takes the mark of memory_failure() away. */
static inline bool TestClearPageHWPoison(struct page *page)
{
    return unpoison_memory(page_to_pfn(page)) == 0;
}

#define PageReserved(page) ((void)(page), false)
#define SetPageReserved(page) ((void)(page))
#define ClearPageReserved(page) ((void)(page))
#define __SetPageReserved(page) ((void)(page))
#define SetPageUptodate(page) ((void)(page))
#define __SetPageUptodate(page) ((void)(page))
#define PageUptodate(page) ((void)(page), true)
#define SetPageDirty(page) ((void)(page))
#define set_page_dirty(page) ((void)(page), true)
#define set_page_dirty_lock(page) ((void)(page), true)
#define SetPageReferenced(page) ((void)(page))
#define PageAnon(page) ((void)(page), false)
#define PageCompound(page) (compound_head(page)->pgmap != NULL && page_pgmap(page)->vmemmap_shift > 0)
#define PageTail(page) (compound_head(page) != (page))
#define PageHead(page) (PageCompound(page) && !PageTail(page))
#define PageTransHuge(page) PageCompound(page)
#define PageSlab(page) ((void)(page), false)
#define PageOffline(page) ((void)(page), false)
#define __SetPageOffline(page) ((void)(page))
#define __ClearPageOffline(page) ((void)(page))
#define page_has_private(page) ((void)(page), false)

#endif
