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

/* With the lock held. */
static bool mark(struct page *page, bool poisoned)
{
    bool changed = PageHWPoison(page) != poisoned;

    if (changed && poisoned) {
        (void)pm_or_full(&page->_flags, PM_PAGE_POISON);
        nr_poisoned++;
    } else if (changed) {
        (void)pm_and_full(&page->_flags, ~PM_PAGE_POISON);
        nr_poisoned--;
    }
    return changed;
}

bool pm_poison_mark(struct page *page, bool poisoned)
{
    bool changed;

    (void)pthread_mutex_lock(&lock);
    changed = mark(page, poisoned);
    (void)pthread_mutex_unlock(&lock);
    return changed;
}

void pm_poison_begin(struct page *page)
{
    (void)pthread_mutex_lock(&lock);
    (void)pm_add_full(&page->_flags, PM_PAGE_FAILURE);
    if (mark(page, true)) {
        (void)pm_or_full(&page->_flags, PM_PAGE_UNSURE);
    }
    (void)pthread_mutex_unlock(&lock);
}

bool pm_poison_end(struct page *page, bool is_dealt_with)
{
    bool is_unsure, is_last;
    uint64_t before;

    (void)pthread_mutex_lock(&lock);
    before = pm_sub_full(&page->_flags, PM_PAGE_FAILURE);
    is_unsure = (before & PM_PAGE_UNSURE) != 0;
    is_last = before / PM_PAGE_FAILURE == 1;
    if (is_unsure && (is_dealt_with || is_last)) {
        (void)pm_and_full(&page->_flags, ~PM_PAGE_UNSURE);
    }
    if (is_unsure && is_last && !is_dealt_with) {
        (void)mark(page, false);
    }
    (void)pthread_mutex_unlock(&lock);
    return is_unsure && is_dealt_with;
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
