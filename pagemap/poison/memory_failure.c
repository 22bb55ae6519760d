// SPDX-License-Identifier: BSD-2-Clause
/* Kernel: mm/memory-failure.c (6.1). */
#include <errno.h>
#include <pthread.h>

#include "pagemap/base/warn.h"
#include "pagemap/fs.h"
#include "pagemap/mapping/mapping.h"
#include "pagemap/memremap/mapped.h"
#include "pagemap/memremap/page.h"
#include "pagemap/pagemap.h"
#include "pagemap/poison.h"
#include "pagemap/poison/poison.h"
#include "pagemap/view/view.h"
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

/* Whether the mark changed. */
static bool mark(struct page *page, bool poisoned)
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

/* Takes the page out of all views of its file; false: it is in no file. */
static bool revoke(const struct page *page)
{
    struct address_space *mapping;
    uint64_t index;

    if (pagemap_read_lock() != 0) {
        return false;
    }
    mapping = page_mapping(page);
    if (mapping != NULL && !pm_mapping_tryget(mapping)) {
        mapping = NULL;
    }
    pagemap_read_unlock();
    if (mapping == NULL) {
        return false;
    }
    index = page_index(page);
    if (index != UINT64_MAX) { /* else it was truncated just now, which revokes too */
        unmap_mapping_pages(mapping, index, 1, false);
    }
    pm_mapping_put(mapping);
    return true;
}

/* The driver is asked last: whatever it does, nobody touches the page through a view meanwhile. */
static int handle(struct dev_pagemap *pgmap, uint64_t pfn, int flags)
{
    struct page *page = pm_page_of(pgmap, pfn);
    bool fresh = mark(page, true), was_in_file = revoke(page);
    int error = -EOPNOTSUPP;

    if (pgmap_has_memory_failure(pgmap)) {
        error = pgmap->ops->memory_failure(pgmap, pfn, 1, flags);
    }
    if (error != -EOPNOTSUPP || was_in_file) {
        return error == -EOPNOTSUPP ? 0 : error;
    }
    if (fresh) {
        (void)mark(page, false);
    }
    return -EBUSY;
}

/*
 * First of all, as in the kernel, since the driver may wait until the page is idle; and whatever comes of it
 * (bug 30). A page that is held has a mapping, live or dying.
 */
static void put_callers_reference(uint64_t pfn)
{
    if (!pm_warn_on(pm_find(pfn) == NULL, "memory_failure() with a reference on what is no page")) {
        put_page(pfn_to_page(pfn));
    }
}

int memory_failure(uint64_t pfn, int flags)
{
    struct dev_pagemap *pgmap = pm_get(pfn);
    int error = -ENXIO;

    if ((flags & MF_COUNT_INCREASED) != 0) {
        put_callers_reference(pfn);
    }
    if (pgmap != NULL && pgmap_pfn_valid(pgmap, pfn) && !pm_is_allocated_type(pgmap)) {
        error = handle(pgmap, pfn, flags);
    }
    pm_put(pgmap);
    return error;
}

int unpoison_memory(uint64_t pfn)
{
    struct dev_pagemap *pgmap = pm_get(pfn);
    int error = -ENXIO;

    if (pgmap != NULL && pgmap_pfn_valid(pgmap, pfn) && mark(pfn_to_page(pfn), false)) {
        error = 0;
    }
    pm_put(pgmap);
    return error;
}
