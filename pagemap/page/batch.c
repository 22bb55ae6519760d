// SPDX-License-Identifier: BSD-2-Clause
/*
 * Many pages at once. What a page costs is its own count; the references on the dev_pagemap, the types and the driver's
 * functions are dealt with once for all. Kernel: mm/gup.c (6.1).
 */
#include "pagemap/base/wait.h"
#include "pagemap/base/warn.h"
#include "pagemap/page/page.h"
#include "pagemap/page/record.h"
#include "pagemap/statistics/statistics.h"

/* ---- taking ---- */

static void record_all(struct page **pages, uint64_t nr_pages, uint64_t weight)
{
    for (uint64_t i = 0; PM_UNLIKELY(pm_is_recording()) && i < nr_pages; i++) {
        pm_record(page_to_pfn(pages[i]), weight);
    }
}

/*
 * Pages of one each, which must not be allocated. Those that were idle are counted, and take their references on pgmap
 * together: the caller's keeps it meanwhile.
 */
static uint64_t get_plain(struct dev_pagemap *pgmap, uint64_t pfn, uint64_t nr_pages, uint64_t weight,
                          struct page **pages, struct page **refused)
{
    struct page *page = pfn_to_page(pfn);
    uint64_t taken, idle = 0;

    for (taken = 0; taken < nr_pages; taken++, page++) {
        if (PM_UNLIKELY(pm_page_pgmap(page) != pgmap)) {
            pm_page_claim(page, pgmap);
        }
        if (PM_UNLIKELY(pm_is_poisoned(page))) {
            break;
        }
        idle += pm_add_full(&page->_refcount, weight) == 0;
        if (PM_UNLIKELY(pm_is_poisoned(page))) { /* just now: see pm_page_try_up() */
            *refused = page;
            break;
        }
        pages[taken] = page;
    }
    if (idle > 0) {
        pm_ref_get_many(&pgmap->ref, idle);
    }
    record_all(pages, taken, weight);
    return taken;
}

/* One page more of a kind that is compound, or allocated by its driver. */
static bool get_one(struct dev_pagemap *pgmap, uint64_t pfn, bool pin, struct page **refused)
{
    bool left_idle;
    bool is_up = pm_page_try_up(pgmap, pfn, pin ? pm_pin_weight(pgmap) : 1, &left_idle, refused);

    if (left_idle) {
        pm_ref_get_many(&pgmap->ref, 1);
    }
    return is_up;
}

uint64_t pm_pages_get(struct dev_pagemap *pgmap, uint64_t pfn, uint64_t nr_pages, bool pin,
                      struct page **pages, struct page **refused)
{
    uint64_t taken = 0;

    *refused = NULL;
    if (PM_LIKELY(pgmap->vmemmap_shift == 0 && !pm_is_allocated_type(pgmap))) {
        return get_plain(pgmap, pfn, nr_pages, pin ? GUP_PIN_COUNTING_BIAS : 1, pages, refused);
    }
    while (taken < nr_pages && get_one(pgmap, pfn + taken, pin, refused)) {
        pages[taken] = pfn_to_page(pfn + taken);
        taken++;
    }
    return taken;
}

void pm_pages_refuse(struct page *refused, bool pin)
{
    if (PM_UNLIKELY(refused != NULL)) {
        struct dev_pagemap *pgmap = pm_held_pgmap(refused);

        pm_page_refuse(pgmap, refused, pin ? pm_pin_weight(pgmap) : 1, false);
    }
}

/* ---- giving back ---- */

/* One of what was to be put is not; if it was to be unpinned, it is counted as if it was (gup.c). */
static void refuse_put(const char *why, bool pin)
{
    pm_warn("%s", why);
    if (pin) {
        pm_count(&pm_counters()->pins_now, UINT64_MAX); /* -1 */
    }
}

/* What all pages of a run have in common. */
struct run {
    struct dev_pagemap *pgmap;
    uint64_t weight;
    bool is_told, is_pinned; /* is_told: the driver, of each page that goes idle */
};

/* These: whether the page went idle. tell_idle() is next then, and its reference on the dev_pagemap is to be put. */
static inline bool put_one(const struct run *run, struct page *page)
{
    uint64_t left;

    pm_forget(page_to_pfn(page), run->weight);
    if (PM_UNLIKELY(!pm_page_drop(page, run->weight, &left))) {
        refuse_put("put_page() or unpin_user_page() below idle", run->is_pinned);
        return false;
    }
    return left == 0;
}

static bool put_one_compound(const struct run *run, struct page *head)
{
    uint64_t left, now = pm_load_relaxed(&head->_refcount);

    if (PM_UNLIKELY(run->is_pinned && now != 0 && now < PM_PIN)) {
        refuse_put("unpin_user_page() of a page that is not pinned: put_page()", true);
        return false;
    }
    pm_forget(page_to_pfn(head), 1);
    if (PM_UNLIKELY(!pm_compound_drop(head, run->weight, &left))) {
        refuse_put("put_page() or unpin_user_page() below idle", run->is_pinned);
        return false;
    }
    return left == 0;
}

static inline void tell_idle(const struct run *run, struct page *head)
{
    if (run->is_told) {
        pm_page_free(head, run->pgmap->ops);
    }
    pm_wake_var(&head->_refcount);
}

/*
 * These put those at the start that are of the run, and return how many. Each keeps the dev_pagemap until it is put;
 * *idle, how many went idle, does after. The first has no more to look at than it must.
 */
static uint64_t put_plain(const struct run *run, struct page **pages, uint64_t nr_pages, uint64_t *idle)
{
    uint64_t done = 0, went_idle = 0;

    do {
        if (put_one(run, pages[done])) {
            tell_idle(run, pages[done]);
            went_idle++;
        }
        done++;
    } while (done < nr_pages && pm_page_pgmap(pages[done]) == run->pgmap);
    *idle = went_idle;
    return done;
}

static uint64_t put_compound(const struct run *run, struct page **pages, uint64_t nr_pages, uint64_t *idle)
{
    uint64_t done = 0, went_idle = 0;

    do {
        struct page *head = pm_head(run->pgmap, pages[done]);

        if (put_one_compound(run, head)) {
            tell_idle(run, head);
            went_idle++;
        }
        done++;
    } while (done < nr_pages && pm_held_pgmap(pages[done]) == run->pgmap);
    *idle = went_idle;
    return done;
}

static uint64_t put_run(struct dev_pagemap *pgmap, struct page **pages, uint64_t nr_pages, bool pin)
{
    const struct run run = {
        .pgmap = pgmap,
        .weight = pin ? pm_pin_weight(pgmap) : 1,
        .is_told = pm_is_told_idle(pgmap->ops),
        .is_pinned = pin,
    };
    uint64_t idle, done = pgmap->vmemmap_shift > 0 ? put_compound(&run, pages, nr_pages, &idle)
                                                   : put_plain(&run, pages, nr_pages, &idle);

    if (idle > 0) {
        pm_ref_put_many(&pgmap->ref, idle);
    }
    return done;
}

void pm_pages_put(struct page **pages, uint64_t nr_pages, bool pin)
{
    for (uint64_t done = 0; done < nr_pages;) {
        struct dev_pagemap *pgmap = pm_held_pgmap(pages[done]);

        if (PM_UNLIKELY(pgmap == NULL)) {
            refuse_put("put_page() or unpin_user_page() of an idle page", pin);
            done++;
        } else {
            done += put_run(pgmap, pages + done, nr_pages - done, pin);
        }
    }
}
