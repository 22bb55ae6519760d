// SPDX-License-Identifier: BSD-2-Clause
/*
 * struct page. Its count is of references above idle, so that zero bytes are an idle page of every type. A page
 * that is not idle holds one reference on its dev_pagemap: the thread that moves the count off zero donates the one
 * with which it found the page, the thread that moves it back puts it. Kernel: mm/memremap.c, include/linux/mm.h (6.1).
 */
#include "pagemap/page/page.h"

#include <errno.h>

#include "pagemap/base/wait.h"
#include "pagemap/base/warn.h"
#include "pagemap/page/mapped.h"
#include "pagemap/page/record.h"
#include "pagemap/statistics/statistics.h"
#include "pagemap/vmemmap/touched.h"

/*
 * Whose page it is, grabbed or not (kernel: memmap_init_zone_device() writes it into every page). The struct page of
 * one that was never grabbed is not even read: in a sparse altmap, to read it would make the device allocate it.
 */
struct dev_pagemap *page_pgmap(const struct page *page)
{
    uint64_t pfn = page_to_pfn(page);
    struct dev_pagemap *pgmap = pm_touched != NULL && pm_is_touched(pfn) ? pm_page_pgmap(page) : NULL;

    if (PM_LIKELY(pgmap != NULL)) {
        return pgmap;
    }
    pgmap = pm_find(pfn);
    return pgmap != NULL && pgmap_pfn_valid(pgmap, pfn) ? pgmap : NULL;
}

/* Written by the first to grab it, always the same value while the page exists. Release: after the mark. */
void pm_page_claim(struct page *page, struct dev_pagemap *pgmap)
{
    pm_touched_mark(page_to_pfn(page));
    __atomic_store_n(&page->pgmap, pgmap, __ATOMIC_RELEASE);
}

static void claim(struct page *page, struct dev_pagemap *pgmap)
{
    if (PM_UNLIKELY(pm_page_pgmap(page) != pgmap)) {
        pm_page_claim(page, pgmap);
    }
}

/*
 * A get of another page of the compound page, or its allocation, wrote the mapping into that one and the first, not
 * into this one. So the first is looked for at each order: up to the true one, no page but those of this compound page
 * is read. Not in the index, which takes a section, for which a thread may need memory: puts do not.
 */
struct dev_pagemap *pm_compound_pgmap(const struct page *page)
{
    uint64_t pfn = page_to_pfn(page);

    for (unsigned order = 1; pm_touched != NULL && order <= MAX_FOLIO_ORDER; order++) {
        uint64_t first = pfn >> order << order;
        struct dev_pagemap *pgmap = pm_is_touched(first) ? pm_page_pgmap(pfn_to_page(first)) : NULL;

        if (pgmap != NULL) {
            return pgmap->vmemmap_shift >= order ? pgmap : NULL;
        }
    }
    return NULL;
}

struct page *compound_head(struct page *page)
{
    const struct dev_pagemap *pgmap = page_pgmap(page);

    return pgmap == NULL ? page : pm_head(pgmap, page);
}

bool PageHWPoison(const struct page *page)
{
    return pm_is_touched(page_to_pfn(page)) && pm_is_poisoned(page);
}

struct page *pm_page_of(struct dev_pagemap *pgmap, uint64_t pfn)
{
    struct page *page = pfn_to_page(pfn);

    claim(page, pgmap);
    claim(pm_head(pgmap, page), pgmap);
    return page;
}

/* ---- counting down ---- */

bool pm_compound_drop(struct page *head, uint64_t n, uint64_t *left)
{
    uint64_t before = pm_load_relaxed(&head->_refcount), pins;

    do {
        if (before % PM_PIN < n % PM_PIN || before / PM_PIN < n / PM_PIN) {
            return false;
        }
        *left = before - n;
        pins = *left % PM_PIN == 0 ? *left / PM_PIN : 0;
        *left -= pins * PM_PIN;
    } while (PM_UNLIKELY(!pm_cas_full(&head->_refcount, &before, *left)));
    if (pm_warn_on(pins != 0, "put_page() of a page that was pinned: unpin_user_page()")) {
        pm_count(&pm_counters()->pins_now, pins);
    }
    return true;
}

static bool drop(const struct dev_pagemap *pgmap, struct page *head, uint64_t n, uint64_t *left)
{
    return PM_LIKELY(pgmap->vmemmap_shift == 0) ? pm_page_drop(head, n, left)
                                                : pm_compound_drop(head, n, left);
}

/* ---- counting up ---- */

/* Once the page has its reference on pgmap, a put as any other: others may have come and gone in between. */
void pm_page_refuse(struct dev_pagemap *pgmap, struct page *head, uint64_t n, bool left_idle)
{
    uint64_t left;

    if (left_idle) {
        pm_ref_get_many(&pgmap->ref, 1);
    }
    if (drop(pgmap, head, n, &left) && left == 0) {
        pm_page_idle(head, pgmap);
        pm_put(pgmap);
    }
}

/* The mark is looked at before, to spare the page; and after, since memory_failure() may come in between. */
bool pm_page_try_up(struct dev_pagemap *pgmap, uint64_t pfn, uint64_t n, bool *left_idle,
                    struct page **refused)
{
    struct page *page = pm_page_of(pgmap, pfn), *head = pm_head(pgmap, page);

    *left_idle = false;
    *refused = NULL;
    if (PM_UNLIKELY(pm_is_poisoned(page))) {
        return false;
    }
    if (pm_is_allocated_type(pgmap)) {
        if (!pm_add_unless_zero(&head->_refcount, n)) {
            return false;
        }
    } else {
        *left_idle = pm_add_full(&head->_refcount, n) == 0;
    }
    if (PM_UNLIKELY(pm_is_poisoned(page))) {
        *refused = head;
        return false;
    }
    pm_record(page_to_pfn(head), pm_references(pgmap, n));
    return true;
}

bool pm_page_count_up(struct dev_pagemap *pgmap, uint64_t pfn, uint64_t n, bool *left_idle)
{
    struct page *refused;
    bool is_up = pm_page_try_up(pgmap, pfn, n, left_idle, &refused);

    if (PM_UNLIKELY(refused != NULL)) {
        pm_page_refuse(pgmap, refused, n, *left_idle);
        *left_idle = false;
    }
    return is_up;
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

/*
 * A GENERIC page counts as one that its driver holds all the time: a caller can get it that holds nothing but its
 * pagemap.
 */
static bool get_idle(struct page *page, const struct dev_pagemap *pgmap)
{
    struct dev_pagemap *held = pgmap->type == MEMORY_DEVICE_GENERIC ? pm_hold(page_to_pfn(page)) : NULL;
    bool left_idle, got;

    if (held == NULL) {
        return false;
    }
    got = pm_page_count_up(held, page_to_pfn(page), 1, &left_idle);
    if (!left_idle) {
        pm_put(held); /* else it is the page's now */
    }
    return got;
}

static bool get_held(const struct page *page, const struct dev_pagemap *pgmap)
{
    uint64_t head = pm_head_pfn(pgmap, page_to_pfn(page));
    bool got = pm_is_touched(head) && pm_add_unless_zero(&pfn_to_page(head)->_refcount, 1);

    if (got) {
        pm_record(head, 1);
    }
    return got;
}

/* Its mapping from the index: the caller may hold nothing but that, which has neighbours that may go. */
static bool get_slowly(struct page *page)
{
    const struct dev_pagemap *pgmap = page_pgmap(page);

    return pgmap != NULL && (get_held(page, pgmap) || get_idle(page, pgmap));
}

void get_page(struct page *page)
{
    const struct dev_pagemap *pgmap = pm_page_pgmap(page);

    if (PM_LIKELY(pgmap != NULL) && pm_add_unless_zero(&pm_head(pgmap, page)->_refcount, 1)) {
        pm_record(pm_head_pfn(pgmap, page_to_pfn(page)), 1);
    } else {
        (void)pm_warn_on(!get_slowly(page), "get_page() of an idle page");
    }
}

/* ---- putting ---- */

void put_page_many(struct page *page, uint64_t n)
{
    struct dev_pagemap *pgmap = pm_held_pgmap(page);
    struct page *head;
    uint64_t left;

    if (n == 0 || pm_warn_on(pgmap == NULL, "put_page() of an idle page")) {
        return;
    }
    head = pm_head(pgmap, page);
    pm_forget(page_to_pfn(head), n);
    if (!pm_warn_on(pm_references(pgmap, n) != n || !drop(pgmap, head, n, &left), "put_page() below idle") &&
        left == 0) {
        pm_page_idle(head, pgmap);
        pm_put(pgmap);
    }
}

void put_page(struct page *page)
{
    put_page_many(page, 1);
}

uint64_t page_count(const struct page *page)
{
    const struct dev_pagemap *pgmap = page_pgmap(page);
    uint64_t head;

    if (pgmap == NULL) {
        return 0;
    }
    head = pm_head_pfn(pgmap, page_to_pfn(page));
    return (pm_is_touched(head) ? pm_references(pgmap, pm_load_full(&pfn_to_page(head)->_refcount)) : 0) +
           (pgmap->type == MEMORY_DEVICE_GENERIC);
}

void pagemap_fill_pages(struct dev_pagemap *pgmap, uint64_t first_pfn, uint64_t last_pfn)
{
    for (uint64_t pfn = first_pfn; pfn <= last_pfn; pfn++) {
        claim(pfn_to_page(pfn), pgmap);
    }
}

/* ---- allocation ---- */

/* zone_device_data stays: drivers set it before (amdgpu, kvm-ppc), and it is theirs. */
int zone_device_page_init(struct page *page)
{
    uint64_t pfn = page_to_pfn(page), idle = 0;
    struct dev_pagemap *pgmap = pm_get(pfn);
    struct page *head;

    if (pgmap == NULL || !pgmap_pfn_valid(pgmap, pfn)) {
        pm_put(pgmap);
        return -ENODEV;
    }
    head = pm_head(pgmap, pm_page_of(pgmap, pfn));
    if (pm_is_poisoned(page) || !pm_cas_full(&head->_refcount, &idle, 1)) {
        int error = pm_is_poisoned(page) ? -EHWPOISON : -EBUSY;

        pm_put(pgmap); /* teardown may take the struct page away from here on */
        return error;
    }
    if (PM_UNLIKELY(pm_is_poisoned(page))) { /* just now: see pm_page_count_up() */
        pm_page_refuse(pgmap, head, 1, true);
        pm_put(pgmap);
        return -EHWPOISON;
    }
    /* The reference is the page's now. */
    (void)pm_or_full(&head->_flags, PM_PAGE_LOCKED);
    pm_record(page_to_pfn(head), 1);
    return 0;
}

int zone_device_page_init_of(struct page *page, struct dev_pagemap *pgmap, unsigned order)
{
    uint64_t pfn = page_to_pfn(page);

    if (pgmap == NULL || pm_range_of(pgmap, pfn) < 0 || order != pgmap->vmemmap_shift ||
        pm_head_pfn(pgmap, pfn) != pfn) {
        return -EINVAL;
    }
    return zone_device_page_init(page);
}
