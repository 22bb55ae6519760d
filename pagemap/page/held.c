// SPDX-License-Identifier: BSD-2-Clause
/* References more on what is held already. Kernel: folio_try_get(), include/linux/page_ref.h (6.1). */
#include "pagemap/page/mapped.h"
#include "pagemap/page/page.h"
#include "pagemap/page/record.h"
#include "pagemap/vmemmap/touched.h"

/*
 * One more on a page that has some, for a caller that has one on pgmap. The page has its own there. Poison is looked
 * for as in pm_page_count_up().
 */
static bool count_up_held(struct dev_pagemap *pgmap, uint64_t pfn)
{
    struct page *page = pm_page_of(pgmap, pfn), *head = pm_head(pgmap, page);

    if (PM_UNLIKELY(pm_is_poisoned(page)) || !pm_add_unless_zero(&head->_refcount, 1)) {
        return false;
    }
    if (PM_UNLIKELY(pm_is_poisoned(page))) {
        pm_page_refuse(pgmap, head, 1, false);
        return false;
    }
    pm_record(page_to_pfn(head), 1);
    return true;
}

struct page *pagemap_get_held_page(uint64_t pfn)
{
    struct page *page = pagemap_get_page(pfn);
    struct dev_pagemap *pgmap = page != NULL ? NULL : pm_hold(pfn);

    if (pgmap != NULL && pgmap_pfn_valid(pgmap, pfn) && pm_is_touched(pm_head_pfn(pgmap, pfn)) &&
        count_up_held(pgmap, pfn)) {
        page = pfn_to_page(pfn);
    }
    pm_put(pgmap);
    return page;
}
