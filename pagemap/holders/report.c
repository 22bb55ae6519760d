// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <string.h>

#include "pagemap/holders.h"
#include "pagemap/holders/report.h"
#include "pagemap/mapping/tables.h"
#include "pagemap/page/busy.h"
#include "pagemap/page/mapped.h"
#include "pagemap/page/page.h"
#include "pagemap/page/record.h"
#include "pagemap/page/watch.h"
#include "pagemap/pagemap.h"

/* So many names of one page are told apart; the rest counts as not recorded. */
enum { NAMES = 8 };

struct scan {
    struct dev_pagemap *pgmap;
    uint64_t first, last; /* pfns that are asked for */
    pagemap_holder_fn *report;
    void *context;
    long told;
    uint64_t accounted;            /* references on pgmap that have a holder: pages in files and in use */
    struct pagemap_holder pending; /* may grow; references 0: none */
    char pending_name[PM_HOLDER_NAME];
};

/* ---- telling, neighbours together ---- */

static void flush(struct scan *scan)
{
    if (scan->pending.references > 0) {
        scan->report(&scan->pending, scan->context);
        scan->told++;
        scan->pending.references = 0;
    }
}

static bool continues(const struct pagemap_holder *before, const struct pagemap_holder *holder)
{
    return before->kind == holder->kind && before->references == holder->references &&
           before->pfn + before->nr_pages == holder->pfn &&
           (before->name == NULL) == (holder->name == NULL) &&
           (holder->name == NULL || strcmp(before->name, holder->name) == 0);
}

static void tell(struct scan *scan, const struct pagemap_holder *holder)
{
    if (holder->pfn > scan->last || holder->pfn + holder->nr_pages - 1 < scan->first) {
        return;
    }
    if (holder->kind == PAGEMAP_HELD_PAGE && continues(&scan->pending, holder)) {
        scan->pending.nr_pages += holder->nr_pages;
        return;
    }
    flush(scan);
    scan->pending = *holder;
    if (holder->kind != PAGEMAP_HELD_BY_FILE && holder->name != NULL) {
        memcpy(scan->pending_name, holder->name, PM_HOLDER_NAME);
        scan->pending.name = scan->pending_name;
    }
}

/* `references` of what `holder` says, by the names that are recorded for `key`. */
static void tell_by_name(struct scan *scan, struct pagemap_holder holder, uint64_t key, uint64_t references)
{
    struct pm_record records[NAMES];
    unsigned names = pm_recorded(key, records, NAMES);

    for (unsigned i = 0; i < names; i++) {
        holder.references = records[i].references < references ? records[i].references : references;
        holder.name = records[i].name;
        references -= holder.references;
        tell(scan, &holder);
    }
    holder.references = references;
    holder.name = NULL;
    if (references > 0) {
        tell(scan, &holder);
    }
}

/* ---- the three kinds ---- */

static void tell_files(struct scan *scan, uint64_t first, uint64_t last)
{
    struct rangemap_cursor cursor;
    struct rangemap_entry run;

    if (pm_tables() == NULL) {
        return;
    }
    (void)rangemap_cursor_init(&cursor, pm_tables()->associations, first, last);
    while (rangemap_cursor_next(&cursor, &run) == 0) {
        const struct pm_association *association = run.value;
        uint64_t nr_pages = run.last - run.start + 1;
        struct pagemap_holder holder = {PAGEMAP_HELD_BY_FILE, run.start, nr_pages, 1,
                                        association->mapping->name};

        scan->accounted += nr_pages;
        tell(scan, &holder);
    }
}

static void tell_pages(struct scan *scan, uint64_t first, uint64_t last)
{
    uint64_t step = pgmap_vmemmap_nr(scan->pgmap);

    for (uint64_t pfn = first; pfn <= last; pfn += step) {
        struct pagemap_holder holder = {.kind = PAGEMAP_HELD_PAGE, .nr_pages = step};

        pfn = pm_next_busy(scan->pgmap, pfn, last);
        if (pfn == UINT64_MAX) {
            break;
        }
        holder.pfn = pfn;
        scan->accounted++;
        tell_by_name(scan, holder, pfn,
                     pm_references(scan->pgmap, pm_load_full(&pfn_to_page(pfn)->_refcount)));
    }
}

/* What is left. Numbers move while they are added up, so it may come out below zero: none. */
static void tell_pagemap(struct scan *scan)
{
    const struct range *range = &scan->pgmap->ranges[0];
    struct pagemap_holder holder = {
        .kind = PAGEMAP_HELD_PAGEMAP, .pfn = pm_first_pfn(range), .nr_pages = range_len(range) / PAGE_SIZE};
    uint64_t left = pm_nr_held(scan->pgmap) - scan->accounted;

    scan->first = scan->last = holder.pfn; /* it holds all ranges: whichever was asked for */
    if ((int64_t)left > 0) {
        tell_by_name(scan, holder, pm_pagemap_key(scan->pgmap), left);
    }
    flush(scan);
}

/* pre: in a read section, and with a reference, which is not told of. */
static void tell_all(struct scan *scan)
{
    for (unsigned id = 0; id < scan->pgmap->nr_range; id++) {
        uint64_t first = pm_first_pfn(&scan->pgmap->ranges[id]), last = pm_last_pfn(&scan->pgmap->ranges[id]);

        tell_files(scan, first, last);
        tell_pages(scan, first, last);
    }
    tell_pagemap(scan);
}

/* ---- the call ---- */

/* Whether `pgmap` has a range that lies in [first, last] and below the one that was found at `pfn`. */
static bool was_told(const struct dev_pagemap *pgmap, uint64_t first, uint64_t pfn)
{
    for (unsigned id = 0; id < pgmap->nr_range; id++) {
        if (pm_last_pfn(&pgmap->ranges[id]) >= first && pm_first_pfn(&pgmap->ranges[id]) < pfn) {
            return true;
        }
    }
    return false;
}

/* The reference, live or dying, keeps the struct pages: teardown waits for it before they go. */
static long report_one(struct dev_pagemap *pgmap, uint64_t first, uint64_t last, pagemap_holder_fn *report,
                       void *context)
{
    struct scan scan = {.pgmap = pgmap, .first = first, .last = last, .report = report, .context = context};

    if (!pm_watch(pgmap)) {
        return 0; /* it has no holder */
    }
    tell_all(&scan);
    pm_unwatch(pgmap);
    return scan.told;
}

long pm_report_pagemap(struct dev_pagemap *pgmap, pagemap_holder_fn *report, void *context)
{
    long told;

    if (pagemap_read_lock() != 0) {
        return -ENOMEM;
    }
    told = report_one(pgmap, 0, UINT64_MAX, report, context);
    pagemap_read_unlock();
    return told;
}

long pagemap_report_holders(phys_addr_t start, phys_addr_t end, pagemap_holder_fn *report, void *context)
{
    uint64_t first = PHYS_PFN(start), last = PHYS_PFN(end);
    struct rangemap *index = pm_index_get();
    struct rangemap_cursor cursor;
    struct rangemap_entry entry;
    long told = 0;

    if (end < start || report == NULL) {
        return -EINVAL;
    }
    if (index == NULL) {
        return 0;
    }
    if (pagemap_read_lock() != 0) {
        return -ENOMEM;
    }
    (void)rangemap_cursor_init(&cursor, index, first, last);
    while (rangemap_cursor_next(&cursor, &entry) == 0) {
        if (!pm_is_reserved_value(entry.value) && !was_told(entry.value, first, entry.start)) {
            told += report_one(entry.value, first, last, report, context);
        }
    }
    pagemap_read_unlock();
    return told;
}
