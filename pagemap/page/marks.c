// SPDX-License-Identifier: BSD-2-Clause
#include "pagemap/page/marks.h"

#include <pthread.h>

#include "pagemap/page/page.h"
#include "pagemap/vmemmap/touched.h"

/* Orders marking a page with inserting it; and how many are marked, so that none need be looked for. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t nr_poisoned;

/* With the lock held. */
static uint64_t next_marked(uint64_t pfn, uint64_t last_pfn)
{
    while (nr_poisoned > 0 && (pfn = pm_touched_next(pfn, last_pfn)) != UINT64_MAX) {
        uint64_t end = pfn | ((UINT64_C(1) << PM_TOUCHED_SHIFT) - 1);

        for (; pfn <= end && pfn <= last_pfn; pfn++) {
            if (PageHWPoison(pfn_to_page(pfn))) {
                return pfn;
            }
        }
        if (pfn > last_pfn) {
            break;
        }
    }
    return UINT64_MAX;
}

uint64_t pm_poison_next(uint64_t pfn, uint64_t last_pfn)
{
    uint64_t next;

    (void)pthread_mutex_lock(&lock);
    next = next_marked(pfn, last_pfn);
    (void)pthread_mutex_unlock(&lock);
    return next;
}

bool pm_poison_mark(struct page *page, bool poisoned)
{
    bool changed;

    (void)pthread_mutex_lock(&lock);
    changed = PageHWPoison(page) != poisoned;
    if (changed && poisoned) {
        (void)pm_or_full(&page->_flags, PM_PAGE_POISON);
        nr_poisoned++;
    } else if (changed) {
        (void)pm_and_full(&page->_flags, ~PM_PAGE_POISON);
        nr_poisoned--;
    }
    (void)pthread_mutex_unlock(&lock);
    return changed;
}

void pm_poison_forget(uint64_t pfn, uint64_t last_pfn)
{
    (void)pthread_mutex_lock(&lock);
    while ((pfn = next_marked(pfn, last_pfn)) != UINT64_MAX) {
        (void)pm_and_full(&pfn_to_page(pfn)->_flags, ~PM_PAGE_POISON);
        nr_poisoned--;
    }
    (void)pthread_mutex_unlock(&lock);
}
