// SPDX-License-Identifier: BSD-2-Clause
/*
 * struct page. Its count is of references above idle, so that zero bytes are an idle page of every type. A page
 * that is not idle holds one reference on its dev_pagemap: who moves the count off zero donates the one with
 * which it found the page, who moves it back puts it. Kernel: mm/memremap.c, include/linux/mm.h (6.1).
 */
#include "pagemap/memremap/page.h"

#include <errno.h>

#include "pagemap/base/wait.h"
#include "pagemap/base/warn.h"
#include "pagemap/holders/record.h"
#include "pagemap/memremap/mapped.h"
#include "pagemap/vmemmap/touched.h"

struct dev_pagemap *page_pgmap(const struct page *page)
{
    return __atomic_load_n(&page->_pgmap, __ATOMIC_ACQUIRE);
}

/*
 * Written by whoever grabs first, always the same value while the page exists. Release, and acquire above: who
 * sees the word sees the mark, too.
 */
static void set_pgmap(struct page *page, struct dev_pagemap *pgmap)
{
    if (page_pgmap(page) != pgmap) {
        pm_touched_mark(page_to_pfn(page));
        __atomic_store_n(&page->_pgmap, pgmap, __ATOMIC_RELEASE);
    }
}

struct page *compound_head(struct page *page)
{
    return pfn_to_page(pm_head_pfn(page_pgmap(page), page_to_pfn(page)));
}

bool PageHWPoison(const struct page *page)
{
    return (pm_load_acquire(&page->_flags) & PM_PAGE_POISON) != 0;
}

struct page *pm_page_of(struct dev_pagemap *pgmap, uint64_t pfn)
{
    struct page *page = pfn_to_page(pfn), *head = pfn_to_page(pm_head_pfn(pgmap, pfn));

    set_pgmap(page, pgmap);
    set_pgmap(head, pgmap);
    return page;
}

bool pm_page_count_up(struct dev_pagemap *pgmap, uint64_t pfn, uint64_t n, bool *left_idle)
{
    struct page *page = pm_page_of(pgmap, pfn), *head = compound_head(page);

    *left_idle = false;
    if (PM_UNLIKELY(PageHWPoison(page))) {
        return false;
    }
    if (pm_is_allocated_type(pgmap)) {
        if (!pm_add_unless_zero(&head->_refcount, n)) {
            return false;
        }
    } else {
        *left_idle = pm_add_full(&head->_refcount, n) == 0;
    }
    pm_record(page_to_pfn(head), n);
    return true;
}

/* If the count went off zero, the page has taken the reference on pgmap. */
struct page *pagemap_get_page(uint64_t pfn)
{
    struct dev_pagemap *pgmap = pm_get(pfn);
    bool grabbed = false, donated = false;

    if (pgmap == NULL) {
        return NULL;
    }
    if (pgmap_pfn_valid(pgmap, pfn)) {
        grabbed = pm_page_count_up(pgmap, pfn, 1, &donated);
    }
    if (!donated) {
        pm_put(pgmap);
    }
    return grabbed ? pfn_to_page(pfn) : NULL;
}

void get_page(struct page *page)
{
    bool held = page_pgmap(page) != NULL && pm_add_unless_zero(&compound_head(page)->_refcount, 1);

    if (!pm_warn_on(!held, "get_page() of an idle page")) {
        pm_record(page_to_pfn(compound_head(page)), 1);
    }
}

/* Subtracts n; false, and nothing happened, if there are fewer. */
static bool drop(struct page *head, uint64_t n, uint64_t *before)
{
    *before = pm_load_relaxed(&head->_refcount);
    do {
        if (*before < n) {
            return false;
        }
    } while (!pm_cas_full(&head->_refcount, before, *before - n));
    return true;
}

/*
 * The page is idle, and still there: it has not put its reference yet. Any drop to idle wakes, by however many
 * it dropped (bug 20).
 */
static void became_idle(struct page *head, struct dev_pagemap *pgmap)
{
    if (pgmap->ops != NULL && pgmap->ops->page_free != NULL) {
        pgmap->ops->page_free(head);
    }
    pm_wake_var(&head->_refcount);
    pm_put(pgmap);
}

void put_page_many(struct page *page, uint64_t n)
{
    struct dev_pagemap *pgmap = page_pgmap(page);
    struct page *head;
    uint64_t before;

    if (n == 0 || pm_warn_on(pgmap == NULL, "put_page() of an idle page")) {
        return;
    }
    head = compound_head(page);
    pm_forget(page_to_pfn(head), n);
    if (!pm_warn_on(!drop(head, n, &before), "put_page() below idle") && before == n) {
        became_idle(head, pgmap);
    }
}

void put_page(struct page *page)
{
    put_page_many(page, 1);
}

/* A tail that nobody grabbed does not know its pagemap, though its head may be busy. */
struct dev_pagemap *pm_page_owner(const struct page *page)
{
    struct dev_pagemap *pgmap = page_pgmap(page);

    return pgmap != NULL ? pgmap : pm_find(page_to_pfn(page));
}

uint64_t page_count(const struct page *page)
{
    const struct dev_pagemap *pgmap = pm_page_owner(page);

    if (pgmap == NULL) {
        return 0;
    }
    return pm_load_full(&pfn_to_page(pm_head_pfn(pgmap, page_to_pfn(page)))->_refcount) +
           (pgmap->type == MEMORY_DEVICE_GENERIC);
}

int zone_device_page_init(struct page *page)
{
    uint64_t pfn = page_to_pfn(page), idle = 0;
    struct dev_pagemap *pgmap = pm_get(pfn);
    struct page *head;

    if (pgmap == NULL || !pgmap_pfn_valid(pgmap, pfn)) {
        pm_put(pgmap);
        return -ENODEV;
    }
    head = compound_head(pm_page_of(pgmap, pfn));
    if (PageHWPoison(page) || !pm_cas_full(&head->_refcount, &idle, 1)) {
        pm_put(pgmap);
        return PageHWPoison(page) ? -EHWPOISON : -EBUSY;
    }
    /* Nothing of an earlier life is left (bug 33). The reference is the page's now. */
    head->zone_device_data = NULL;
    (void)pm_or_full(&head->_flags, PM_PAGE_LOCKED);
    pm_record(page_to_pfn(head), 1);
    return 0;
}
