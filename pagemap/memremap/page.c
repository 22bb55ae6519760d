// SPDX-License-Identifier: BSD-2-Clause
/*
 * struct page. Its count is of references above idle, so that zero bytes are an idle page of every type. A page
 * that is not idle holds one reference on its dev_pagemap: who moves the count off zero donates the one with
 * which it found the page, who moves it back puts it. Kernel: mm/memremap.c, include/linux/mm.h (6.1).
 */
#include <errno.h>

#include "pagemap/base/wait.h"
#include "pagemap/base/warn.h"
#include "pagemap/memremap/mapped.h"

static const uint64_t LOCKED = 1;

struct dev_pagemap *page_pgmap(const struct page *page)
{
    return __atomic_load_n(&page->_pgmap, __ATOMIC_RELAXED);
}

/*
 * Written by whoever grabs, always the same value while the page exists. Relaxed: who holds the page was
 * handed it by a grabber, in an order of their own, or grabbed it and wrote the word.
 */
static void set_pgmap(struct page *page, struct dev_pagemap *pgmap)
{
    if (page_pgmap(page) != pgmap) {
        __atomic_store_n(&page->_pgmap, pgmap, __ATOMIC_RELAXED);
    }
}

struct page *compound_head(struct page *page)
{
    return pfn_to_page(pm_head_pfn(page_pgmap(page), page_to_pfn(page)));
}

static bool is_allocated_type(const struct dev_pagemap *pgmap)
{
    return pgmap->type == MEMORY_DEVICE_PRIVATE || pgmap->type == MEMORY_DEVICE_COHERENT;
}

/* Whether the count went off zero, in which case the page has taken the caller's reference on pgmap. */
static bool took_reference(uint64_t before)
{
    return before == 0;
}

struct page *pagemap_get_page(uint64_t pfn)
{
    struct dev_pagemap *pgmap = pm_get(pfn);
    struct page *page, *head;
    bool grabbed = false, donated = false;

    if (pgmap == NULL) {
        return NULL;
    }
    page = pfn_to_page(pfn);
    if (pgmap_pfn_valid(pgmap, pfn)) {
        head = pfn_to_page(pm_head_pfn(pgmap, pfn));
        set_pgmap(page, pgmap);
        set_pgmap(head, pgmap);
        if (is_allocated_type(pgmap)) {
            grabbed = pm_add_unless_zero(&head->_refcount, 1);
        } else {
            grabbed = true;
            donated = took_reference(pm_add_full(&head->_refcount, 1));
        }
    }
    if (!donated) {
        put_dev_pagemap(pgmap);
    }
    return grabbed ? page : NULL;
}

void get_page(struct page *page)
{
    bool held = page_pgmap(page) != NULL && pm_add_unless_zero(&compound_head(page)->_refcount, 1);

    (void)pm_warn_on(!held, "get_page() of an idle page");
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
    put_dev_pagemap(pgmap);
}

void put_page_many(struct page *page, uint64_t n)
{
    struct dev_pagemap *pgmap = page_pgmap(page);
    struct page *head;
    uint64_t before;

    if (pm_warn_on(pgmap == NULL, "put_page() of an idle page") || n == 0) {
        return;
    }
    head = compound_head(page);
    if (!pm_warn_on(!drop(head, n, &before), "put_page() below idle") && before == n) {
        became_idle(head, pgmap);
    }
}

void put_page(struct page *page)
{
    put_page_many(page, 1);
}

uint64_t page_count(const struct page *page)
{
    const struct dev_pagemap *pgmap = page_pgmap(page);
    uint64_t pfn = page_to_pfn(page), references = 0, idle;

    if (pgmap == NULL) {
        /* Never grabbed: who asks holds the pagemap, or the page would not be there. */
        struct dev_pagemap *found = pm_get(pfn);

        idle = found != NULL && found->type == MEMORY_DEVICE_GENERIC;
        put_dev_pagemap(found);
    } else {
        idle = pgmap->type == MEMORY_DEVICE_GENERIC;
        references = pm_load_acquire(&pfn_to_page(pm_head_pfn(pgmap, pfn))->_refcount);
    }
    return references + idle;
}

int zone_device_page_init(struct page *page)
{
    uint64_t pfn = page_to_pfn(page), idle = 0;
    struct dev_pagemap *pgmap = pm_get(pfn);
    struct page *head;

    if (pgmap == NULL) {
        return -ENODEV;
    }
    head = pfn_to_page(pm_head_pfn(pgmap, pfn));
    set_pgmap(page, pgmap);
    set_pgmap(head, pgmap);
    if (!pgmap_pfn_valid(pgmap, pfn) || !pm_cas_full(&head->_refcount, &idle, 1)) {
        put_dev_pagemap(pgmap);
        return -EBUSY;
    }
    /* Nothing of an earlier life is left (bug 33). The reference is the page's now. */
    head->zone_device_data = NULL;
    (void)pm_or_full(&head->_flags, LOCKED);
    return 0;
}

/* ---- the lock of a page ---- */

bool trylock_page(struct page *page)
{
    return (pm_or_full(&compound_head(page)->_flags, LOCKED) & LOCKED) == 0;
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
    uint64_t before = pm_and_full(&head->_flags, ~LOCKED);

    (void)pm_warn_on((before & LOCKED) == 0, "unlock_page() of a page that is not locked");
    pm_wake_var(&head->_flags);
}

static bool is_idle(void *count)
{
    return pm_load_full(count) == 0;
}

void wait_on_page_idle(struct page *page)
{
    struct page *head = page_pgmap(page) == NULL ? page : compound_head(page);

    pm_wait_var(&head->_refcount, is_idle, &head->_refcount);
}

/* ---- what a page is ---- */

void *page_address(const struct page *page)
{
    struct dev_pagemap *pgmap = page_pgmap(page);
    uint64_t pfn = page_to_pfn(page);
    int range = pgmap == NULL ? -1 : pm_range_of(pgmap, pfn);

    if (range < 0 || pgmap->type == MEMORY_DEVICE_PRIVATE) {
        return NULL;
    }
    return (char *)pgmap->_mapped->range[range].linear +
           (pfn - pm_first_pfn(&pgmap->ranges[range])) * PAGE_SIZE;
}

static bool has_type(const struct page *page, enum memory_type type)
{
    const struct dev_pagemap *pgmap = page_pgmap(page);

    return pgmap != NULL && pgmap->type == type;
}

bool is_device_private_page(const struct page *page)
{
    return has_type(page, MEMORY_DEVICE_PRIVATE);
}

bool is_device_coherent_page(const struct page *page)
{
    return has_type(page, MEMORY_DEVICE_COHERENT);
}

bool is_pci_p2pdma_page(const struct page *page)
{
    return has_type(page, MEMORY_DEVICE_PCI_P2PDMA);
}
