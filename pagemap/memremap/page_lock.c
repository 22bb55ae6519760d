// SPDX-License-Identifier: BSD-2-Clause
/* Locking a page, and waiting for one. Kernel: mm/filemap.c (6.1). */
#include "pagemap/memremap/page_lock.h"

#include "pagemap/base/wait.h"
#include "pagemap/base/warn.h"
#include "pagemap/core/domain.h"
#include "pagemap/holders/report.h"
#include "pagemap/page/mapped.h"
#include "pagemap/page/page.h"
#include "pagemap/page/watch.h"
#include "pagemap/vmemmap/touched.h"

/* The flags of a page that may never have been grabbed yet; NULL: it is not mapped. */
static uint64_t *flags_of(struct page *page, const char *call)
{
    struct dev_pagemap *pgmap = page_pgmap(page);

    if (PM_UNLIKELY(pgmap == NULL)) {
        pm_warn("%s of what is no page", call);
        return NULL;
    }
    return &pm_head(pgmap, pm_page_of(pgmap, page_to_pfn(page)))->_flags;
}

bool trylock_page(struct page *page)
{
    uint64_t *flags = flags_of(page, "trylock_page()");

    return flags != NULL && (pm_or_full(flags, PM_PAGE_LOCKED) & PM_PAGE_LOCKED) == 0;
}

static bool try_lock(void *flags)
{
    return (pm_or_full(flags, PM_PAGE_LOCKED) & PM_PAGE_LOCKED) == 0;
}

void lock_page(struct page *page)
{
    uint64_t *flags = flags_of(page, "lock_page()");

    if (flags != NULL && !try_lock(flags)) {
        pm_wait_var(flags, try_lock, flags);
    }
}

void unlock_page(struct page *page)
{
    uint64_t *flags = flags_of(page, "unlock_page()"), before;

    if (flags != NULL) {
        before = pm_and_full(flags, ~PM_PAGE_LOCKED);
        (void)pm_warn_on((before & PM_PAGE_LOCKED) == 0, "unlock_page() of a page that is not locked");
        pm_wake_var(flags);
    }
}

static bool is_idle(void *count)
{
    return pm_load_full(count) == 0;
}

void pm_wait_idle_held(struct page *head, struct dev_pagemap *pgmap)
{
    pm_wait_telling(&head->_refcount, is_idle, &head->_refcount, pgmap);
}

/* With a reference on its dev_pagemap, whose teardown would take the struct page away as soon as it is idle. */
void wait_on_page_idle(struct page *page)
{
    struct dev_pagemap *pgmap;
    bool waits;

    pm_attach_surely();
    pgmap = pm_hold(page_to_pfn(page)); /* NULL: no page of it is in use */
    waits = pgmap != NULL && pm_is_touched(pm_head_pfn(pgmap, page_to_pfn(page))) && pm_watch(pgmap);
    pm_put(pgmap);
    if (waits) {
        pm_wait_idle_held(pm_head(pgmap, page), pgmap);
        pm_unwatch(pgmap);
    }
}
