// SPDX-License-Identifier: BSD-2-Clause
/* Kernel: mm/memory-failure.c (6.1). */
#include <errno.h>

#include "pagemap/base/cancel.h"
#include "pagemap/base/warn.h"
#include "pagemap/core/domain.h"
#include "pagemap/fs.h"
#include "pagemap/mapping/mapping.h"
#include "pagemap/notifier/notifier.h"
#include "pagemap/page/mapped.h"
#include "pagemap/page/marks.h"
#include "pagemap/page/page.h"
#include "pagemap/pagemap.h"
#include "pagemap/poison.h"
#include "pagemap/statistics/statistics.h"
#include "pagemap/view/view.h"

/* What the file has there; UINT64_MAX: nothing. With it locked. */
static uint64_t pfn_in_file(const struct address_space *mapping, uint64_t index)
{
    void *difference;

    return index != UINT64_MAX && rangemap_lookup(mapping->_pages, index, &difference) == 0
               ? pm_translate(difference, index)
               : UINT64_MAX;
}

/* If it is not there any more it was truncated or replaced just now, which revokes too. */
static void revoke_in(struct address_space *mapping, const struct page *page)
{
    struct pm_revocation revocation;
    uint64_t index;

    pm_mapping_lock(mapping);
    index = page_index(page);
    if (pfn_in_file(mapping, index) == page_to_pfn(page)) {
        revocation = pm_revocation_of(mapping, index, index);
        pm_revoke(&revocation);
    }
    pm_mapping_unlock(mapping);
}

/* Takes the page out of all views of its file; false: it is in no file. */
static bool revoke_page(const struct page *page)
{
    struct address_space *mapping;

    if (pagemap_read_lock() != 0) {
        return false;
    }
    mapping = page_mapping(page);
    if (mapping != NULL && !pm_mapping_tryget(mapping)) {
        mapping = NULL;
    }
    pagemap_read_unlock();
    if (mapping == NULL) {
        return false;
    }
    revoke_in(mapping, page);
    pm_mapping_put(mapping);
    return true;
}

static int ask_driver(struct dev_pagemap *pgmap, uint64_t pfn, int flags)
{
    int cancel, error;

    if (!pgmap_has_memory_failure(pgmap)) {
        return -EOPNOTSUPP;
    }
    cancel = pm_cancel_off();
    error = pgmap->ops->memory_failure(pgmap, pfn, 1, flags);
    pm_cancel_restore(cancel);
    return error;
}

/* The driver is asked last: whatever it does, the page is not touched through a view meanwhile. */
static int handle(struct dev_pagemap *pgmap, uint64_t pfn, int flags)
{
    struct page *page = pm_page_of(pgmap, pfn);
    struct mmu_notifier_range range;
    bool was_in_file, is_dealt_with;
    int error;

    mmu_notifier_range_init(&range, MMU_NOTIFY_CLEAR, 0, NULL, NULL, PFN_PHYS(pfn), PFN_PHYS(pfn + 1));
    pm_invalidate_start(&pm_told_physical, &range);
    pm_poison_begin(page);
    was_in_file = revoke_page(page);
    pm_invalidate_end(&range);
    error = ask_driver(pgmap, pfn, flags);
    is_dealt_with = error != -EOPNOTSUPP || was_in_file;
    pm_count(&pm_counters()->memory_failures, pm_poison_end(page, is_dealt_with));
    if (!is_dealt_with) {
        return -EBUSY;
    }
    return error == -EOPNOTSUPP ? 0 : error;
}

/*
 * First of all, as in the kernel, since the driver may wait until the page is idle; and whatever comes of it
 * (bug 30). A page that is held has a mapping, live or dying.
 */
static void put_callers_reference(uint64_t pfn)
{
    if (!pm_warn_on(pm_find(pfn) == NULL, "memory_failure() with a reference on what is no page")) {
        put_page(pfn_to_page(pfn));
    }
}

int memory_failure(uint64_t pfn, int flags)
{
    struct dev_pagemap *pgmap;
    int error = -ENXIO;

    pm_attach_surely();
    pgmap = pm_get(pfn);
    if ((flags & MF_COUNT_INCREASED) != 0) {
        put_callers_reference(pfn);
    }
    if (pgmap != NULL && pgmap_pfn_valid(pgmap, pfn) && !pm_is_allocated_type(pgmap)) {
        error = handle(pgmap, pfn, flags);
    }
    pm_put(pgmap);
    return error;
}

int unpoison_memory(uint64_t pfn)
{
    struct dev_pagemap *pgmap;
    int error = -ENXIO;

    pm_attach_surely();
    pgmap = pm_get(pfn);
    if (pgmap != NULL && pgmap_pfn_valid(pgmap, pfn) && pm_poison_mark(pfn_to_page(pfn), false)) {
        error = 0;
    }
    pm_put(pgmap);
    return error;
}
