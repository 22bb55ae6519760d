// SPDX-License-Identifier: BSD-2-Clause
/* Which pages of a view are present: the page table, and what the system maps. Kernel: mm/memory.c (6.1). */
#include <errno.h>

#include "pagemap/base/fault.h"
#include "pagemap/base/warn.h"
#include "pagemap/poison/poison.h"
#include "pagemap/view/mechanism.h"

int pm_show(struct pm_view *view, uint64_t index, uint64_t pfn, uint64_t nr_pages)
{
    uint64_t offset;
    const struct pagemap_memory *memory = pm_page_memory(pfn, &offset);

    if (memory == NULL) {
        return 0; /* PRIVATE */
    }
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

/* The mapping first: a page that can be touched no more may still be pinned for a moment, not the reverse. */
void pm_hide(struct pm_view *view, uint64_t first, uint64_t last)
{
    bool only_these = pm_vm_hide(view, pm_view_address(view, first), (last - first + 1) * PAGE_SIZE);
    int error;

    first = only_these ? first : view->first_index;
    last = only_these ? last : view->last_index;
    error =
        rangemap_carve(pm_tables()->present, pm_view_vpn(view, first), pm_view_vpn(view, last), NULL, NULL);
    (void)pm_warn_on(error != 0, "revoked pages can still be pinned");
}

void pm_hide_in_views(struct address_space *mapping, uint64_t first, uint64_t last)
{
    pm_round_to_granules(mapping, &first, &last);
    for (struct pm_view *view = mapping->_views; view != NULL; view = view->next) {
        uint64_t from = first, to = last;

        if (pm_view_overlap(view, &from, &to)) {
            pm_hide(view, from, to);
        }
    }
    pm_mapping_bump(mapping);
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
            error = pm_fault_here() ? -ENOMEM : rangemap_reserve(pm_tables()->present, 1);
            error = error != 0 ? error : pm_show(view, index, pfn, nr_pages);
            error = error != 0 ? error : pm_allow_pins(view, index, pfn, nr_pages);
        }
        index += nr_pages + (poisoned == UINT64_MAX ? 0 : granule);
    }
    return error;
}

int pm_show_file(struct pm_view *view, uint64_t first, uint64_t last)
{
    struct rangemap_cursor cursor;
    struct rangemap_entry run;
    int error;

    if (!pm_view_overlap(view, &first, &last)) {
        return 0;
    }
    error = rangemap_cursor_init(&cursor, view->mapping->_pages, first, last);
    while (error == 0 && rangemap_cursor_next(&cursor, &run) == 0) {
        pm_clip(&run, first, last);
        error = show_run(view, &run);
    }
    return error;
}
