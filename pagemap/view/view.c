// SPDX-License-Identifier: BSD-2-Clause
/* Views as a whole, and revoking and restoring parts of them. Kernel: mm/mmap.c, mm/memory.c (6.1). */
#include "pagemap/view/view.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "pagemap/base/atomic.h"
#include "pagemap/base/fault.h"
#include "pagemap/base/map.h"
#include "pagemap/core/domain.h"
#include "pagemap/notifier/notifier.h"
#include "pagemap/pagemap.h"
#include "pagemap/view/mechanism.h"

struct pm_view *pm_view_at(uint64_t vpn)
{
    const struct pm_tables *tables = pm_tables();
    void *view = NULL;

    return tables != NULL && rangemap_lookup_held(tables->views, vpn, &view) == 0 ? view : NULL;
}

static void free_view(struct rangemap_deferred *deferred, void *context)
{
    (void)context;
    free(PM_CONTAINER_OF(deferred, struct pm_view, deferred));
}

/* ---- making and ending ---- */

static int check(const struct address_space *mapping, size_t bytes, int prot, uint64_t offset)
{
    const uint64_t granule_bytes = mapping->_granule_pages * PAGE_SIZE;

    if (bytes == 0 || ((bytes | offset) & (granule_bytes - 1)) != 0 ||
        offset / PAGE_SIZE + bytes / PAGE_SIZE > PM_INDEX_END) {
        return -EINVAL;
    }
    return (prot & PROT_READ) == 0 || (prot & ~(PROT_READ | PROT_WRITE)) != 0 ? -EINVAL : 0;
}

static struct pm_view *new_view(struct address_space *mapping, size_t bytes, int prot, uint64_t offset,
                                size_t alignment)
{
    struct pm_view *view = pm_alloc(sizeof *view);
    void *start;

    if (view == NULL) {
        return NULL;
    }
    if (alignment < mapping->_granule_pages * PAGE_SIZE) {
        alignment = mapping->_granule_pages * PAGE_SIZE;
    }
    start = pm_fault_here() ? NULL : pm_vm_reserve(bytes, alignment, prot);
    if (start == NULL) {
        free(view);
        return NULL;
    }
    view->mapping = mapping;
    view->start = start;
    view->bytes = bytes;
    view->prot = prot;
    view->by_overlay = pm_choose_overlay();
    view->interval.first = offset / PAGE_SIZE;
    view->interval.last = view->interval.first + bytes / PAGE_SIZE - 1;
    return view;
}

/*
 * The caller defers free_view(), and has closed the addresses. From here on nothing finds the view by them, and they
 * are free for others. Pages that stay in `present` for want of memory are of no view; a view that is made there
 * takes them out.
 */
static void discard(struct pm_view *view)
{
    uint64_t vpn = pm_vpn(view->start), last = vpn + view->bytes / PAGE_SIZE - 1;

    pm_ignore(rangemap_carve(pm_tables()->present, vpn, last, NULL, NULL)); /* see above */
    pm_store_release(&view->is_gone, 1);
    pm_mapping_bump(view->mapping);
    (void)pm_area_release(view->start, view->bytes);
}

/* Shows what the file has, and lets the view be found. */
static int show_and_publish(struct pm_view *view)
{
    uint64_t vpn = pm_vpn(view->start), last_vpn = vpn + view->bytes / PAGE_SIZE - 1;
    uint64_t first = view->interval.first, last = view->interval.last;
    int error = rangemap_carve(pm_tables()->present, vpn, last_vpn, NULL, NULL);

    if (error != 0) {
        return error;
    }
    error = pm_show_file(view, &first, &last);
    if (error != 0) {
        return error;
    }
    if (pm_fault_here()) {
        return -ENOMEM;
    }
    /* A view that is there already is one of the process that this one was forked by. */
    error = rangemap_store(pm_tables()->views, vpn, last_vpn, view, NULL, NULL);
    if (error == 0) {
        pm_interval_insert(&view->mapping->_views, &view->interval);
    }
    return error;
}

/* With the file locked. On failure a view was made that must be discarded (*made), or none. */
static int make(struct address_space *mapping, size_t bytes, int prot, uint64_t offset, size_t alignment,
                struct pm_view **made)
{
    int error = check(mapping, bytes, prot, offset);

    *made = NULL;
    if (error != 0) {
        return error;
    }
    *made = new_view(mapping, bytes, prot, offset, alignment);
    return *made == NULL ? -ENOMEM : show_and_publish(*made);
}

void *vm_mmap(struct address_space *mapping, size_t bytes, int prot, uint64_t offset)
{
    return vm_mmap_aligned(mapping, bytes, prot, offset, PAGE_SIZE);
}

void *vm_mmap_aligned(struct address_space *mapping, size_t bytes, int prot, uint64_t offset,
                      size_t alignment)
{
    struct pm_view *view;
    int error;

    if (alignment == 0 || (alignment & (alignment - 1)) != 0) {
        return ERR_PTR(-EINVAL);
    }
    pm_mapping_lock(mapping);
    error = make(mapping, bytes, prot, offset, alignment, &view);
    pm_mapping_unlock(mapping);
    if (error != 0 && view != NULL) { /* no thread has found it yet */
        (void)pm_area_close(view->start, view->bytes);
        pm_mapping_lock(mapping);
        discard(view);
        pm_mapping_unlock(mapping);
        pm_defer(&view->deferred, free_view);
    }
    return error != 0 ? ERR_PTR(error) : view->start;
}

/* The file of the view with these bounds, kept; NULL: there is none. */
static struct address_space *mapping_of_view(const void *start, size_t bytes)
{
    struct address_space *mapping = NULL;

    if (pagemap_read_lock() == 0) {
        const struct pm_view *view = pm_view_at(pm_vpn(start));

        if (view != NULL && view->start == start && view->bytes == bytes &&
            pm_mapping_tryget(view->mapping)) {
            mapping = view->mapping;
        }
        pagemap_read_unlock();
    }
    return mapping;
}

/*
 * With the file locked, which the view is of: it stays, if it is still there. One of another file may go as the section
 * ends.
 */
static struct pm_view *view_of(const struct address_space *mapping, const void *start, size_t bytes)
{
    struct pm_view *view = NULL;

    if (pagemap_read_lock() == 0) {
        view = pm_view_at(pm_vpn(start));
        if (view != NULL && (view->mapping != mapping || view->start != start || view->bytes != bytes)) {
            view = NULL;
        }
        pagemap_read_unlock();
    }
    return view;
}

/* With the file locked. What can fail comes first. */
static int end_view(struct address_space *mapping, struct pm_view *view)
{
    uint64_t vpn = pm_vpn(view->start);
    int error = rangemap_reserve(pm_tables()->views, 1);

    if (error != 0 || !pm_area_close(view->start, view->bytes)) {
        return -ENOMEM;
    }
    pm_ignore(rangemap_carve(pm_tables()->views, vpn, vpn + view->bytes / PAGE_SIZE - 1, NULL,
                             NULL)); /* reserved */
    pm_interval_remove(&mapping->_views, &view->interval);
    pm_forget_granule(mapping);
    discard(view);
    return 0;
}

int vm_munmap(void *start, size_t bytes)
{
    struct address_space *mapping;
    struct mmu_notifier_range range;
    struct pm_view *view;
    int error = pm_attach();

    if (error != 0) {
        return error;
    }
    error = -EINVAL;
    mapping = mapping_of_view(start, bytes);
    if (mapping == NULL) {
        return error;
    }
    mmu_notifier_range_init(&range, MMU_NOTIFY_UNMAP, 0, NULL, NULL, (uintptr_t)start,
                            (uintptr_t)start + bytes);
    pm_invalidate_start(&pm_told_addresses, &range);
    pm_mapping_lock(mapping);
    view = view_of(mapping, start, bytes); /* NULL: another thread was faster */
    if (view != NULL) {
        error = end_view(mapping, view);
    }
    pm_mapping_unlock(mapping);
    pm_invalidate_end(&range);
    pm_mapping_put(mapping);
    if (error == 0) {
        pm_defer(&view->deferred, free_view);
    }
    return error;
}

enum pagemap_revocation pagemap_view_revocation(const void *address)
{
    enum pagemap_revocation how = PAGEMAP_REVOKE_AUTO;

    if (pagemap_read_lock() == 0) {
        const struct pm_view *view = pm_view_at(pm_vpn(address));

        if (view != NULL) {
            how = __atomic_load_n(&view->by_overlay, __ATOMIC_RELAXED) ? PAGEMAP_REVOKE_OVERLAY
                                                                       : PAGEMAP_REVOKE_UFFD;
        }
        pagemap_read_unlock();
    }
    return how;
}

/* ---- parts ---- */

static void hide(struct address_space *mapping, uint64_t first, uint64_t last)
{
    struct pm_revocation revocation = pm_revocation_of(mapping, first, last);

    pm_mapping_lock(mapping);
    pm_revoke(&revocation);
    pm_mapping_unlock(mapping);
}

/* A length, not an end (bug 27), and 64 bits wide before anything is shifted (bug 29). */
void unmap_mapping_range(struct address_space *mapping, uint64_t start, uint64_t bytes, int even_cows)
{
    (void)even_cows;
    hide(mapping, pm_first_index(start), pm_last_index(start, bytes));
}

void unmap_mapping_pages(struct address_space *mapping, uint64_t index, uint64_t nr_pages, bool even_cows)
{
    uint64_t last;

    (void)even_cows;
    if (nr_pages == 0 || __builtin_add_overflow(index, nr_pages - 1, &last)) {
        last = UINT64_MAX; /* to the end of any file */
    }
    hide(mapping, index, last);
}

int map_mapping_range(struct address_space *mapping, uint64_t start, uint64_t bytes)
{
    uint64_t first = pm_first_index(start), last = pm_last_index(start, bytes);
    struct pm_revocation half = {.mapping = mapping};
    int error = pm_attach();

    if (error != 0) {
        return error; /* what is present stays so */
    }
    pm_mapping_lock(mapping);
    pm_round_to_granules(mapping, &first, &last);
    pm_mapping_change_begin(mapping); /* pages that can be touched are not known to be shown yet */
    for (struct pm_view *view = pm_views_first(mapping, first, last); view != NULL && error == 0;
         view = pm_views_next(view, first, last)) {
        half.first = first;
        half.last = last;
        error = pm_show_file(view, &half.first, &half.last);
    }
    pm_mapping_change_end(mapping);
    if (error != 0) {
        pm_revoke(&half);
    }
    pm_mapping_unlock(mapping);
    return error;
}
