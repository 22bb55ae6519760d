// SPDX-License-Identifier: BSD-2-Clause
/* Taking pages out of a file, and waiting for those in use. Kernel: mm/truncate.c, fs/dax.c (6.1). */
#include <errno.h>
#include <sched.h>

#include "pagemap/base/fault.h"
#include "pagemap/core/domain.h"
#include "pagemap/mapping/associate.h"
#include "pagemap/mapping/told.h"
#include "pagemap/memremap/page_lock.h"
#include "pagemap/page/busy.h"
#include "pagemap/page/mapped.h"
#include "pagemap/page/page.h"
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

/* Tails that were never grabbed do not know their mapping: the whole of a compound page is put by its first here. */
static void put_pages(struct dev_pagemap *pgmap, uint64_t pfn, uint64_t last_pfn)
{
    for (uint64_t next; pfn <= last_pfn; pfn = next) {
        next = pm_next_compound(pgmap, pfn, last_pfn);
        put_page_many(pm_page_of(pgmap, pfn), next - pfn);
    }
}

/*
 * With the file locked: the lowest run that is to be taken out, hidden, when the clients that have pages of it were
 * told. It is looked for again whenever the file was not locked. 1; 0: there is none; or -ENOMEM: it cannot be known.
 */
static int find_run(struct pm_revocation *revocation, struct pm_told *told, struct rangemap_entry *run)
{
    struct address_space *mapping = revocation->mapping;
    uint64_t pfn, last_pfn;
    int error;

    do {
        pm_revoke(revocation);
        error = rangemap_overlap(mapping->_pages, revocation->first, revocation->last, run);
        if (error != 0) {
            return error == -ENOENT ? 0 : error;
        }
        pm_clip(run, revocation->first, revocation->last);
        pfn = pm_translate(run->value, run->start);
        last_pfn = pm_translate(run->value, run->last);
    } while (!pm_tell(mapping, told, PFN_PHYS(pfn), PFN_PHYS(last_pfn + 1)));
    return 1;
}

/*
 * Takes it out of the file. 1; 0: there is none; -ENOMEM, and it is hidden but still there. Memory is set aside for
 * this update, and for the one of forget_run().
 */
static int try_take_run(struct pm_revocation *revocation, struct rangemap_entry *run)
{
    struct address_space *mapping = revocation->mapping;
    struct pm_told told = pm_told_none(&pm_told_physical);
    int found, error = 0;

    pm_mapping_lock(mapping);
    found = find_run(revocation, &told, run);
    if (found > 0) {
        error = pm_mapping_reserve(mapping, 2);
        error = error != 0 ? error : rangemap_carve(mapping->_pages, run->start, run->last, NULL, NULL);
        pm_mapping_bump(mapping); /* find_get_page() */
    }
    pm_told_end(mapping, &told);
    pm_mapping_unlock(mapping);
    return error != 0 ? error : found;
}

/* What waits to be freed may bring memory. */
static int take_run(struct pm_revocation *revocation, struct rangemap_entry *run)
{
    int taken = try_take_run(revocation, run);

    return taken == -ENOMEM && pm_barrier() == 0 ? try_take_run(revocation, run) : taken;
}

/*
 * Until here the run's pages were counted and associated; after it their dev_pagemap may go. Memory was set aside,
 * but the driver's page_free() may have used it up: no client can be told, the pages cannot be touched, and it will
 * come.
 */
static void forget_run(struct address_space *mapping, struct dev_pagemap *pgmap, uint64_t pfn,
                       uint64_t nr_pages)
{
    pm_mapping_lock(mapping);
    while (pm_fault_here() || pm_disassociate(pfn, nr_pages) != 0) {
        pm_mapping_unlock(mapping);
        (void)pm_barrier();
        (void)sched_yield();
        pm_mapping_lock(mapping);
    }
    (void)pm_sub_full(&mapping->_nrpages, nr_pages);
    pm_forget_granule(mapping);
    pm_mapping_unlock(mapping);
    percpu_ref_put_many(&pgmap->ref, nr_pages);
}

static int take_out(struct address_space *mapping, uint64_t start, uint64_t end, bool wait)
{
    uint64_t first = (start >> PAGE_SHIFT) + ((start & (PAGE_SIZE - 1)) != 0);
    uint64_t last = end >> PAGE_SHIFT;
    struct pm_revocation revocation;
    struct rangemap_entry run;
    int taken;

    if (end < start) {
        return -EINVAL;
    }
    last -= (end & (PAGE_SIZE - 1)) != PAGE_SIZE - 1;
    if (first > last || last == UINT64_MAX || !pm_mapping_tryget(mapping)) {
        return 0; /* no whole page; or it is being destroyed, and has none */
    }
    revocation = pm_revocation_of(mapping, first, last);
    while ((taken = take_run(&revocation, &run)) > 0) {
        uint64_t pfn = pm_translate(run.value, run.start), last_pfn = pm_translate(run.value, run.last);
        struct dev_pagemap *pgmap = pm_find(pfn);

        bool is_allocated = pm_is_allocated_type(pgmap);

        if (!is_allocated && wait) {
            wait_for_pages(pgmap, pfn, last_pfn);
        }
        forget_run(mapping, pgmap, pfn, last_pfn - pfn + 1);
        if (is_allocated) { /* after it: a page that is put may be allocated and in another file at once */
            put_pages(pgmap, pfn, last_pfn);
        }
    }
    pm_mapping_put(mapping); /* its destroyer, once it has no pages, waits for this */
    return taken;
}

int truncate_inode_pages_range(struct address_space *mapping, uint64_t start, uint64_t end)
{
    return take_out(mapping, start, end, true);
}

int filemap_remove_pages(struct address_space *mapping, uint64_t start, uint64_t end)
{
    return take_out(mapping, start, end, false);
}

int truncate_inode_pages(struct address_space *mapping, uint64_t start)
{
    return truncate_inode_pages_range(mapping, start, UINT64_MAX);
}

/* ---- waiting without taking out ---- */

/*
 * Revokes them, and looks for a page of [first, last] that is held; UINT64_MAX: none. *pgmap: NULL, or its
 * dev_pagemap with a reference, without which teardown would take the struct page away as soon as it is idle.
 */
static uint64_t next_busy(struct address_space *mapping, uint64_t first, uint64_t last,
                          struct dev_pagemap **pgmap)
{
    struct pm_revocation revocation = pm_revocation_of(mapping, first, last);
    struct rangemap_cursor cursor;
    struct rangemap_entry run;
    uint64_t busy = UINT64_MAX;

    pm_mapping_lock(mapping);
    pm_revoke(&revocation);
    (void)rangemap_cursor_init(&cursor, mapping->_pages, first, last);
    while (busy == UINT64_MAX && rangemap_cursor_next(&cursor, &run) == 0) {
        uint64_t pfn;

        pm_clip(&run, first, last);
        pfn = pm_translate(run.value, run.start);
        *pgmap = pm_find(pfn); /* kept by the file's references, as long as it is locked */
        busy = pm_is_allocated_type(*pgmap) ? UINT64_MAX
                                            : pm_next_busy(*pgmap, pfn, pm_translate(run.value, run.last));
    }
    if (busy == UINT64_MAX) {
        *pgmap = NULL;
    } else {
        pm_ref_get_many(&(*pgmap)->ref, 1);
    }
    pm_mapping_unlock(mapping);
    return busy;
}

struct page *dax_layout_busy_page_range(struct address_space *mapping, uint64_t start, uint64_t end)
{
    struct dev_pagemap *pgmap;
    uint64_t busy;

    if (end < start || !pm_mapping_tryget(mapping)) {
        return NULL;
    }
    pm_attach_surely();
    busy = next_busy(mapping, start >> PAGE_SHIFT, end >> PAGE_SHIFT, &pgmap);
    pm_put(pgmap);
    pm_mapping_put(mapping);
    return busy == UINT64_MAX ? NULL : pfn_to_page(busy);
}

/* Others may truncate and unmap meanwhile: what is waited for is kept, and so is the file. */
void dax_break_layout(struct address_space *mapping, uint64_t start, uint64_t end)
{
    struct dev_pagemap *pgmap;
    uint64_t busy;

    if (end < start || !pm_mapping_tryget(mapping)) {
        return; /* or it is being destroyed, and has no pages */
    }
    pm_attach_surely();
    while ((busy = next_busy(mapping, start >> PAGE_SHIFT, end >> PAGE_SHIFT, &pgmap)) != UINT64_MAX) {
        pm_wait_idle_held(pm_head(pgmap, pfn_to_page(busy)), pgmap);
        pm_put(pgmap);
    }
    pm_mapping_put(mapping);
}
