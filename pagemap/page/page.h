// SPDX-License-Identifier: BSD-2-Clause
/* struct page for the rest of the library. */
#ifndef PAGEMAP_PAGE_PAGE_H
#define PAGEMAP_PAGE_PAGE_H

#include "pagemap/base/atomic.h"
#include "pagemap/base/cancel.h"
#include "pagemap/base/compiler.h"
#include "pagemap/base/wait.h"
#include "pagemap/gup.h"
#include "pagemap/page/mapped.h"

/* Bits of struct page::_flags. */
#define PM_PAGE_LOCKED UINT64_C(1) /* of a compound page in its first page */
#define PM_PAGE_POISON UINT64_C(2) /* of each page by itself */
#define PM_PAGE_UNSURE UINT64_C(4) /* likewise: no memory_failure() that is under way has dealt with it yet */

/* In the upper half of it: how many calls of memory_failure() are under way. */
#define PM_PAGE_FAILURE (UINT64_C(1) << 32)

/* Whether its pages are allocated by their driver, and cannot be grabbed while they are idle. */
static inline bool pm_is_allocated_type(const struct dev_pagemap *pgmap)
{
    return pgmap->type == MEMORY_DEVICE_PRIVATE || pgmap->type == MEMORY_DEVICE_COHERENT;
}

/* Where the compound page of pfn ends, or [.., last_pfn] if that is sooner: the first pfn that is beyond. */
static inline uint64_t pm_next_compound(const struct dev_pagemap *pgmap, uint64_t pfn, uint64_t last_pfn)
{
    uint64_t last = pfn | (pgmap_vmemmap_nr(pgmap) - 1);

    return (last < last_pfn ? last : last_pfn) + 1;
}

/*
 * The mapping as the page itself knows it: of a page that is held. NULL: it was never grabbed. Acquire: a thread that
 * sees the word sees the mark (vmemmap/touched.h), too.
 */
static inline struct dev_pagemap *pm_page_pgmap(const struct page *page)
{
    return __atomic_load_n(&page->pgmap, __ATOMIC_ACQUIRE);
}

/* Slow half of pm_held_pgmap(). */
PM_INTERNAL struct dev_pagemap *pm_compound_pgmap(const struct page *page);

/* The mapping of a page that is held, itself or by another page of its compound page. NULL: it is not. */
static inline struct dev_pagemap *pm_held_pgmap(const struct page *page)
{
    struct dev_pagemap *pgmap = pm_page_pgmap(page);

    return PM_LIKELY(pgmap != NULL) ? pgmap : pm_compound_pgmap(page);
}

/*
 * Full: in a getter after the count went up. The other half is memory_failure(), which marks and then looks at
 * counts.
 */
static inline bool pm_is_poisoned(const struct page *page)
{
    return (pm_load_full(&page->_flags) & PM_PAGE_POISON) != 0;
}

static inline struct page *pm_head(const struct dev_pagemap *pgmap, const struct page *page)
{
    return pfn_to_page(pm_head_pfn(pgmap, page_to_pfn(page)));
}

/*
 * A compound page has its references, at most 2^32 - 1, in the lower half of its count, and how many of them are pins
 * in the upper one: that it went idle with pins which nobody ended is known at that instant, and not of the next pin.
 */
#define PM_PIN (UINT64_C(1) << 32)

/* What a pin of a page adds to its count. */
static inline uint64_t pm_pin_weight(const struct dev_pagemap *pgmap)
{
    return pgmap->vmemmap_shift == 0 ? GUP_PIN_COUNTING_BIAS : PM_PIN + 1;
}

/* The references in a count, or in what is added to one. */
static inline uint64_t pm_references(const struct dev_pagemap *pgmap, uint64_t count)
{
    return pgmap->vmemmap_shift == 0 ? count : count % PM_PIN;
}

/* Slow half of pm_page_of(): notes whose page it is, and that it was touched. */
PM_INTERNAL void pm_page_claim(struct page *page, struct dev_pagemap *pgmap);

/* The page of a valid pfn of `pgmap`, on which the caller has a reference; page_pgmap() of it is set. */
PM_INTERNAL struct page *pm_page_of(struct dev_pagemap *pgmap, uint64_t pfn);

/*
 * n references more on the page of a valid pfn, for a caller that has one on `pgmap`. False: it is poisoned, or idle
 * and of a type that is allocated. *left_idle: the page needs a reference on `pgmap` for itself now: the caller's,
 * or one that the caller takes. Order: the addition is full, and comes before what the caller loads next.
 */
PM_INTERNAL bool pm_page_count_up(struct dev_pagemap *pgmap, uint64_t pfn, uint64_t n, bool *left_idle);

/*
 * The same, but a page that is marked as poisoned just then stays counted: *refused is its first page, or NULL, for
 * pm_page_refuse() where page_free() may be called.
 */
PM_INTERNAL bool pm_page_try_up(struct dev_pagemap *pgmap, uint64_t pfn, uint64_t n, bool *left_idle,
                                struct page **refused);

/* ---- batch.c: many at once, with one reference taken or put on the dev_pagemap for all ---- */

/*
 * pm_page_try_up() for the first of `nr_pages` pages from `pfn` on, up to the first that is refused; they take the
 * references on `pgmap` that they need. Each is in pages[]. Returns how many. `pin`: as pin_user_pages(). *refused:
 * NULL, or a page for pm_pages_refuse().
 */
PM_INTERNAL uint64_t pm_pages_get(struct dev_pagemap *pgmap, uint64_t pfn, uint64_t nr_pages, bool pin,
                                  struct page **pages, struct page **refused);

/* Ends what was counted of *refused, if it is not NULL: page_free() may be called. Without a lock or a section. */
PM_INTERNAL void pm_pages_refuse(struct page *refused, bool pin);

/* The opposite; any pages, of any dev_pagemaps. WARNs for each that is not held so, and leaves it. */
PM_INTERNAL void pm_pages_put(struct page **pages, uint64_t nr_pages, bool pin);

/* Of a page that is not compound: subtracts n; false, and nothing happened, if there are fewer. *left: 0 if idle. */
static inline bool pm_page_drop(struct page *page, uint64_t n, uint64_t *left)
{
    uint64_t before = pm_load_relaxed(&page->_refcount);

    do {
        if (PM_UNLIKELY(before < n)) {
            return false;
        }
        *left = before - n;
    } while (PM_UNLIKELY(!pm_cas_full(&page->_refcount, &before, *left)));
    return true;
}

/*
 * The same of a compound page; n as it was added, of at most 2^32 - 1 references. Pins that were ended by put_page()
 * are forgotten when it goes idle, with a WARN.
 */
PM_INTERNAL bool pm_compound_drop(struct page *head, uint64_t n, uint64_t *left);

/* Whether the driver is to be told of pages that go idle. */
static inline bool pm_is_told_idle(const struct dev_pagemap_ops *ops)
{
    return ops != NULL && (ops->folio_free != NULL || ops->page_free != NULL);
}

/* Tells the driver that the page went idle. pre: pm_is_told_idle(). */
static inline void pm_page_free(struct page *head, const struct dev_pagemap_ops *ops)
{
    int cancel = pm_cancel_off();

    if (ops->folio_free != NULL) {
        ops->folio_free((struct folio *)(void *)head);
    } else {
        ops->page_free(head);
    }
    pm_cancel_restore(cancel);
}

/*
 * What is done when a page went idle but putting its reference on `pgmap`, which keeps it there meanwhile: the driver
 * is told, waiters wake. Any drop to idle does, by however many it dropped (bug 20).
 */
static inline void pm_page_idle(struct page *head, const struct dev_pagemap *pgmap)
{
    if (pm_is_told_idle(pgmap->ops)) {
        pm_page_free(head, pgmap->ops);
    }
    pm_wake_var(&head->_refcount);
}

/*
 * Takes n references back that were counted just before the page was seen to be poisoned. `left_idle`: it has no
 * reference on pgmap yet.
 */
PM_INTERNAL void pm_page_refuse(struct dev_pagemap *pgmap, struct page *head, uint64_t n, bool left_idle);

#endif
