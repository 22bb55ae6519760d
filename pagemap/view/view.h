// SPDX-License-Identifier: BSD-2-Clause
/* A stretch of a file in this process (kernel: struct vm_area_struct). */
#ifndef PAGEMAP_VIEW_VIEW_H
#define PAGEMAP_VIEW_VIEW_H

#include "pagemap/fs.h"
#include "pagemap/mapping/mapping.h"

/* Freed after a grace period. What may change is under the file's lock. */
struct pm_view {
    struct pm_view *next; /* of the same file */
    struct address_space *mapping;
    void *start;
    size_t bytes;
    int prot;
    bool by_overlay; /* else by userfaultfd */
    uint64_t first_index, last_index;
    uint64_t is_gone; /* set before the generation moves for the last time on its behalf */
    struct rangemap_deferred deferred;
};

/* The view that has virtual page `vpn`, or NULL. pre: in a read section. */
PM_INTERNAL struct pm_view *pm_view_at(uint64_t vpn);

static inline uint64_t pm_view_index(const struct pm_view *view, uint64_t vpn)
{
    return view->first_index + (vpn - pm_vpn(view->start));
}

static inline uint64_t pm_view_vpn(const struct pm_view *view, uint64_t index)
{
    return pm_vpn(view->start) + (index - view->first_index);
}

static inline void *pm_view_address(const struct pm_view *view, uint64_t index)
{
    return (char *)view->start + (index - view->first_index) * PAGE_SIZE;
}

/* Cuts [*first, *last] down to the view's indexes; false: they have none in common. */
static inline bool pm_view_overlap(const struct pm_view *view, uint64_t *first, uint64_t *last)
{
    *first = *first < view->first_index ? view->first_index : *first;
    *last = *last > view->last_index ? view->last_index : *last;
    return *first <= *last;
}

/* ---- present.c; pre of all: the file is locked by pm_mapping_lock() or its like ---- */

/*
 * Maps the bytes of `nr_pages` pages from `pfn` on over the part of the view at `index`. They can be touched, but not
 * be pinned yet. PRIVATE and poisoned pages are left out. -ENOMEM: some may be there; pm_hide() takes them away.
 */
PM_INTERNAL int pm_show(struct pm_view *view, uint64_t index, uint64_t pfn, uint64_t nr_pages);

/* Lets them be pinned. Takes one update of `present` for each call, plus one for each page that is left out. */
PM_INTERNAL int pm_allow_pins(struct pm_view *view, uint64_t index, uint64_t pfn, uint64_t nr_pages);

/* The opposite of both, for [first, last], or more. One update of `present`. */
PM_INTERNAL void pm_hide(struct pm_view *view, uint64_t first, uint64_t last);

/* pm_hide() for all views of the file, and pm_mapping_bump(). */
PM_INTERNAL void pm_hide_in_views(struct address_space *mapping, uint64_t first, uint64_t last);

/* What the file has in [first, last] shown in the view, and pins allowed. -ENOMEM: some may be. */
PM_INTERNAL int pm_show_file(struct pm_view *view, uint64_t first, uint64_t last);

#endif
