// SPDX-License-Identifier: BSD-2-Clause
/* Putting pages into a file, and finding them there. Kernel: mm/filemap.c, fs/dax.c (6.1). */
#include <errno.h>

#include "pagemap/base/fault.h"
#include "pagemap/core/domain.h"
#include "pagemap/mapping/associate.h"
#include "pagemap/mapping/mapping.h"
#include "pagemap/page/mapped.h"
#include "pagemap/page/marks.h"
#include "pagemap/page/page.h"
#include "pagemap/pagemap.h"
#include "pagemap/view/view.h"

/* Updates that take an insertion back: of `present`, of the associations. */
enum { UNDO = 2 };

/* Pages to be inserted; the caller has a reference on pgmap. */
struct run {
    struct dev_pagemap *pgmap;
    uint64_t index, pfn, nr_pages;
    uint64_t granule_pages;
};

static uint64_t last_pfn(const struct run *run)
{
    return run->pfn + run->nr_pages - 1;
}

/* Valid pages of one range. */
static int check_place(struct run *run)
{
    int id = pm_range_of(run->pgmap, run->pfn);
    const struct pagemap_memory *memory = run->pgmap->_mapped->range[id].memory;

    if (!pgmap_pfn_valid(run->pgmap, run->pfn) || pm_range_of(run->pgmap, last_pfn(run)) != id) {
        return -ENXIO;
    }
    run->granule_pages = run->pgmap->type == MEMORY_DEVICE_PRIVATE ? 1 : memory->granule / PAGE_SIZE;
    return ((run->index | run->pfn | run->nr_pages) & (run->granule_pages - 1)) != 0 ? -EINVAL : 0;
}

/* The file takes over a reference that each allocated page must have. */
static int check_pages(const struct run *run)
{
    if (pm_poison_next(run->pfn, last_pfn(run)) != UINT64_MAX) {
        return -EHWPOISON;
    }
    if (pm_is_allocated_type(run->pgmap)) {
        for (uint64_t pfn = run->pfn; pfn <= last_pfn(run); pfn++) {
            if (page_count(pfn_to_page(pfn)) == 0) {
                return -EAGAIN;
            }
        }
    }
    return 0;
}

/*
 * When pages leave the file each is put, n of a compound page n times: for that as many references are needed, of
 * which the caller gives one. The rest, of those in [run->pfn, end_pfn), is taken here, or given back.
 */
static void put_rest(const struct run *run, uint64_t end_pfn)
{
    for (uint64_t pfn = run->pfn, next; pm_is_allocated_type(run->pgmap) && pfn < end_pfn; pfn = next) {
        next = pm_next_compound(run->pgmap, pfn, last_pfn(run));
        put_page_many(pfn_to_page(pfn), next - pfn - 1);
    }
}

static int get_rest(const struct run *run)
{
    bool left_idle;

    for (uint64_t pfn = run->pfn, next; pm_is_allocated_type(run->pgmap) && pfn <= last_pfn(run);
         pfn = next) {
        next = pm_next_compound(run->pgmap, pfn, last_pfn(run));
        if (next - pfn > 1 && !pm_page_count_up(run->pgmap, pfn, next - pfn - 1, &left_idle)) {
            put_rest(run, pfn);
            return -EAGAIN; /* it went idle just now */
        }
    }
    return 0;
}

/* All is cut along the largest pages. Only an empty file without views can change over to larger ones. */
static int check_granule(const struct address_space *mapping, const struct run *run)
{
    bool is_fresh = mapping->_nrpages == 0 && mapping->_views == NULL;

    if (run->granule_pages > mapping->_granule_pages) {
        return is_fresh ? 0 : -EINVAL;
    }
    return ((run->index | run->nr_pages) & (mapping->_granule_pages - 1)) != 0 ? -EINVAL : 0;
}

static int show(struct address_space *mapping, const struct run *run)
{
    uint64_t last_index = run->index + run->nr_pages - 1;
    int error = 0;

    for (struct pm_view *view = pm_views_first(mapping, run->index, last_index); view != NULL && error == 0;
         view = pm_views_next(view, run->index, last_index)) {
        uint64_t first = run->index, last = last_index;

        if (pm_view_overlap(view, &first, &last)) {
            error = pm_settle(view);
            error =
                error != 0 ? error : pm_show(view, first, run->pfn + (first - run->index), last - first + 1);
        }
    }
    return error;
}

/* Before each update enough is set aside to take all of it back; and in the end to insert it. */
static int allow_pins(struct address_space *mapping, const struct run *run)
{
    uint64_t last_index = run->index + run->nr_pages - 1;
    int error = pm_mapping_reserve(mapping, UNDO + 1);

    for (struct pm_view *view = pm_views_first(mapping, run->index, last_index); view != NULL && error == 0;
         view = pm_views_next(view, run->index, last_index)) {
        uint64_t first = run->index, last = last_index;

        if (pm_view_overlap(view, &first, &last)) {
            error = pm_mapping_reserve(mapping, UNDO + 2);
            error = error != 0
                        ? error
                        : pm_allow_pins(view, first, run->pfn + (first - run->index), last - first + 1);
        }
    }
    return error;
}

static void note_insertion(struct address_space *mapping, const struct run *run)
{
    (void)pm_add_full(&mapping->_nrpages, run->nr_pages);
    mapping->_granule_pages =
        run->granule_pages > mapping->_granule_pages ? run->granule_pages : mapping->_granule_pages;
    if (run->pgmap->type == MEMORY_DEVICE_FS_DAX) { /* looked at without the lock */
        __atomic_store_n(&mapping->_is_fs_dax, true, __ATOMIC_RELAXED);
    }
}

/* After the association: memory_failure() sees one or we the other. */
static int check_associated(const struct address_space *mapping, const struct run *run)
{
    return rangemap_is_free(mapping->_pages, run->index, run->index + run->nr_pages - 1) == 1
               ? check_pages(run)
               : -EEXIST;
}

/*
 * Exactly what was shown, of which no client need be told: it was in no file, and could not be pinned while the file
 * was changing. False: from some view no less than more can be hidden; there it cannot be pinned.
 */
static bool unshow(struct address_space *mapping, const struct run *run)
{
    uint64_t last_index = run->index + run->nr_pages - 1;
    bool done = true;

    for (struct pm_view *view = pm_views_first(mapping, run->index, last_index); view != NULL;
         view = pm_views_next(view, run->index, last_index)) {
        uint64_t first = run->index, last = last_index, more_first, more_last;

        if (pm_view_overlap(view, &first, &last)) {
            more_first = first;
            more_last = last;
            if (!pm_hide(view, &more_first, &more_last)) {
                pm_forbid_pins(view, first, last);
                done = false;
            }
        }
    }
    return done;
}

/* With the pages associated, and memory set aside to undo that: if it fails, all is as it was. */
static int show_and_insert(struct address_space *mapping, const struct run *run)
{
    uint64_t last = run->index + run->nr_pages - 1;
    struct pm_revocation rest = pm_revocation_of(mapping, run->index, last);
    bool done = true;
    int error;

    pm_mapping_change_begin(mapping); /* in one view, and then in another */
    error = show(mapping, run);
    error = error != 0 ? error : allow_pins(mapping, run);
    if (error == 0) { /* memory was set aside */
        pm_ignore(
            rangemap_insert(mapping->_pages, run->index, last, pm_difference(run->pfn, run->index), NULL));
        note_insertion(mapping, run);
    } else { /* memory was set aside for the first, which the second might use up */
        (void)pm_disassociate(run->pfn, run->nr_pages);
        done = unshow(mapping, run);
    }
    pm_mapping_change_end(mapping);
    if (!done) {
        pm_revoke(&rest);
    }
    return error;
}

/* With the file locked. */
static int associate_and_insert(struct address_space *mapping, const struct run *run)
{
    int error = check_granule(mapping, run);

    if (error != 0) {
        return error;
    }
    error = pm_mapping_reserve(mapping, UNDO + 1);
    if (error != 0) {
        return error;
    }
    error = pm_associate(mapping, run->index, run->pfn, run->nr_pages);
    if (error != 0) {
        return error;
    }
    error = check_associated(mapping, run);
    if (error != 0) {
        (void)pm_disassociate(run->pfn, run->nr_pages);
        return error;
    }
    return show_and_insert(mapping, run);
}

static int insert(struct address_space *mapping, const struct run *run)
{
    int error;

    pm_mapping_lock(mapping);
    error = associate_and_insert(mapping, run);
    pm_mapping_unlock(mapping);
    return error;
}

/* What can be said before the file is locked, and the references that the caller does not give. */
static int check_and_get_rest(struct run *run)
{
    int error = check_place(run);

    if (error != 0) {
        return error;
    }
    error = check_pages(run);
    return error != 0 ? error : get_rest(run);
}

int filemap_add_pages(struct address_space *mapping, uint64_t index, uint64_t pfn, uint64_t nr_pages)
{
    struct run run = {.index = index, .pfn = pfn, .nr_pages = nr_pages};
    int error = pm_attach();

    if (nr_pages == 0 || nr_pages > PM_INDEX_END || index > PM_INDEX_END - nr_pages ||
        pfn > PM_INDEX_END - nr_pages) {
        return -EINVAL;
    }
    run.pgmap = pm_get(pfn);
    if (run.pgmap == NULL) {
        return error != 0 ? error : -ENXIO;
    }
    error = check_and_get_rest(&run);
    if (error == 0) {
        percpu_ref_get_many(&run.pgmap->ref, nr_pages);
        error = insert(mapping, &run);
        if (error != 0) {
            percpu_ref_put_many(&run.pgmap->ref, nr_pages);
            put_rest(&run, pfn + nr_pages);
        }
    }
    pm_put(run.pgmap);
    return error;
}

/* As get_user_pages(): the thread that takes the page out bumps the generation before looking at its count. */
static inline struct page *find_with(struct address_space *mapping, uint64_t index,
                                     struct page *(*get)(uint64_t pfn))
{
    for (;;) {
        uint64_t generation = pm_load_acquire(&mapping->_generation);
        struct page *page;
        void *difference;

        if (rangemap_lookup(mapping->_pages, index, &difference) != 0) {
            return NULL;
        }
        page = get(pm_translate(difference, index));
        if (pm_load_full(&mapping->_generation) == generation) {
            return page;
        }
        if (page != NULL) { /* else it may be one that was replaced, and is its driver's again */
            put_page(page);
        }
    }
}

struct page *find_get_page(struct address_space *mapping, uint64_t index)
{
    return find_with(mapping, index, pagemap_get_page);
}

struct page *find_get_held_page(struct address_space *mapping, uint64_t index)
{
    return find_with(mapping, index, pagemap_get_held_page);
}
