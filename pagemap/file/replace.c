// SPDX-License-Identifier: BSD-2-Clause
/*
 * One page of a file in place of another, in one step. Kernel: folio_migrate_mapping(), mm/migrate.c;
 * replace_page_cache_folio() (6.1).
 */
#include <errno.h>
#include <stdlib.h>

#include "pagemap/base/fault.h"
#include "pagemap/core/domain.h"
#include "pagemap/mapping/associate.h"
#include "pagemap/mapping/told.h"
#include "pagemap/page/marks.h"
#include "pagemap/page/page.h"
#include "pagemap/view/mechanism.h"
#include "pagemap/view/view.h"

/* An invalidation of many that are under way at once; the newest first, and the first to end. */
struct link {
    struct link *next;
    struct pm_told told;
};

struct replacement {
    struct address_space *mapping;
    uint64_t index, old, new;  /* pfns */
    struct dev_pagemap *pgmap; /* of `new`; the caller has a reference */
    struct dev_pagemap *old_pgmap;
    struct link *links;
};

static bool is_private(const struct dev_pagemap *pgmap)
{
    return pgmap->type == MEMORY_DEVICE_PRIVATE;
}

/* Whether the view is to have the new page: it shows the old one, or would if any CPU could see that. */
static bool takes_part(const struct replacement *replacement, const struct pm_view *view)
{
    uint64_t vpn = pm_view_vpn(view, replacement->index), nr_pages = 1;
    struct rangemap_entry run;

    return is_private(replacement->old_pgmap) ||
           (!pm_view_denies(view, vpn, &nr_pages) && rangemap_find(pm_tables()->present, vpn, &run) == 0);
}

/* ---- telling; the file is locked, but not all the time ---- */

static bool is_told(const struct replacement *replacement, const struct pm_told_space *space, uint64_t start)
{
    for (const struct link *link = replacement->links; link != NULL; link = link->next) {
        if (link->told.space == space && link->told.range.start == start) {
            return true;
        }
    }
    return false;
}

/* 1: it is told, and the file was locked all the time; 0: it was not, and views may be gone: look again; -ENOMEM. */
static int tell_page(struct replacement *replacement, struct pm_told_space *space, uint64_t start)
{
    struct link *link;

    if (is_told(replacement, space, start)) {
        return 1;
    }
    link = pm_alloc(sizeof *link);
    if (link == NULL) {
        return -ENOMEM;
    }
    link->told = pm_told_none(space);
    link->next = replacement->links;
    replacement->links = link;
    return pm_tell(replacement->mapping, &link->told, start, start + PAGE_SIZE);
}

static int tell_view(struct replacement *replacement, const struct pm_view *view)
{
    return takes_part(replacement, view) ? tell_page(replacement, &pm_told_addresses,
                                                     (uintptr_t)pm_view_address(view, replacement->index))
                                         : 1;
}

static int tell_once(struct replacement *replacement)
{
    const uint64_t index = replacement->index;
    int result = tell_page(replacement, &pm_told_physical, PFN_PHYS(replacement->old));
    struct pm_view *view = result > 0 ? pm_views_first(replacement->mapping, index, index) : NULL;

    while (view != NULL) {
        result = tell_view(replacement, view);
        view = result > 0 ? pm_views_next(view, index, index) : NULL;
    }
    return result;
}

static int find_old(struct replacement *replacement)
{
    void *difference;

    if (rangemap_lookup(replacement->mapping->_pages, replacement->index, &difference) != 0 ||
        pm_translate(difference, replacement->index) != replacement->old) {
        return -ESTALE;
    }
    replacement->old_pgmap = pm_find(replacement->old); /* kept by the file's reference */
    return 0;
}

static int tell_all(struct replacement *replacement)
{
    int told = 0;

    while (told == 0) {
        int error = find_old(replacement);

        if (error != 0) {
            return error;
        }
        told = tell_once(replacement);
    }
    return told < 0 ? told : 0;
}

static void end_all(struct replacement *replacement)
{
    struct link *link;

    while ((link = replacement->links) != NULL) {
        pm_told_end(replacement->mapping, &link->told);
        replacement->links = link->next;
        free(link);
    }
}

/* ---- one view ---- */

/* Of pfn, which may be PRIVATE: one mmap() over the page, of which a touch sees what was or what comes. */
static int show(struct pm_view *view, uint64_t index, uint64_t pfn, bool private)
{
    if (private) {
        return pm_vm_hide(view, pm_view_address(view, index), PAGE_SIZE) ? 0 : -ENOMEM;
    }
    return pm_fault_here() ? -ENOMEM : pm_show(view, index, pfn, 1);
}

/* Memory was set aside. */
static void allow_pins(const struct replacement *replacement, struct pm_view *view)
{
    uint64_t vpn = pm_view_vpn(view, replacement->index);

    if (is_private(replacement->pgmap)) {
        pm_ignore(rangemap_carve(pm_tables()->present, vpn, vpn, NULL, NULL));
    } else {
        (void)pm_allow_pins(view, replacement->index, replacement->new, 1);
    }
}

/* ---- all of them; the file is locked ---- */

/* Calls one of the two for each view that takes part, up to `end`, or the first error. */
static int show_all(const struct replacement *replacement, struct pm_view **end)
{
    const uint64_t index = replacement->index;
    int error = 0;

    for (struct pm_view *view = pm_views_first(replacement->mapping, index, index);
         view != NULL && error == 0; view = pm_views_next(view, index, index)) {
        *end = view;
        if (takes_part(replacement, view)) {
            error = pm_settle(view);
            error = error != 0 ? error : show(view, index, replacement->new, is_private(replacement->pgmap));
        }
    }
    return error;
}

/*
 * The old page again, in those up to `end`. Its mappings were there a moment ago. False: the system refuses all the
 * same, somewhere, and there it cannot be pinned.
 */
static bool show_old(const struct replacement *replacement, const struct pm_view *end)
{
    const uint64_t index = replacement->index;
    bool is_shown = true, done = false;

    for (struct pm_view *view = pm_views_first(replacement->mapping, index, index); !done;
         view = pm_views_next(view, index, index)) {
        if (takes_part(replacement, view) &&
            show(view, index, replacement->old, is_private(replacement->old_pgmap)) != 0) {
            pm_forbid_pins(view, index, index);
            is_shown = false;
        }
        done = view == end;
    }
    return is_shown;
}

static unsigned count_views(const struct replacement *replacement)
{
    const uint64_t index = replacement->index;
    unsigned count = 0;

    for (struct pm_view *view = pm_views_first(replacement->mapping, index, index); view != NULL;
         view = pm_views_next(view, index, index)) {
        count++;
    }
    return count;
}

/* What cannot fail any more. Both pages are associated until the file has the new one. */
static void commit(const struct replacement *replacement)
{
    const uint64_t index = replacement->index;

    for (struct pm_view *view = pm_views_first(replacement->mapping, index, index); view != NULL;
         view = pm_views_next(view, index, index)) {
        if (takes_part(replacement, view)) {
            allow_pins(replacement, view);
        }
    }
    pm_ignore(rangemap_store(replacement->mapping->_pages, index, index,
                             pm_difference(replacement->new, index), NULL, NULL)); /* memory was set aside */
    (void)pm_disassociate(replacement->old, 1);
    if (replacement->pgmap->type == MEMORY_DEVICE_FS_DAX) {
        __atomic_store_n(&replacement->mapping->_is_fs_dax, true, __ATOMIC_RELAXED);
    }
}

/*
 * The new page is good, and its driver's if it must be. After the association: memory_failure() sees one or we the
 * other.
 */
static int check_new(const struct replacement *replacement)
{
    if (pm_poison_next(replacement->new, replacement->new) != UINT64_MAX) {
        return -EHWPOISON;
    }
    return pm_is_allocated_type(replacement->pgmap) && page_count(pfn_to_page(replacement->new)) == 0
               ? -EAGAIN
               : 0;
}

/* On failure the new page is not associated any more. */
static int show_and_commit(const struct replacement *replacement)
{
    struct address_space *mapping = replacement->mapping;
    struct pm_revocation rest = pm_revocation_of(mapping, replacement->index, replacement->index);
    struct pm_view *end = NULL;
    bool is_whole = true;
    int error;

    pm_mapping_change_begin(mapping);
    error = show_all(replacement, &end);
    if (error == 0) {
        commit(replacement);
    } else { /* memory was set aside for the first, which the second might use up */
        (void)pm_disassociate(replacement->new, 1);
        is_whole = show_old(replacement, end);
    }
    pm_mapping_change_end(mapping);
    if (!is_whole) {
        pm_revoke(&rest);
    }
    return error;
}

/* Updates: `present` of each view, twice; the file's pages, the old association, and the new one, or taking it back. */
static int swap(struct replacement *replacement)
{
    int error;

    if (replacement->mapping->_granule_pages > 1 || replacement->old_pgmap->vmemmap_shift > 0) {
        return -EINVAL;
    }
    error = pm_mapping_reserve(replacement->mapping, 2 * count_views(replacement) + 4);
    error = error != 0 ? error : pm_associate(replacement->mapping, replacement->index, replacement->new, 1);
    if (error != 0) {
        return error;
    }
    error = check_new(replacement);
    if (error != 0) {
        (void)pm_disassociate(replacement->new, 1);
        return error;
    }
    return show_and_commit(replacement);
}

/* ---- the call ---- */

static int replace(struct replacement *replacement)
{
    int error;

    pm_mapping_lock(replacement->mapping);
    error = tell_all(replacement);
    error = error != 0 ? error : swap(replacement);
    end_all(replacement);
    pm_mapping_unlock(replacement->mapping);
    return error;
}

/* A page that can be mapped by itself. */
static int check_place(const struct replacement *replacement)
{
    const struct dev_pagemap *pgmap = replacement->pgmap;
    const struct pagemap_memory *memory;

    if (!pgmap_pfn_valid(pgmap, replacement->new)) {
        return -ENXIO;
    }
    memory = pgmap->_mapped->range[pm_range_of(pgmap, replacement->new)].memory;
    return pgmap->vmemmap_shift > 0 || (!is_private(pgmap) && memory->granule > PAGE_SIZE) ? -EINVAL : 0;
}

/* The file's references: on the dev_pagemap, and of a page that is allocated, on itself. */
static void put_old(const struct replacement *replacement)
{
    if (pm_is_allocated_type(replacement->old_pgmap)) {
        put_page(pm_page_of(replacement->old_pgmap, replacement->old));
    }
    percpu_ref_put(&replacement->old_pgmap->ref);
}

int filemap_replace_page(struct address_space *mapping, uint64_t index, struct page *old, struct page *page)
{
    struct replacement replacement = {mapping, index, page_to_pfn(old), page_to_pfn(page), NULL, NULL, NULL};
    int error = pm_attach();

    if (old == page || index >= PM_INDEX_END) {
        return -EINVAL;
    }
    replacement.pgmap = pm_get(replacement.new);
    if (replacement.pgmap == NULL) {
        return error != 0 ? error : -ENXIO;
    }
    error = check_place(&replacement);
    error = error != 0 ? error : check_new(&replacement);
    if (error == 0) {
        percpu_ref_get(&replacement.pgmap->ref);
        error = replace(&replacement);
        if (error == 0) {
            put_old(&replacement);
        } else {
            percpu_ref_put(&replacement.pgmap->ref);
        }
    }
    pm_put(replacement.pgmap);
    return error;
}
