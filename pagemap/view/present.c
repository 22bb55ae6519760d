// SPDX-License-Identifier: BSD-2-Clause
/* Which pages of a view are present: the page table, and what the system maps. Kernel: mm/memory.c (6.1). */
#include <errno.h>

#include "pagemap/base/fault.h"
#include "pagemap/page/marks.h"
#include "pagemap/statistics/statistics.h"
#include "pagemap/view/mechanism.h"

int pm_show(struct pm_view *view, uint64_t index, uint64_t pfn, uint64_t nr_pages)
{
    uint64_t offset;
    const struct pagemap_memory *memory = pm_page_memory(pfn, &offset);

    if (memory == NULL) {
        return 0; /* PRIVATE */
    }
    view->mapping->_shows++;
    return pm_vm_show(view, pm_view_address(view, index), nr_pages * PAGE_SIZE, memory, offset);
}

int pm_allow_pins(struct pm_view *view, uint64_t index, uint64_t pfn, uint64_t nr_pages)
{
    uint64_t vpn = pm_view_vpn(view, index), offset;

    if (pm_page_memory(pfn, &offset) == NULL) {
        return 0;
    }
    return rangemap_store(pm_tables()->present, vpn, vpn + nr_pages - 1, pm_difference(pfn, vpn), NULL, NULL);
}

/* The least that can be denied if [*first, *last] is to be: one pair of numbers is all that there is room for. */
static void add_denied(const struct pm_view *view, uint64_t *first, uint64_t *last)
{
    if (view->denied_pages > 0) {
        uint64_t denied = pm_view_index(view, view->denied_vpn),
                 denied_last = denied + view->denied_pages - 1;

        *first = denied < *first ? denied : *first;
        *last = denied_last > *last ? denied_last : *last;
    }
}

/* Two words, which are to look like one. In a change of the caller's, or else in one of its own. */
static void deny(struct pm_view *view, uint64_t first, uint64_t last)
{
    struct address_space *mapping = view->mapping;
    const bool is_changing = pm_is_changing(pm_load_relaxed(&mapping->_generation));

    if (!is_changing) {
        pm_mapping_change_begin(mapping);
    }
    pm_store_release(&view->denied_vpn, pm_view_vpn(view, first));
    pm_store_release(&view->denied_pages, last - first + 1);
    if (!is_changing) {
        pm_mapping_change_end(mapping);
    }
}

static bool take_out(const struct pm_view *view, uint64_t first, uint64_t last)
{
    return !pm_fault_here() && rangemap_carve(pm_tables()->present, pm_view_vpn(view, first),
                                              pm_view_vpn(view, last), NULL, NULL) == 0;
}

void pm_forbid_pins(struct pm_view *view, uint64_t first, uint64_t last)
{
    if (!take_out(view, first, last)) {
        add_denied(view, &first, &last);
        deny(view, first, last);
    }
}

int pm_settle(struct pm_view *view)
{
    int error = view->denied_pages == 0
                    ? 0
                    : rangemap_carve(pm_tables()->present, view->denied_vpn,
                                     view->denied_vpn + view->denied_pages - 1, NULL, NULL);

    if (error == 0) {
        pm_store_release(&view->denied_pages, 0);
    }
    return error;
}

/*
 * The mapping first: a page that can be touched no more may still be pinned for a moment, not the reverse. Without
 * memory for the page table the pages are denied by the view.
 */
bool pm_hide(struct pm_view *view, uint64_t *first, uint64_t *last)
{
    if (!pm_vm_hide(view, pm_view_address(view, *first), (*last - *first + 1) * PAGE_SIZE)) {
        if (*first != view->interval.first || *last != view->interval.last) {
            *first = view->interval.first;
            *last = view->interval.last;
            return false;
        }
        pm_vm_hide_all(view);
    }
    if (!take_out(view, *first, *last)) {
        const uint64_t told_first = *first, told_last = *last;

        add_denied(view, first, last); /* what lies in between is hidden, too */
        if (*first != told_first || *last != told_last) {
            return false;
        }
        pm_count(&pm_counters()->revoked_by_denying, 1);
        deny(view, *first, *last);
    }
    return true;
}

/* One run of the file, without the poisoned pages in it. */
static int show_run(struct pm_view *view, const struct rangemap_entry *run)
{
    const uint64_t granule = view->mapping->_granule_pages;
    uint64_t index = run->start;
    int error = 0;

    while (index <= run->last && error == 0) {
        uint64_t pfn = pm_translate(run->value, index), last_pfn = pm_translate(run->value, run->last);
        uint64_t poisoned = pm_poison_next(pfn, last_pfn);
        uint64_t nr_pages = (poisoned == UINT64_MAX ? last_pfn + 1 : poisoned & ~(granule - 1)) - pfn;

        if (nr_pages > 0) {
            error = pm_fault_here() ? -ENOMEM : pm_show(view, index, pfn, nr_pages);
            error = error != 0 ? error : pm_allow_pins(view, index, pfn, nr_pages);
        }
        index += nr_pages + (poisoned == UINT64_MAX ? 0 : granule);
    }
    return error;
}

int pm_show_file(struct pm_view *view, uint64_t *first, uint64_t *last)
{
    struct rangemap_cursor cursor;
    struct rangemap_entry run;
    int error;

    if (!pm_view_overlap(view, first, last)) {
        return 0;
    }
    error = pm_settle(view);
    error = error != 0 ? error : rangemap_cursor_init(&cursor, view->mapping->_pages, *first, *last);
    while (error == 0 && rangemap_cursor_next(&cursor, &run) == 0) {
        pm_clip(&run, *first, *last);
        error = show_run(view, &run);
        if (error != 0) {
            *first = run.start;
            *last = run.last;
        }
    }
    return error;
}
