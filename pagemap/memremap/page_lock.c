// SPDX-License-Identifier: BSD-2-Clause
/* Locking a page, and waiting for one. Kernel: mm/filemap.c (6.1). */
#include "pagemap/base/wait.h"
#include "pagemap/base/warn.h"
#include "pagemap/holders/report.h"
#include "pagemap/memremap/mapped.h"
#include "pagemap/memremap/page.h"

bool trylock_page(struct page *page)
{
    return (pm_or_full(&compound_head(page)->_flags, PM_PAGE_LOCKED) & PM_PAGE_LOCKED) == 0;
}

static bool try_lock(void *page)
{
    return trylock_page(page);
}

void lock_page(struct page *page)
{
    if (!trylock_page(page)) {
        pm_wait_var(&compound_head(page)->_flags, try_lock, page);
    }
}

void unlock_page(struct page *page)
{
    struct page *head = compound_head(page);
    uint64_t before = pm_and_full(&head->_flags, ~PM_PAGE_LOCKED);

    (void)pm_warn_on((before & PM_PAGE_LOCKED) == 0, "unlock_page() of a page that is not locked");
    pm_wake_var(&head->_flags);
}

static bool is_idle(void *count)
{
    return pm_load_full(count) == 0;
}

void wait_on_page_idle(struct page *page)
{
    struct dev_pagemap *pgmap = pm_page_owner(page);
    uint64_t pfn = page_to_pfn(page);
    struct page *head = pgmap == NULL ? page : pfn_to_page(pm_head_pfn(pgmap, pfn));

    pm_wait_telling(&head->_refcount, is_idle, &head->_refcount, pgmap);
}
