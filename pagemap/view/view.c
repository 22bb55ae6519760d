// SPDX-License-Identifier: BSD-2-Clause
/* Views as a whole, and revoking and restoring parts of them. Kernel: mm/mmap.c, mm/memory.c (6.1). */
#include "pagemap/view/view.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "pagemap/base/atomic.h"
#include "pagemap/base/fault.h"
#include "pagemap/base/warn.h"
#include "pagemap/core/domain.h"
#include "pagemap/pagemap.h"
#include "pagemap/view/mechanism.h"

struct pm_view *pm_view_at(uint64_t vpn)
{
    const struct pm_tables *tables = pm_tables();
    void *view = NULL;

    return tables != NULL && rangemap_lookup_held(tables->views, vpn, &view) == 0 ? view : NULL;
}

static void free_view(struct rangemap_deferred *deferred)
{
    free(PM_CONTAINER_OF(deferred, struct pm_view, deferred));
}

/* ---- making and ending ---- */

static int check(const struct address_space *mapping, size_t bytes, int prot, uint64_t offset)
{
    const uint64_t granule_bytes = mapping->_granule_pages * PAGE_SIZE;

    if (bytes == 0 || ((bytes | offset) & (granule_bytes - 1)) != 0 ||
        offset / PAGE_SIZE + (bytes - 1) / PAGE_SIZE >= PM_INDEX_END) {
        return -EINVAL;
    }
    return (prot & PROT_READ) == 0 || (prot & ~(PROT_READ | PROT_WRITE)) != 0 ? -EINVAL : 0;
}

static struct pm_view *new_view(struct address_space *mapping, size_t bytes, int prot, uint64_t offset)
{
    struct pm_view *view = pm_alloc(sizeof *view);
    void *start;

    if (view == NULL) {
        return NULL;
    }
    start = pm_vm_reserve(bytes, mapping->_granule_pages * PAGE_SIZE, prot);
    if (IS_ERR(start)) {
        free(view);
        return NULL;
    }
    view->mapping = mapping;
    view->start = start;
    view->bytes = bytes;
    view->prot = prot;
    view->by_overlay = pm_choose_overlay();
    view->first_index = offset / PAGE_SIZE;
    view->last_index = view->first_index + (bytes - 1) / PAGE_SIZE;
    return view;
}

/* The caller defers free_view(). From here on nothing finds the view by its addresses, and the addresses are free for others. */
static void discard(struct pm_view *view)
{
    uint64_t vpn = pm_vpn(view->start), last = vpn + view->bytes / PAGE_SIZE - 1;
    int error = rangemap_carve(pm_tables()->views, vpn, last, NULL, NULL);

    error = error != 0 ? error : rangemap_carve(pm_tables()->present, vpn, last, NULL, NULL);
    (void)pm_warn_on(error != 0, "addresses of a view that ended can still be pinned");
    pm_store_release(&view->is_gone, 1);
    pm_mapping_bump(view->mapping);
    (void)munmap(view->start, view->bytes);
}

/* With the file locked. On failure a view was made that must be discarded (*made), or none. */
static int make(struct address_space *mapping, size_t bytes, int prot, uint64_t offset, struct pm_view **made)
{
    int error = check(mapping, bytes, prot, offset);
    struct pm_view *view = error == 0 ? new_view(mapping, bytes, prot, offset) : NULL;
    uint64_t vpn;

    *made = view;
    if (view == NULL) {
        return error != 0 ? error : -ENOMEM;
    }
    error = pm_show_file(view, view->first_index, view->last_index);
    error = error == 0 && pm_fault_here() ? -ENOMEM : error;
    if (error == 0) {
        vpn = pm_vpn(view->start);
        error = rangemap_insert(pm_tables()->views, vpn, vpn + bytes / PAGE_SIZE - 1, view, NULL);
    }
    if (error == 0) {
        view->next = mapping->_views;
        mapping->_views = view;
    }
    return error;
}

void *vm_mmap(struct address_space *mapping, size_t bytes, int prot, uint64_t offset)
{
    struct pm_view *view;
    int error = pm_mapping_lock_or_fail(mapping);

    if (error != 0) {
        return ERR_PTR(error);
    }
    error = make(mapping, bytes, prot, offset, &view);
    pm_mapping_unlock(mapping);
    if (error != 0 && view != NULL) {
        pm_mapping_lock(mapping); /* with memory for what discard() does */
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

    if (bytes > 0 && pagemap_read_lock() == 0) {
        const struct pm_view *view = pm_view_at(pm_vpn(start));

        if (view != NULL && view->start == start && view->bytes == bytes &&
            pm_mapping_tryget(view->mapping)) {
            mapping = view->mapping;
        }
        pagemap_read_unlock();
    }
    return mapping;
}

int vm_munmap(void *start, size_t bytes)
{
    struct address_space *mapping = mapping_of_view(start, bytes);
    struct pm_view **link, *view;

    if (mapping == NULL) {
        return -EINVAL;
    }
    pm_mapping_lock(mapping);
    link = &mapping->_views;
    while (*link != NULL && (*link)->start != start) {
        link = &(*link)->next;
    }
    view = *link; /* NULL: another thread was faster */
    if (view != NULL) {
        *link = view->next;
        discard(view);
    }
    pm_mapping_unlock(mapping);
    pm_mapping_put(mapping);
    if (view != NULL) {
        pm_defer(&view->deferred, free_view);
    }
    return view != NULL ? 0 : -EINVAL;
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
    pm_mapping_lock(mapping);
    pm_hide_in_views(mapping, first, last);
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
    uint64_t last = nr_pages == 0 || nr_pages > PM_INDEX_END - 1 ? PM_INDEX_END - 1 : index + nr_pages - 1;

    (void)even_cows;
    if (index < PM_INDEX_END) {
        hide(mapping, index, last);
    }
}

int map_mapping_range(struct address_space *mapping, uint64_t start, uint64_t bytes)
{
    uint64_t first = pm_first_index(start), last = pm_last_index(start, bytes);
    int error = pm_mapping_lock_or_fail(mapping);

    if (error != 0) {
        return error;
    }
    pm_round_to_granules(mapping, &first, &last);
    for (struct pm_view *view = mapping->_views; view != NULL && error == 0; view = view->next) {
        error = pm_show_file(view, first, last);
    }
    pm_mapping_unlock(mapping);
    return error;
}
