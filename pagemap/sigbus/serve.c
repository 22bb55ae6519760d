// SPDX-License-Identifier: BSD-2-Clause
/* From the address of broken memory to its pages. */
#include <unistd.h>

#include "pagemap/base/cancel.h"
#include "pagemap/base/warn.h"
#include "pagemap/page/mapped.h"
#include "pagemap/pagemap.h"
#include "pagemap/sigbus.h"
#include "pagemap/sigbus/note.h"
#include "pagemap/view/view.h"

static const uint64_t NO_PFN = UINT64_MAX;

/* Else it is the one that a parent mapped: at its addresses there is something else here, or nothing. */
static bool is_ours(const struct dev_pagemap *pgmap)
{
    return pgmap != NULL && pgmap->_mapped->process == getpid();
}

/* What the file has there, present or not. pre: in a read section. */
static uint64_t pfn_by_view(uint64_t vpn)
{
    const struct pm_view *view = pm_view_at(vpn);
    void *difference;
    uint64_t pfn;

    if (view == NULL ||
        rangemap_lookup_held(view->mapping->_pages, pm_view_index(view, vpn), &difference) != 0) {
        return NO_PFN;
    }
    pfn = pm_translate(difference, pm_view_index(view, vpn));
    return is_ours(pm_find(pfn)) ? pfn : NO_PFN;
}

/* pre: in a read section. The reference keeps the linear map. */
static uint64_t pfn_in_range(struct dev_pagemap *pgmap, uint64_t first_pfn, uint64_t vpn)
{
    int id = pm_range_of(pgmap, first_pfn);
    uint64_t pfn = NO_PFN;

    if (id >= 0 && is_ours(pgmap) && percpu_ref_tryget(&pgmap->ref)) {
        const struct pm_mapped_range *range = &pgmap->_mapped->range[id];
        uint64_t offset = vpn - pm_vpn(range->linear);

        if (range->linear != NULL && offset < range->span.nr_pfns) {
            pfn = range->span.start_pfn + offset;
        }
        pm_put(pgmap);
    }
    return pfn;
}

/* All devices are asked: their linear maps are in no index of addresses. pre: in a read section. */
static uint64_t pfn_by_linear_map(uint64_t vpn)
{
    struct rangemap *index = pm_index_get();
    struct rangemap_cursor cursor;
    struct rangemap_entry entry;
    uint64_t pfn = NO_PFN;

    if (index == NULL) {
        return NO_PFN;
    }
    (void)rangemap_cursor_init(&cursor, index, 0, UINT64_MAX);
    while (pfn == NO_PFN && rangemap_cursor_next(&cursor, &entry) == 0) {
        if (!pm_is_reserved_value(entry.value)) {
            pfn = pfn_in_range(entry.value, entry.start, vpn);
        }
    }
    return pfn;
}

static uint64_t pfn_at(uint64_t vpn)
{
    uint64_t pfn = NO_PFN;

    if (pagemap_read_lock() == 0) {
        pfn = pfn_by_view(vpn);
        pfn = pfn != NO_PFN ? pfn : pfn_by_linear_map(vpn);
        pagemap_read_unlock();
    }
    return pfn;
}

/* Each page of the broken piece that is a device's; how many. */
static long serve_note(const struct pm_note *note)
{
    const uint64_t pages = UINT64_C(1) << (note->shift - PAGE_SHIFT);
    const uint64_t first = (note->address >> PAGE_SHIFT) & ~(pages - 1);
    long done = 0;

    for (uint64_t vpn = first; vpn < first + pages; vpn++) {
        uint64_t pfn = pfn_at(vpn);
        int error = pfn == NO_PFN ? 0 : memory_failure(pfn, note->needs_action ? MF_ACTION_REQUIRED : 0);

        done += pfn != NO_PFN;
        if (error != 0) {
            pm_warn("SIGBUS: memory_failure() of pfn %#llx says %d", (unsigned long long)pfn, error);
        }
    }
    if (done == 0) {
        pm_warn("SIGBUS: broken memory at %#llx is no device's", (unsigned long long)note->address);
    }
    return done;
}

long pagemap_sigbus_serve(void)
{
    int cancel = pm_cancel_off();
    struct pm_note note;
    long done = 0;

    pm_note_reset();
    while (pm_note_take(&note)) {
        done += serve_note(&note);
    }
    pm_cancel_restore(cancel);
    return done;
}
