// SPDX-License-Identifier: BSD-2-Clause
/* Taking pages out of a file, and waiting for those in use. Kernel: mm/truncate.c, fs/dax.c (6.1). */
#include <errno.h>

#include "pagemap/base/warn.h"
#include "pagemap/mapping/associate.h"
#include "pagemap/mapping/mapping.h"
#include "pagemap/memremap/busy.h"
#include "pagemap/memremap/mapped.h"
#include "pagemap/memremap/page.h"
#include "pagemap/view/view.h"

/* No new reference comes through a view or the file: each page needs to be seen idle once. */
static void wait_for_pages(const struct dev_pagemap *pgmap, uint64_t pfn, uint64_t last_pfn)
{
    while ((pfn = pm_next_busy(pgmap, pfn, last_pfn)) != UINT64_MAX) {
        wait_on_page_idle(pfn_to_page(pfn));
        pfn = pm_next_compound(pgmap, pfn, last_pfn);
        if (pfn > last_pfn) {
            break;
        }
    }
}

/* Tails that nobody grabbed do not know their mapping: the whole of a compound page is put by its first here. */
static void put_pages(struct dev_pagemap *pgmap, uint64_t pfn, uint64_t last_pfn)
{
    for (uint64_t next; pfn <= last_pfn; pfn = next) {
        next = pm_next_compound(pgmap, pfn, last_pfn);
        put_page_many(pm_page_of(pgmap, pfn), next - pfn);
    }
}

/* Hides all of [first, last], and takes the lowest run out of it; false: it has no page. */
static bool take_run(struct address_space *mapping, uint64_t first, uint64_t last, struct rangemap_entry *run)
{
    bool found;

    pm_mapping_lock(mapping);
    found = rangemap_overlap(mapping->_pages, first, last, run) == 0;
    if (found) {
        pm_clip(run, first, last);
        (void)pm_warn_on(rangemap_carve(mapping->_pages, run->start, run->last, NULL, NULL) != 0,
                         "a page could not be taken out of its file");
    }
    pm_hide_in_views(mapping, first, last);
    pm_mapping_unlock(mapping);
    return found;
}

/* Until here the run's pages were counted and associated; after it their dev_pagemap may go. */
static void forget_run(struct address_space *mapping, struct dev_pagemap *pgmap, uint64_t pfn,
                       uint64_t nr_pages)
{
    pm_mapping_lock(mapping);
    pm_disassociate(pfn, nr_pages);
    (void)pm_sub_full(&mapping->_nrpages, nr_pages);
    pm_mapping_unlock(mapping);
    percpu_ref_put_many(&pgmap->_ref, nr_pages);
}

int truncate_inode_pages_range(struct address_space *mapping, uint64_t start, uint64_t end)
{
    uint64_t first = (start >> PAGE_SHIFT) + ((start & (PAGE_SIZE - 1)) != 0);
    uint64_t last = end >> PAGE_SHIFT;
    struct rangemap_entry run;

    if (end < start) {
        return -EINVAL;
    }
    last -= (end & (PAGE_SIZE - 1)) != PAGE_SIZE - 1;
    if (first > last || last == UINT64_MAX || !pm_mapping_tryget(mapping)) {
        return 0; /* no whole page; or it is being destroyed, and has none */
    }
    while (take_run(mapping, first, last, &run)) {
        uint64_t pfn = pm_translate(run.value, run.start), last_pfn = pm_translate(run.value, run.last);
        struct dev_pagemap *pgmap = pm_find(pfn);

        if (pm_is_allocated_type(pgmap)) {
            put_pages(pgmap, pfn, last_pfn);
        } else {
            wait_for_pages(pgmap, pfn, last_pfn);
        }
        forget_run(mapping, pgmap, pfn, last_pfn - pfn + 1);
    }
    pm_mapping_put(mapping); /* who destroys it once it has no pages waits for us */
    return 0;
}

int truncate_inode_pages(struct address_space *mapping, uint64_t start)
{
    return truncate_inode_pages_range(mapping, start, UINT64_MAX);
}

/* ---- waiting without taking out ---- */

static struct page *busy_page(struct address_space *mapping, uint64_t first, uint64_t last)
{
    struct rangemap_cursor cursor;
    struct rangemap_entry run;
    uint64_t busy = UINT64_MAX;

    pm_mapping_lock(mapping);
    pm_hide_in_views(mapping, first, last);
    (void)rangemap_cursor_init(&cursor, mapping->_pages, first, last);
    while (busy == UINT64_MAX && rangemap_cursor_next(&cursor, &run) == 0) {
        uint64_t pfn;

        pm_clip(&run, first, last);
        pfn = pm_translate(run.value, run.start);
        busy = pm_is_allocated_type(pm_find(pfn))
                   ? UINT64_MAX
                   : pm_next_busy(pm_find(pfn), pfn, pm_translate(run.value, run.last));
    }
    pm_mapping_unlock(mapping);
    return busy == UINT64_MAX ? NULL : pfn_to_page(busy);
}

struct page *dax_layout_busy_page_range(struct address_space *mapping, uint64_t start, uint64_t end)
{
    return end < start ? NULL : busy_page(mapping, start >> PAGE_SHIFT, end >> PAGE_SHIFT);
}

void dax_break_layout(struct address_space *mapping, uint64_t start, uint64_t end)
{
    struct page *page;

    while ((page = dax_layout_busy_page_range(mapping, start, end)) != NULL) {
        wait_on_page_idle(page);
    }
}
