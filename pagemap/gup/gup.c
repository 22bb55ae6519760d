// SPDX-License-Identifier: BSD-2-Clause
/*
 * From addresses to pages; docs/pagemap.md, section 6, says why it is right. Kernel: mm/gup.c (6.1), beside which it is
 * to be read whole: more than 400 lines.
 */
#include "pagemap/gup.h"

#include <errno.h>
#include <limits.h>
#include <sys/mman.h>

#include "pagemap/base/cancel.h"
#include "pagemap/base/warn.h"
#include "pagemap/page/mapped.h"
#include "pagemap/page/page.h"
#include "pagemap/pagemap.h"
#include "pagemap/statistics/statistics.h"
#include "pagemap/view/view.h"
#include "pagemap/vmemmap/touched.h"

/*
 * Pages that are taken in one read section; how often that is tried before the file is locked; how often a driver
 * may say that it brought a page back when it did not.
 */
enum { BATCH = 512, ATTEMPTS = 3, MIGRATIONS = 3 };

/*
 * What a batch can come to besides a number of pages or an errno. MUST_MOVE: a page that its driver is to bring back
 * to ordinary memory first. LEAVING: such a page whose last reference is gone.
 */
enum { MUST_MOVE = -10000, CHANGED = -10001, LEAVING = -10002 };

struct request {
    uint64_t vpn;
    uint64_t nr_pages;
    unsigned flags;
    struct page **pages; /* NULL: count only */
    bool lock_free_only;
    uint64_t *refused;   /* the counter of the last refusal, which is counted once nothing is tried again */
    struct page *marked; /* was marked as poisoned while it was taken, and is to be given back */
};

static long refuse(struct request *request, uint64_t *counter, long error)
{
    request->refused = counter;
    return error;
}

/* ---- a batch: as much as one run of one view has ---- */

static long check_view(struct request *request, const struct pm_view *view)
{
    if ((request->flags & FOLL_WRITE) != 0 && (view->prot & PROT_WRITE) == 0) {
        /* before any page is touched (bug 24) */
        return refuse(request, &pm_counters()->refused_read_only, -EFAULT);
    }
    return (request->flags & FOLL_LONGTERM) != 0 &&
                   __atomic_load_n(&view->mapping->_is_fs_dax, __ATOMIC_RELAXED)
               ? refuse(request, &pm_counters()->refused_longterm, -EOPNOTSUPP)
               : 0;
}

/*
 * One more reference on a page of the file that was allocated, for MUST_MOVE: the file has one itself until the page
 * leaves it. LEAVING: it has. For a caller with a reference on pgmap.
 */
static long hold_allocated(struct dev_pagemap *pgmap, uint64_t pfn, struct page **absent)
{
    bool left_idle;

    if (!pm_page_count_up(pgmap, pfn, 1, &left_idle)) {
        return LEAVING;
    }
    *absent = pfn_to_page(pfn);
    return MUST_MOVE;
}

/*
 * Why the first page is absent. pre: in a read section. A truncation that is under way may be all that keeps teardown
 * from its struct page: not without a reference of our own.
 */
static long absence(struct request *request, const struct pm_view *view, struct page **absent)
{
    uint64_t index = pm_view_index(view, request->vpn), pfn;
    struct dev_pagemap *pgmap = NULL;
    void *difference;
    long result;

    if (rangemap_lookup_held(view->mapping->_pages, index, &difference) == 0) {
        pfn = pm_translate(difference, index);
        pgmap = pm_hold(pfn);
    }
    if (pgmap == NULL) {
        return refuse(request, &pm_counters()->refused_absent, -EFAULT);
    }
    if (pgmap->type == MEMORY_DEVICE_PRIVATE) {
        result = hold_allocated(pgmap, pfn, absent);
    } else {
        result = PageHWPoison(pfn_to_page(pfn))
                     ? refuse(request, &pm_counters()->refused_poisoned, -EHWPOISON)
                     : refuse(request, &pm_counters()->refused_absent, -EFAULT);
    }
    pm_put(pgmap);
    return result;
}

/* Whether pages of it may be pinned for long: 0, or as a batch. Kernel: check_and_migrate_movable_pages(), mm/gup.c. */
static long check_longterm(const struct dev_pagemap *pgmap)
{
    if (pgmap->type == MEMORY_DEVICE_FS_DAX) {
        return -EOPNOTSUPP; /* it came just now */
    }
    if (pgmap->type != MEMORY_DEVICE_COHERENT || (pgmap->flags & PGMAP_SYSTEM_RAM) != 0) {
        return 0;
    }
    return pgmap->ops->migrate_to_ram != NULL ? MUST_MOVE : -EBUSY;
}

/* The pages of one run of one live dev_pagemap; how many, or as a batch. */
static long take_run(struct request *request, struct dev_pagemap *pgmap, uint64_t pfn, uint64_t nr_pages,
                     struct page **absent)
{
    long error = (request->flags & FOLL_LONGTERM) != 0 ? check_longterm(pgmap) : 0;
    uint64_t taken;

    if (pgmap->type == MEMORY_DEVICE_PCI_P2PDMA && (request->flags & FOLL_PCI_P2PDMA) == 0) {
        return refuse(request, &pm_counters()->refused_p2pdma, -EREMOTEIO);
    }
    if (error != 0) {
        return error == MUST_MOVE ? hold_allocated(pgmap, pfn, absent)
                                  : refuse(request, &pm_counters()->refused_longterm, error);
    }
    taken = request->pages == NULL ? nr_pages
                                   : pm_pages_get(pgmap, pfn, nr_pages, (request->flags & FOLL_PIN) != 0,
                                                  request->pages, &request->marked);
    if (taken > 0) {
        return (long)taken;
    }
    return PageHWPoison(pfn_to_page(pfn)) ? refuse(request, &pm_counters()->refused_poisoned, -EHWPOISON)
                                          : refuse(request, &pm_counters()->refused_absent, -EFAULT);
}

/* What the page table says, which may be changing. As a batch. */
static long look(struct request *request, const struct pm_view *view, struct page **absent)
{
    struct rangemap_entry run;
    struct dev_pagemap *pgmap;
    uint64_t nr_pages, pfn;
    long taken;

    if (rangemap_find_held(pm_tables()->present, request->vpn, &run) != 0) {
        return absence(request, view, absent);
    }
    nr_pages = run.last - request->vpn + 1;
    nr_pages = nr_pages < request->nr_pages ? nr_pages : request->nr_pages;
    nr_pages = nr_pages < BATCH ? nr_pages : BATCH;
    if (pm_view_denies(view, request->vpn, &nr_pages)) {
        return absence(request, view, absent);
    }
    pfn = pm_translate(run.value, request->vpn);
    pgmap = pm_get(pfn);
    if (pgmap == NULL) {
        return refuse(request, &pm_counters()->refused_killed, -EFAULT);
    }
    taken = take_run(request, pgmap, pfn, nr_pages, absent);
    pm_put(pgmap);
    return taken;
}

/*
 * In a read section. *absent: the page of MUST_MOVE, held. CHANGED: *taken pages were taken, or *absent is held, but
 * their file changed meanwhile; that none could be taken says as little then.
 */
static long try_batch(struct request *request, struct page **absent, struct address_space **mapping,
                      long *taken)
{
    struct pm_view *view = pm_view_at(request->vpn);
    long error =
        view == NULL ? refuse(request, &pm_counters()->refused_no_view, -EFAULT) : check_view(request, view);
    uint64_t generation;
    long result;

    if (error != 0) {
        return error;
    }
    *mapping = view->mapping;
    generation = pm_load_acquire(&view->mapping->_generation);
    if (pm_is_changing(generation) || pm_load_acquire(&view->is_gone) != 0) {
        return CHANGED; /* after the generation: the addresses may be another view's */
    }
    result = look(request, view, absent);
    *taken = result > 0 ? result : 0;
    /* Full: after the pages were counted. The other half is pm_mapping_bump(). */
    return pm_load_full(&view->mapping->_generation) != generation ? CHANGED : result;
}

/*
 * With `keep_mapping`, *mapping is kept if it is not NULL. MUST_MOVE: *absent is held. CHANGED: that may be, too, and
 * *taken pages are. give_back() is next.
 */
static long batch_in_section(struct request *request, struct page **absent, struct address_space **mapping,
                             bool keep_mapping, long *taken)
{
    long result;

    *absent = NULL;
    *mapping = NULL;
    *taken = 0;
    if (pagemap_read_lock() != 0) {
        return refuse(request, &pm_counters()->refused_no_memory, -ENOMEM);
    }
    result = try_batch(request, absent, mapping, taken);
    if (*mapping != NULL && (!keep_mapping || !pm_mapping_tryget(*mapping))) {
        *mapping = NULL;
    }
    pagemap_read_unlock();
    return result;
}

/*
 * What a batch that CHANGED has taken, and what was refused: with no lock, since these may be last references, of which
 * drivers are told.
 */
static void give_back(struct request *request, long result, struct page *absent, long taken)
{
    pm_pages_refuse(request->marked, (request->flags & FOLL_PIN) != 0);
    request->marked = NULL;
    if (result == CHANGED && absent != NULL) {
        put_page(absent);
    }
    if (result == CHANGED && request->pages != NULL) {
        pm_pages_put(request->pages, (uint64_t)taken, (request->flags & FOLL_PIN) != 0);
    }
}

static bool is_in_flux(long result)
{
    return result == CHANGED || result == LEAVING;
}

/* The same with the file locked, where nothing changes. A page without a reference is then one that its driver put. */
static long batch_locked(struct request *request, struct page **absent)
{
    struct address_space *mapping, *again;
    long taken, result = batch_in_section(request, absent, &mapping, true, &taken);

    give_back(request, result, *absent, taken);
    if (is_in_flux(result) && mapping != NULL) {
        (void)pthread_mutex_lock(&mapping->_lock);
        result = batch_in_section(request, absent, &again, true, &taken);
        (void)pthread_mutex_unlock(&mapping->_lock);
        give_back(request, result, *absent, taken);
        if (result == LEAVING && again == mapping) {
            result = refuse(request, &pm_counters()->refused_absent, -EFAULT);
        }
        if (again != NULL) {
            pm_mapping_put(again);
        }
    }
    if (mapping != NULL) {
        pm_mapping_put(mapping);
    }
    return result;
}

static bool ask_driver(struct page *page, uint64_t vpn)
{
    struct vm_fault fault = {.page = page, .address = vpn << PAGE_SHIFT, .real_address = vpn << PAGE_SHIFT};
    int cancel = pm_cancel_off();
    vm_fault_t result = page_pgmap(page)->ops->migrate_to_ram(&fault);

    pm_cancel_restore(cancel);
    return result == 0;
}

/* Asks the driver, if it `may` be, to bring a page back. The reference of batch_in_section() goes. */
static bool migrate(struct page *page, uint64_t vpn, bool may)
{
    bool moved = may && ask_driver(page, vpn);

    put_page(page);
    pm_count(&pm_counters()->gup_migrations, may);
    return moved;
}

static long refuse_unmoved(struct request *request, long refusal)
{
    return refuse(request,
                  request->lock_free_only ? &pm_counters()->refused_would_wait
                                          : &pm_counters()->refused_migration,
                  refusal);
}

/* A batch, or why there is none. CHANGED is for the caller without a lock. */
static long batch(struct request *request)
{
    unsigned migrations = 0;
    long result = CHANGED;

    for (unsigned attempt = 0; is_in_flux(result); attempt++) {
        struct address_space *mapping;
        struct page *absent;
        long taken;

        if (attempt < ATTEMPTS) {
            result = batch_in_section(request, &absent, &mapping, false, &taken);
            give_back(request, result, absent, taken);
        } else if (request->lock_free_only) {
            return refuse(request, &pm_counters()->refused_would_wait, CHANGED);
        } else {
            pm_count(&pm_counters()->gup_locked, 1);
            result = batch_locked(request, &absent);
        }
        if (is_in_flux(result)) {
            pm_count(&pm_counters()->gup_retries, 1);
        }
        if (result == MUST_MOVE) {
            const long refusal = is_device_private_page(absent) ? -EFAULT : -EBUSY;
            const bool may = !request->lock_free_only && migrations++ < MIGRATIONS;

            result = migrate(absent, request->vpn, may) ? CHANGED : refuse_unmoved(request, refusal);
        }
    }
    return result;
}

/* ---- the calls ---- */

static long refuse_arguments(void)
{
    return pm_count_refusal(&pm_counters()->refused_invalid, -EINVAL);
}

/* FOLL_PCI_P2PDMA: as is_valid_gup_args(), a window must be free to go at any time. */
static bool are_flags_valid(unsigned flags)
{
    const unsigned known =
        FOLL_WRITE | FOLL_GET | FOLL_FORCE | FOLL_HWPOISON | FOLL_LONGTERM | FOLL_PIN | FOLL_PCI_P2PDMA;

    return (flags & ~known) == 0 &&
           ((flags & FOLL_LONGTERM) == 0 || (flags & (FOLL_PIN | FOLL_PCI_P2PDMA)) == FOLL_PIN);
}

static long gup(uintptr_t start, unsigned long nr_pages, unsigned flags, struct page **pages,
                bool lock_free_only)
{
    struct request request = {start >> PAGE_SHIFT, nr_pages, flags, pages, lock_free_only, NULL, NULL};
    uint64_t done = 0;
    long result = 0;

    if (!are_flags_valid(flags) || pagemap_read_lock_held() || nr_pages > LONG_MAX) {
        return refuse_arguments();
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
    if (result < 0) {
        pm_count(request.refused, 1);
    }
    if ((flags & FOLL_PIN) != 0 && done > 0) {
        pm_count(&pm_counters()->pins, done);
    }
    if (result == -EHWPOISON && (flags & FOLL_HWPOISON) == 0) {
        result = -EFAULT;
    }
    if (result == -EBUSY && done > 0) { /* all or none, where one cannot move */
        unpin_user_pages(pages, done);
        done = 0;
    }
    return done > 0 ? (long)done : result;
}

long get_user_pages(uintptr_t start, unsigned long nr_pages, unsigned gup_flags, struct page **pages)
{
    return (gup_flags & FOLL_PIN) != 0 ? refuse_arguments()
                                       : gup(start, nr_pages, gup_flags | FOLL_GET, pages, false);
}

long pin_user_pages(uintptr_t start, unsigned long nr_pages, unsigned gup_flags, struct page **pages)
{
    return (gup_flags & FOLL_GET) != 0 || pages == NULL
               ? refuse_arguments()
               : gup(start, nr_pages, gup_flags | FOLL_PIN, pages, false);
}

int get_user_pages_fast(uintptr_t start, int nr_pages, unsigned gup_flags, struct page **pages)
{
    return nr_pages < 0 ? (int)refuse_arguments()
                        : (int)get_user_pages(start, (unsigned long)nr_pages, gup_flags, pages);
}

int pin_user_pages_fast(uintptr_t start, int nr_pages, unsigned gup_flags, struct page **pages)
{
    return nr_pages < 0 ? (int)refuse_arguments()
                        : (int)pin_user_pages(start, (unsigned long)nr_pages, gup_flags, pages);
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
    const unsigned flags = (fault_flags & FOLL_WRITE) | FOLL_HWPOISON | FOLL_GET | FOLL_PCI_P2PDMA;
    long result = gup(address, 1, flags, NULL, false);

    return result == 1 ? 0 : (int)result;
}

/* ---- giving back ---- */

void unpin_user_page(struct page *page)
{
    pm_pages_put(&page, 1, true);
    pm_count(&pm_counters()->pins_now, 1);
}

/* Kernel, since 5.10: a caller gave a pin_user_pages() that failed straight back. */
static bool is_no_count(unsigned long npages)
{
    return pm_warn_on(IS_ERR((const void *)npages), "unpin_user_pages() of an error in place of a count");
}

void unpin_user_pages(struct page **pages, unsigned long npages)
{
    if (is_no_count(npages)) {
        return;
    }
    pm_pages_put(pages, npages, true);
    pm_count(&pm_counters()->pins_now, npages);
}

void unpin_user_pages_dirty_lock(struct page **pages, unsigned long npages, bool make_dirty)
{
    (void)make_dirty;
    unpin_user_pages(pages, npages);
}

void unpin_user_page_range_dirty_lock(struct page *page, unsigned long npages, bool make_dirty)
{
    enum { AT_ONCE = 64 };
    struct page *pages[AT_ONCE];
    unsigned long count;

    if (is_no_count(npages)) {
        return;
    }
    for (; npages > 0; npages -= count) {
        count = npages < AT_ONCE ? npages : AT_ONCE;
        for (unsigned long i = 0; i < count; i++) {
            pages[i] = page++;
        }
        unpin_user_pages_dirty_lock(pages, count, make_dirty);
    }
}

bool page_maybe_dma_pinned(const struct page *page)
{
    const struct dev_pagemap *pgmap = page_pgmap(page);
    const struct page *head = pgmap == NULL ? page : pm_head(pgmap, page);

    if (pgmap == NULL || !pm_is_touched(page_to_pfn(head))) {
        return false;
    }
    return pm_load_acquire(&head->_refcount) >= (pgmap->vmemmap_shift > 0 ? PM_PIN : GUP_PIN_COUNTING_BIAS);
}
