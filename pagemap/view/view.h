// SPDX-License-Identifier: BSD-2-Clause
/* A stretch of a file in this process (kernel: struct vm_area_struct). */
#ifndef PAGEMAP_VIEW_VIEW_H
#define PAGEMAP_VIEW_VIEW_H

#include "pagemap/base/atomic.h"
#include "pagemap/base/interval.h"
#include "pagemap/fs.h"
#include "pagemap/mapping/mapping.h"

/* Freed after a grace period. What may change is under the file's lock. */
struct pm_view {
    struct pm_interval interval; /* of the indexes; in the file's tree */
    struct address_space *mapping;
    void *start;
    size_t bytes;
    int prot;
    bool by_overlay;  /* else by userfaultfd */
    uint64_t is_gone; /* set before the generation moves for the last time on its behalf */
    /*
     * Pages that were hidden without memory to take them out of `present`: they count as absent. All between the
     * first and the last of such is hidden. Written while the file is changing (pm_mapping_change_begin()); cleared
     * when `present` says the same.
     */
    uint64_t denied_vpn, denied_pages;
    struct rangemap_deferred deferred;
};

static inline struct pm_view *pm_view_of(struct pm_interval *interval)
{
    return interval == NULL ? NULL : PM_CONTAINER_OF(interval, struct pm_view, interval);
}

/*
 * The first view of the file that shows one of [first, last], and the next one; NULL: there is none. pre: it is
 * locked.
 */
static inline struct pm_view *pm_views_first(const struct address_space *mapping, uint64_t first,
                                             uint64_t last)
{
    return pm_view_of(pm_interval_first(mapping->_views, first, last));
}

static inline struct pm_view *pm_views_next(struct pm_view *view, uint64_t first, uint64_t last)
{
    return pm_view_of(pm_interval_next(&view->interval, first, last));
}

/* The view that has virtual page `vpn`, or NULL. pre: in a read section. */
PM_INTERNAL struct pm_view *pm_view_at(uint64_t vpn);

static inline uint64_t pm_view_index(const struct pm_view *view, uint64_t vpn)
{
    return view->interval.first + (vpn - pm_vpn(view->start));
}

static inline uint64_t pm_view_vpn(const struct pm_view *view, uint64_t index)
{
    return pm_vpn(view->start) + (index - view->interval.first);
}

static inline void *pm_view_address(const struct pm_view *view, uint64_t index)
{
    return (char *)view->start + (index - view->interval.first) * PAGE_SIZE;
}

/* Cuts [*first, *last] down to the view's indexes; false: they have none in common. */
static inline bool pm_view_overlap(const struct pm_view *view, uint64_t *first, uint64_t *last)
{
    *first = *first < view->interval.first ? view->interval.first : *first;
    *last = *last > view->interval.last ? view->interval.last : *last;
    return *first <= *last;
}

/*
 * Whether the page at vpn is denied; else *nr_pages, of pages from there on, is cut down to those that are not.
 * Lock-free: what changes meanwhile moves the generation.
 */
static inline bool pm_view_denies(const struct pm_view *view, uint64_t vpn, uint64_t *nr_pages)
{
    uint64_t pages = pm_load_acquire(&view->denied_pages), first = pm_load_acquire(&view->denied_vpn);

    if (PM_LIKELY(pages == 0)) {
        return false;
    }
    if (vpn<first && * nr_pages> first - vpn) {
        *nr_pages = first - vpn;
    }
    return vpn - first < pages;
}

/* ---- present.c; pre of all: the file is locked by pm_mapping_lock() or its like ---- */

/*
 * Maps the bytes of `nr_pages` pages from `pfn` on over the part of the view at `index`. They can be touched, but not
 * be pinned yet. PRIVATE and poisoned pages are left out. -ENOMEM: some may be there; pm_hide() takes them away.
 */
PM_INTERNAL int pm_show(struct pm_view *view, uint64_t index, uint64_t pfn, uint64_t nr_pages);

/* Lets them be pinned. -ENOMEM: as before. */
PM_INTERNAL int pm_allow_pins(struct pm_view *view, uint64_t index, uint64_t pfn, uint64_t nr_pages);

/*
 * The opposite of both, for [*first, *last]. Needs no memory. False: nothing short of more can be hidden, to which
 * they are widened; it is to be called again, once that is told of.
 */
PM_INTERNAL bool pm_hide(struct pm_view *view, uint64_t *first, uint64_t *last);

/* Of [first, last], or more, nothing can be pinned any more; it can be touched. Needs no memory. */
PM_INTERNAL void pm_forbid_pins(struct pm_view *view, uint64_t first, uint64_t last);

/* Takes what is denied out of `present`. -ENOMEM: it stays denied. Before any page of it is shown. */
PM_INTERNAL int pm_settle(struct pm_view *view);

/*
 * What the file has in [*first, *last] shown in the view, and pins allowed. -ENOMEM: some may be. Of [*first, *last],
 * which it then narrows, the mapping may be gone where pins are allowed since before: to be revoked.
 */
PM_INTERNAL int pm_show_file(struct pm_view *view, uint64_t *first, uint64_t *last);

/* ---- revoke.c ---- */

/* Taking [first, last] of a file out of its views. */
struct pm_revocation {
    struct address_space *mapping;
    uint64_t first, last;
    uint64_t shows; /* the file's, when all was hidden, + 1; 0: it is not */
};

static inline struct pm_revocation pm_revocation_of(struct address_space *mapping, uint64_t first,
                                                    uint64_t last)
{
    struct pm_revocation revocation = {.mapping = mapping, .first = first, .last = last};

    return revocation;
}

/*
 * Hides it, each part when the clients concerned have been told (notifier/notifier.h), and moves the generation. With
 * the file locked; it is let go for callbacks, and locked again. When this returns nothing of it has been shown since
 * it was hidden.
 */
PM_INTERNAL void pm_revoke(struct pm_revocation *revocation);

#endif
