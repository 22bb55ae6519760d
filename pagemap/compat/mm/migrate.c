// SPDX-License-Identifier: BSD-2-Clause
/*
 * Moving pages between ordinary memory and devices. Kernel: mm/migrate_device.c (6.1).
 *
 * From setup to finalize a page that moves is locked and out of view: a fault on it waits. It is replaced in its file
 * in one step, so that no thread finds a hole; a hole is filled under their lock.
 */
#include <linux/highmem.h>
#include <linux/migrate.h>

#include "pagemap/compat/mm/mm.h"

/* Whether the flags choose pages of this kind and owner. */
static bool selects(const struct migrate_vma *args, const struct page *page)
{
    const struct dev_pagemap *pgmap = page_pgmap(page);

    if (is_device_private_page(page)) {
        return (args->flags & MIGRATE_VMA_SELECT_DEVICE_PRIVATE) != 0 && pgmap->owner == args->pgmap_owner;
    }
    if (is_device_coherent_page(page)) {
        return (args->flags & MIGRATE_VMA_SELECT_DEVICE_COHERENT) != 0 && pgmap->owner == args->pgmap_owner;
    }
    return (args->flags & MIGRATE_VMA_SELECT_SYSTEM) != 0 && pm_is_ram(page);
}

static void give_back(struct page *page)
{
    unlock_page(page);
    put_page(page);
}

/*
 * Only its file, the migration and `others` hold it. The page is out of view, so that no other holder comes that way.
 */
static bool may_move(const struct page *page, uint64_t others)
{
    return page_count(page) == 2 + others;
}

/* The page of one address, chosen, locked, out of view; its entry, or 0. */
static unsigned long collect(struct migrate_vma *args, unsigned long address)
{
    struct address_space *mapping = args->vma->pm_mapping;
    pgoff_t index = linear_page_index(args->vma, address);
    struct page *page = find_get_held_page(mapping, index);

    if (page == NULL) {
        return args->vma->pm_is_anonymous && (args->flags & MIGRATE_VMA_SELECT_SYSTEM) != 0
                   ? MIGRATE_PFN_MIGRATE
                   : 0;
    }
    if (!selects(args, page) || !trylock_page(page)) {
        put_page(page);
        return 0;
    }
    pm_hide_page(mapping, index);
    if (page_index(page) != index || !may_move(page, page == args->fault_page)) {
        pm_show_page(mapping, index);
        give_back(page);
        return 0;
    }
    return migrate_pfn(page_to_pfn(page)) | MIGRATE_PFN_MIGRATE |
           ((args->vma->vm_flags & VM_WRITE) != 0 ? MIGRATE_PFN_WRITE : 0);
}

int migrate_vma_setup(struct migrate_vma *args)
{
    struct mmu_notifier_range range;

    args->start &= PAGE_MASK;
    args->end &= PAGE_MASK;
    if (args->vma == NULL) { /* a fault of get_user_pages() of pagemap knows no area */
        args->vma = vma_lookup(&init_mm, args->start);
    }
    if (args->vma == NULL || args->start >= args->end || args->start < args->vma->vm_start ||
        args->end > args->vma->vm_end || args->src == NULL || args->dst == NULL ||
        (args->fault_page != NULL && !is_device_private_page(args->fault_page))) {
        return -EINVAL;
    }
    args->npages = (args->end - args->start) >> PAGE_SHIFT;
    args->cpages = 0;
    memset(args->dst, 0, args->npages * sizeof *args->dst);
    mmu_notifier_range_init_owner(&range, MMU_NOTIFY_MIGRATE, 0, args->vma, args->vma->vm_mm, args->start,
                                  args->end, args->pgmap_owner);
    mmu_notifier_invalidate_range_start(&range);
    for (unsigned long i = 0; i < args->npages; i++) {
        args->src[i] = collect(args, args->start + (i << PAGE_SHIFT));
        args->cpages += args->src[i] != 0;
    }
    mmu_notifier_invalidate_range_end(&range);
    return 0;
}

/* ---- replacing ---- */

/* A hole, if it still is one. */
static int fill_hole(struct address_space *mapping, pgoff_t index, struct page *page)
{
    int error;

    pm_lock_holes();
    error = filemap_add_pages(mapping, index, page_to_pfn(page), 1);
    pm_unlock_holes();
    return error;
}

/* The new page is out of view where the old one was. Out of memory it stays there, and the next touch tries again. */
static int replace_page(struct address_space *mapping, pgoff_t index, struct page *old, struct page *page)
{
    int error = filemap_replace_page(mapping, index, old, page);

    if (error == 0 && !is_device_private_page(page)) {
        pm_show_page(mapping, index);
    }
    return error;
}

/* `old` NULL: a hole. The file takes a reference of `page`, which the caller keeps. False: all is as before. */
static bool replace(struct address_space *mapping, pgoff_t index, struct page *old, struct page *page)
{
    int error;

    get_page(page);
    error = old == NULL ? fill_hole(mapping, index, page) : replace_page(mapping, index, old, page);
    if (error != 0) {
        put_page(page);
    }
    return error == 0;
}

static void move(struct address_space *mapping, pgoff_t index, unsigned long *src, unsigned long dst)
{
    struct page *to = migrate_pfn_to_page(dst);

    if ((*src & MIGRATE_PFN_MIGRATE) == 0) {
        return;
    }
    if (to == NULL || !replace(mapping, index, migrate_pfn_to_page(*src), to)) {
        *src &= ~MIGRATE_PFN_MIGRATE;
    }
}

/* Clients know their own migrations by the owner. */
void migrate_vma_pages(struct migrate_vma *migrate)
{
    struct mmu_notifier_range range;

    mmu_notifier_range_init_owner(&range, MMU_NOTIFY_MIGRATE, 0, migrate->vma, migrate->vma->vm_mm,
                                  migrate->start, migrate->end, migrate->pgmap_owner);
    mmu_notifier_invalidate_range_start(&range);
    for (unsigned long i = 0; i < migrate->npages; i++) {
        move(migrate->vma->pm_mapping, linear_page_index(migrate->vma, migrate->start) + i, &migrate->src[i],
             migrate->dst[i]);
    }
    mmu_notifier_invalidate_range_end(&range);
}

/* ---- the end ---- */

static void finalize(struct address_space *mapping, pgoff_t index, unsigned long src, unsigned long dst)
{
    struct page *from = migrate_pfn_to_page(src), *to = migrate_pfn_to_page(dst);

    if (from != NULL && (src & MIGRATE_PFN_MIGRATE) == 0 && mapping != NULL &&
        !is_device_private_page(from)) {
        pm_show_page(mapping, index);
    }
    if (from != NULL) {
        give_back(from);
    }
    if (to != NULL) {
        give_back(to);
    }
}

void migrate_vma_finalize(struct migrate_vma *migrate)
{
    for (unsigned long i = 0; i < migrate->npages; i++) {
        finalize(migrate->vma->pm_mapping, linear_page_index(migrate->vma, migrate->start) + i,
                 migrate->src[i], migrate->dst[i]);
    }
}

/* ---- pages of a device, wherever they are ---- */

/* The file of a page that is locked, and its place; NULL: it is in none. pm_files keeps it. */
static struct address_space *file_of(const struct page *page, pgoff_t *index)
{
    struct address_space *mapping;

    (void)pagemap_read_lock();
    mapping = page_mapping(page);
    pagemap_read_unlock();
    *index = page_index(page);
    return mapping;
}

/* `others`: the holders that do not mind. */
static unsigned long collect_pfn(unsigned long pfn, uint64_t others)
{
    struct page *page = pagemap_get_held_page(pfn);
    struct address_space *mapping;
    pgoff_t index;

    if (page == NULL) {
        return 0;
    }
    if (!trylock_page(page)) {
        put_page(page);
        return 0;
    }
    mapping = file_of(page, &index);
    if (mapping != NULL) {
        pm_hide_page(mapping, index);
    }
    if (mapping == NULL || !may_move(page, others)) {
        if (mapping != NULL && !is_device_private_page(page)) {
            pm_show_page(mapping, index);
        }
        give_back(page);
        return 0;
    }
    return migrate_pfn(pfn) | MIGRATE_PFN_MIGRATE | MIGRATE_PFN_WRITE;
}

int migrate_device_range(unsigned long *src_pfns, unsigned long start, unsigned long npages)
{
    down_read(&pm_files);
    for (unsigned long i = 0; i < npages; i++) {
        src_pfns[i] = collect_pfn(start + i, 0);
    }
    up_read(&pm_files);
    return 0;
}

void migrate_device_pages(unsigned long *src_pfns, unsigned long *dst_pfns, unsigned long npages)
{
    down_read(&pm_files);
    for (unsigned long i = 0; i < npages; i++) {
        struct page *from = migrate_pfn_to_page(src_pfns[i]);
        pgoff_t index;
        struct address_space *mapping = from == NULL ? NULL : file_of(from, &index);

        if (mapping != NULL) {
            move(mapping, index, &src_pfns[i], dst_pfns[i]);
        } else if (from != NULL) {
            src_pfns[i] &= ~MIGRATE_PFN_MIGRATE; /* unmapped meanwhile */
        }
    }
    up_read(&pm_files);
}

void migrate_device_finalize(unsigned long *src_pfns, unsigned long *dst_pfns, unsigned long npages)
{
    down_read(&pm_files);
    for (unsigned long i = 0; i < npages; i++) {
        struct page *from = migrate_pfn_to_page(src_pfns[i]);
        pgoff_t index = 0;
        struct address_space *mapping = from == NULL ? NULL : file_of(from, &index);

        finalize(mapping, index, src_pfns[i], dst_pfns[i]);
    }
    up_read(&pm_files);
}

/* Kernel: migrate_device_coherent_page(), mm/migrate_device.c (6.1). */
int migrate_device_coherent_page(struct page *page)
{
    struct page *to = alloc_page(GFP_USER | __GFP_NOWARN);
    unsigned long src, dst = 0;

    if (to == NULL) {
        return -EBUSY;
    }
    down_read(&pm_files);
    src = collect_pfn(page_to_pfn(page), 1);
    up_read(&pm_files);
    if ((src & MIGRATE_PFN_MIGRATE) == 0) {
        __free_page(to);
        return -EBUSY;
    }
    lock_page(to);
    dst = migrate_pfn(page_to_pfn(to));
    copy_highpage(to, page); /* before it is seen */
    migrate_device_pages(&src, &dst, 1);
    migrate_device_finalize(&src, &dst, 1);
    return (src & MIGRATE_PFN_MIGRATE) != 0 ? 0 : -EBUSY;
}
