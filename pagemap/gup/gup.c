// SPDX-License-Identifier: BSD-2-Clause
/*
 * From addresses to pages; docs/pagemap.md, section 6, says why it is right. Kernel: mm/gup.c (6.1).
 */
#include "pagemap/gup.h"

#include <errno.h>
#include <limits.h>
#include <sys/mman.h>

#include "pagemap/base/warn.h"
#include "pagemap/memremap/mapped.h"
#include "pagemap/memremap/page.h"
#include "pagemap/pagemap.h"
#include "pagemap/view/view.h"

/*
 * Pages that are taken in one read section; how often that is tried before the file is locked; how often a driver
 * may say that it brought a page back when it did not.
 */
enum { BATCH = 512, ATTEMPTS = 3, MIGRATIONS = 3 };

/* What a batch can come to besides a number of pages or an errno. LEAVING: a PRIVATE page whose last reference is gone. */
enum { PRIVATE_PAGE = -10000, CHANGED = -10001, LEAVING = -10002 };

struct request {
    uint64_t vpn;
    uint64_t nr_pages;
    unsigned flags;
    struct page **pages; /* NULL: count only */
    bool lock_free_only;
};

/* ---- one page ---- */

/* How many references a pin is, as page_count() counts. */
static uint64_t weight(const struct dev_pagemap *pgmap, unsigned flags)
{
    return (flags & FOLL_PIN) != 0 && pgmap->vmemmap_shift == 0 ? GUP_PIN_COUNTING_BIAS : 1;
}

/* The caller has a reference on pgmap. False: poisoned, or idle and to be allocated. */
static bool take(struct dev_pagemap *pgmap, uint64_t pfn, unsigned flags)
{
    bool left_idle;

    if (!pm_page_count_up(pgmap, pfn, weight(pgmap, flags), &left_idle)) {
        return false;
    }
    if (left_idle) {
        pm_ref_get_many(&pgmap->_ref, 1);
    }
    if ((flags & FOLL_PIN) != 0 && pgmap->vmemmap_shift > 0) {
        (void)pm_add_full(&compound_head(pfn_to_page(pfn))->_pincount, 1);
    }
    return true;
}

static void give_back(struct page *page, unsigned flags)
{
    if ((flags & FOLL_PIN) != 0) {
        unpin_user_page(page);
    } else {
        put_page(page);
    }
}

/* ---- a batch: as much as one run of one view has ---- */

static int check_view(const struct pm_view *view, unsigned flags)
{
    if ((flags & FOLL_WRITE) != 0 && (view->prot & PROT_WRITE) == 0) {
        return -EFAULT; /* before any page is touched (bug 24) */
    }
    return (flags & FOLL_LONGTERM) != 0 && __atomic_load_n(&view->mapping->_is_fs_dax, __ATOMIC_RELAXED)
               ? -EOPNOTSUPP
               : 0;
}

/* Why the page at vpn is absent. pre: in a read section. */
static int absence(const struct pm_view *view, uint64_t vpn, struct page **page)
{
    uint64_t index = pm_view_index(view, vpn);
    struct dev_pagemap *pgmap;
    void *difference;

    if (rangemap_lookup_held(view->mapping->_pages, index, &difference) != 0) {
        return -EFAULT;
    }
    *page = pfn_to_page(pm_translate(difference, index));
    pgmap = pm_find(page_to_pfn(*page));
    if (pgmap != NULL && pgmap->type == MEMORY_DEVICE_PRIVATE) {
        return PRIVATE_PAGE;
    }
    return pgmap != NULL && PageHWPoison(*page) ? -EHWPOISON : -EFAULT;
}

/* The pages of one run of one live dev_pagemap; how many, or an errno. */
static long take_run(const struct request *request, struct dev_pagemap *pgmap, uint64_t pfn,
                     uint64_t nr_pages)
{
    uint64_t taken = 0;

    if ((request->flags & FOLL_LONGTERM) != 0 &&
        (pgmap->type == MEMORY_DEVICE_COHERENT || pgmap->type == MEMORY_DEVICE_FS_DAX)) {
        return pgmap->type == MEMORY_DEVICE_COHERENT ? -EBUSY : -EOPNOTSUPP; /* FS_DAX: it came just now */
    }
    while (taken < nr_pages) {
        if (request->pages != NULL) {
            if (!take(pgmap, pfn + taken, request->flags)) {
                break;
            }
            request->pages[taken] = pfn_to_page(pfn + taken);
        }
        taken++;
    }
    return taken > 0 ? (long)taken : PageHWPoison(pfn_to_page(pfn)) ? -EHWPOISON : -EFAULT;
}

/*
 * In a read section. *absent: the page if it is PRIVATE. CHANGED: the pages were taken, *taken of them, but their
 * file changed meanwhile.
 */
static long try_batch(const struct request *request, struct page **absent, struct address_space **mapping,
                      long *taken)
{
    struct pm_view *view = pm_view_at(request->vpn);
    uint64_t generation, nr_pages, pfn;
    struct rangemap_entry run;
    struct dev_pagemap *pgmap;
    int error = view == NULL ? -EFAULT : check_view(view, request->flags);

    if (error != 0) {
        return error;
    }
    *mapping = view->mapping;
    generation = pm_load_acquire(&view->mapping->_generation);
    if (pm_load_acquire(&view->is_gone) != 0) {
        return CHANGED; /* after the generation: the addresses may be another view's */
    }
    if (rangemap_find_held(pm_tables()->present, request->vpn, &run) != 0) {
        return absence(view, request->vpn, absent);
    }
    nr_pages = run.last - request->vpn + 1;
    nr_pages = nr_pages < request->nr_pages ? nr_pages : request->nr_pages;
    nr_pages = nr_pages < BATCH ? nr_pages : BATCH;
    pfn = pm_translate(run.value, request->vpn);
    pgmap = pm_get(pfn);
    if (pgmap == NULL) {
        return -EFAULT; /* killed */
    }
    *taken = take_run(request, pgmap, pfn, nr_pages);
    pm_put(pgmap);
    /* Full: after the pages were counted. The other half is pm_mapping_bump(). */
    return *taken > 0 && pm_load_full(&view->mapping->_generation) != generation ? CHANGED : *taken;
}

/* One more reference on a PRIVATE page of the file, which has one itself until the page leaves it. */
static bool hold_private(struct page *page)
{
    struct dev_pagemap *pgmap = pm_page_owner(page);
    bool left_idle;

    return pgmap != NULL && pm_page_count_up(pgmap, page_to_pfn(page), 1, &left_idle);
}

/* With `keep_mapping`, *mapping is kept if it is not NULL. PRIVATE_PAGE: *absent is held. CHANGED, LEAVING: nothing is. */
static long batch_in_section(const struct request *request, struct page **absent,
                             struct address_space **mapping, bool keep_mapping)
{
    long taken = 0, result;

    *absent = NULL;
    *mapping = NULL;
    if (pagemap_read_lock() != 0) {
        return -ENOMEM;
    }
    result = try_batch(request, absent, mapping, &taken);
    if (result == PRIVATE_PAGE && !hold_private(*absent)) {
        result = LEAVING;
    }
    if (*mapping != NULL && (!keep_mapping || !pm_mapping_tryget(*mapping))) {
        *mapping = NULL;
    }
    pagemap_read_unlock();
    if (result == CHANGED && request->pages != NULL) {
        for (long i = 0; i < taken; i++) {
            give_back(request->pages[i], request->flags);
        }
    }
    return result;
}

static bool is_in_flux(long result)
{
    return result == CHANGED || result == LEAVING;
}

/* The same with the file locked, where nothing changes. A page without a reference is then one that its driver put. */
static long batch_locked(const struct request *request, struct page **absent)
{
    struct address_space *mapping, *again;
    long result = batch_in_section(request, absent, &mapping, true);

    if (is_in_flux(result) && mapping != NULL) {
        (void)pthread_mutex_lock(&mapping->_lock);
        result = batch_in_section(request, absent, &again, true);
        (void)pthread_mutex_unlock(&mapping->_lock);
        result = result == LEAVING && again == mapping ? -EFAULT : result;
        if (again != NULL) {
            pm_mapping_put(again);
        }
    }
    if (mapping != NULL) {
        pm_mapping_put(mapping);
    }
    return result;
}

/* Asks the driver to bring a page back. The reference of batch_in_section() goes. */
static int migrate(struct page *page, uint64_t vpn)
{
    struct vm_fault fault = {.page = page, .address = vpn << PAGE_SHIFT};
    struct dev_pagemap *pgmap = page_pgmap(page);
    int error = pgmap->ops->migrate_to_ram(&fault);

    put_page(page);
    return error;
}

/* A batch, or why there is none. CHANGED is for the caller without a lock. */
static long batch(const struct request *request)
{
    unsigned migrations = 0;
    long result = CHANGED;

    for (unsigned attempt = 0; is_in_flux(result); attempt++) {
        struct address_space *mapping;
        struct page *absent;

        if (attempt < ATTEMPTS) {
            result = batch_in_section(request, &absent, &mapping, false);
        } else if (request->lock_free_only) {
            return CHANGED;
        } else {
            result = batch_locked(request, &absent);
        }
        if (result == PRIVATE_PAGE && (request->lock_free_only || migrations++ == MIGRATIONS)) {
            put_page(absent);
            result = -EFAULT;
        } else if (result == PRIVATE_PAGE) {
            result = migrate(absent, request->vpn) == 0 ? CHANGED : -EFAULT;
        }
    }
    return result;
}

/* ---- the calls ---- */

static long gup(uintptr_t start, unsigned long nr_pages, unsigned flags, struct page **pages,
                bool lock_free_only)
{
    const unsigned known = FOLL_WRITE | FOLL_GET | FOLL_HWPOISON | FOLL_LONGTERM | FOLL_PIN;
    struct request request = {start >> PAGE_SHIFT, nr_pages, flags, pages, lock_free_only};
    uint64_t done = 0;
    long result = 0;

    if ((flags & ~known) != 0 || ((flags & FOLL_LONGTERM) != 0 && (flags & FOLL_PIN) == 0) ||
        pagemap_read_lock_held() || nr_pages > LONG_MAX) {
        return -EINVAL;
    }
    while (done < nr_pages) {
        result = batch(&request);
        if (result <= 0) {
            break;
        }
        done += (uint64_t)result;
        request.vpn += (uint64_t)result;
        request.nr_pages -= (uint64_t)result;
        request.pages = pages == NULL ? NULL : pages + done;
    }
    if (result == -EHWPOISON && (flags & FOLL_HWPOISON) == 0) {
        result = -EFAULT;
    }
    return done > 0 ? (long)done : result;
}

long get_user_pages(uintptr_t start, unsigned long nr_pages, unsigned gup_flags, struct page **pages)
{
    return (gup_flags & FOLL_PIN) != 0 ? -EINVAL : gup(start, nr_pages, gup_flags | FOLL_GET, pages, false);
}

long pin_user_pages(uintptr_t start, unsigned long nr_pages, unsigned gup_flags, struct page **pages)
{
    return (gup_flags & FOLL_GET) != 0 || pages == NULL
               ? -EINVAL
               : gup(start, nr_pages, gup_flags | FOLL_PIN, pages, false);
}

int get_user_pages_fast(uintptr_t start, int nr_pages, unsigned gup_flags, struct page **pages)
{
    return nr_pages < 0 ? -EINVAL : (int)get_user_pages(start, (unsigned long)nr_pages, gup_flags, pages);
}

int pin_user_pages_fast(uintptr_t start, int nr_pages, unsigned gup_flags, struct page **pages)
{
    return nr_pages < 0 ? -EINVAL : (int)pin_user_pages(start, (unsigned long)nr_pages, gup_flags, pages);
}

/* Nothing but a number, as in the kernel. */
static int fast_only(uintptr_t start, int nr_pages, unsigned flags, struct page **pages)
{
    long taken = nr_pages < 0 ? 0 : gup(start, (unsigned long)nr_pages, flags, pages, true);

    return taken < 0 ? 0 : (int)taken;
}

int get_user_pages_fast_only(uintptr_t start, int nr_pages, unsigned gup_flags, struct page **pages)
{
    return (gup_flags & FOLL_PIN) != 0 ? 0 : fast_only(start, nr_pages, gup_flags | FOLL_GET, pages);
}

int pin_user_pages_fast_only(uintptr_t start, int nr_pages, unsigned gup_flags, struct page **pages)
{
    return (gup_flags & FOLL_GET) != 0 || pages == NULL
               ? 0
               : fast_only(start, nr_pages, gup_flags | FOLL_PIN, pages);
}

int fixup_user_fault(uintptr_t address, unsigned fault_flags)
{
    long result = gup(address, 1, (fault_flags & FOLL_WRITE) | FOLL_HWPOISON | FOLL_GET, NULL, false);

    return result == 1 ? 0 : (int)result;
}

/* ---- giving back ---- */

void unpin_user_page(struct page *page)
{
    const struct dev_pagemap *pgmap = page_pgmap(page);

    if (pm_warn_on(pgmap == NULL, "unpin_user_page() of an idle page")) {
        return;
    }
    if (pgmap->vmemmap_shift > 0) {
        (void)pm_sub_full(&compound_head(page)->_pincount, 1); /* before the reference that keeps it */
    }
    put_page_many(page, weight(pgmap, FOLL_PIN));
}

void unpin_user_pages(struct page **pages, unsigned long npages)
{
    for (unsigned long i = 0; i < npages; i++) {
        unpin_user_page(pages[i]);
    }
}

bool page_maybe_dma_pinned(const struct page *page)
{
    const struct dev_pagemap *pgmap = page_pgmap(page);
    const struct page *head;

    if (pgmap == NULL) {
        return false;
    }
    head = pfn_to_page(pm_head_pfn(pgmap, page_to_pfn(page)));
    return pgmap->vmemmap_shift > 0 ? pm_load_acquire(&head->_pincount) > 0
                                    : pm_load_acquire(&head->_refcount) >= GUP_PIN_COUNTING_BIAS;
}
