// SPDX-License-Identifier: BSD-2-Clause
/* Bringing pages in. Kernel: mm/memory.c (6.1). */
#include <errno.h>
#include <sched.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/pagemap.h>
#include <linux/pfn_t.h>

#include "pagemap/compat/mm/mm.h"
#include "pagemap/compat/user.h"

static DEFINE_MUTEX(holes);

void pm_lock_holes(void)
{
    mutex_lock(&holes);
}

void pm_unlock_holes(void)
{
    mutex_unlock(&holes);
}

/* get_user_pages() knows nothing of pages of a dying device, which can be touched as before: the system knows. */
static bool can_be_touched(unsigned long address)
{
    char byte;
    struct iovec to = {&byte, 1}, from = {(void *)address, 1};

    return process_vm_readv(getpid(), &to, 1, &from, 1, 0) == 1;
}

bool pm_is_present(unsigned long address)
{
    return (get_user_pages_fast_only)(address, 1, FOLL_PCI_P2PDMA, NULL) == 1 || can_be_touched(address);
}

/* ---- what drivers put in ---- */

/* Pages of types that are allocated give a reference to the file; others none. */
static bool is_counted(unsigned long pfn)
{
    const struct dev_pagemap *pgmap = page_pgmap(pfn_to_page(pfn));

    return pgmap != NULL && (pgmap->type == MEMORY_DEVICE_PRIVATE || pgmap->type == MEMORY_DEVICE_COHERENT);
}

/* Whether the page, which is in a file, is there no more, or just leaves this place. */
static bool is_leaving(const struct address_space *mapping, pgoff_t index, const struct page *page)
{
    const struct address_space *file;

    (void)pagemap_read_lock();
    file = page_mapping(page);
    pagemap_read_unlock();
    return file == NULL || (file == mapping && page_index(page) == index);
}

/*
 * What keeps a page from being inserted: 0: it is there; -EBUSY: another one is; -EAGAIN: it may go in now, or soon;
 * -EEXIST: what is there cannot be had (poisoned), or it is elsewhere.
 */
static int look_there(struct address_space *mapping, pgoff_t index, struct page *page, int error)
{
    struct page *there = find_get_held_page(mapping, index);

    if (there == NULL) {
        return error == -EBUSY && is_leaving(mapping, index, page) ? -EAGAIN : -EEXIST;
    }
    if (there == page) {
        pm_show_page(mapping, index);
    }
    put_page(there);
    return there == page ? 0 : -EBUSY;
}

static int try_insert(struct address_space *mapping, pgoff_t index, unsigned long pfn)
{
    int error;

    if (is_counted(pfn) && !get_page_unless_zero(pfn_to_page(pfn))) {
        return -EINVAL;
    }
    error = filemap_add_pages(mapping, index, pfn, 1);
    if (error != 0 && is_counted(pfn)) {
        put_page(pfn_to_page(pfn));
    }
    return error == -EEXIST || error == -EBUSY ? look_there(mapping, index, pfn_to_page(pfn), error) : error;
}

/*
 * One page, whether it is there already or not. Errors as look_there(); a thread that takes pages out is given time,
 * but not for ever: it may wait for holders, and the caller may have a lock of theirs.
 */
static int insert_one(struct address_space *mapping, pgoff_t index, unsigned long pfn)
{
    enum { ATTEMPTS = 16 };
    int error = try_insert(mapping, index, pfn);

    for (unsigned i = 0; (error == -EAGAIN || error == -EEXIST) && i < ATTEMPTS; i++) {
        (void)sched_yield();
        error = try_insert(mapping, index, pfn);
    }
    return error;
}

static int insert(struct vm_area_struct *vma, unsigned long address, unsigned long pfn, unsigned long n)
{
    pgoff_t index = linear_page_index(vma, address & PAGE_MASK);
    struct address_space *mapping = vma->pm_mapping;
    int error = 0;

    if (address < vma->vm_start || address >= vma->vm_end ||
        n > (vma->vm_end - (address & PAGE_MASK)) >> PAGE_SHIFT) {
        return -EFAULT;
    }
    (void)__atomic_fetch_or(&mapping->flags, PM_HAS_FAULTED, __ATOMIC_RELAXED);
    if (n > 1 && !is_counted(pfn) && filemap_add_pages(mapping, index, pfn, n) == 0) {
        return 0;
    }
    for (unsigned long i = 0; i < n && error == 0; i++) {
        error = insert_one(mapping, index + i, pfn + i);
    }
    return error;
}

/* Whoever lost to another thread touches again, and finds what is there. Kernel: vmf_insert_mixed(). */
static vm_fault_t fault_result(int error)
{
    return error == 0 || error == -EBUSY || error == -EAGAIN ? VM_FAULT_NOPAGE : vmf_error(error);
}

vm_fault_t pagemap_compat_insert_pfns(struct vm_area_struct *vma, unsigned long address, unsigned long pfn,
                                      unsigned long nr_pages)
{
    return fault_result(insert(vma, address, pfn, nr_pages));
}

/* Drivers know of one way in which a place is taken. */
static int driver_error(int error)
{
    return error == -EAGAIN || error == -EEXIST ? -EBUSY : error;
}

int vm_insert_page(struct vm_area_struct *vma, unsigned long address, struct page *page)
{
    return driver_error(insert(vma, address, page_to_pfn(page), 1));
}

int vm_insert_pages(struct vm_area_struct *vma, unsigned long address, struct page **pages,
                    unsigned long *num)
{
    int error = 0;

    for (; *num > 0 && error == 0; address += PAGE_SIZE, pages++) {
        error = vm_insert_page(vma, address, *pages);
        *num -= error == 0;
    }
    return error;
}

int vm_map_pages(struct vm_area_struct *vma, struct page **pages, unsigned long num)
{
    unsigned long n = vma_pages(vma);

    if (vma->vm_pgoff >= num || n > num - vma->vm_pgoff) {
        return -ENXIO;
    }
    return vm_insert_pages(vma, vma->vm_start, pages + vma->vm_pgoff, &n);
}

int remap_pfn_range(struct vm_area_struct *vma, unsigned long address, unsigned long pfn, unsigned long bytes,
                    pgprot_t prot)
{
    (void)prot;
    return driver_error(insert(vma, address, pfn, PFN_UP(bytes)));
}

/* ---- faults ---- */

static vm_fault_t fault_of_driver(struct vm_fault *vmf)
{
    const struct vm_operations_struct *ops = vmf->vma->vm_ops;
    static const struct {
        enum page_entry_size size;
        unsigned long bytes;
    } huge[] = {{PE_SIZE_PUD, PUD_SIZE}, {PE_SIZE_PMD, PMD_SIZE}};

    for (unsigned i = 0; i < ARRAY_SIZE(huge) && ops->huge_fault != NULL; i++) {
        unsigned long start = vmf->address & ~(huge[i].bytes - 1);

        if (start >= vmf->vma->vm_start && huge[i].bytes <= vmf->vma->vm_end - start) {
            vm_fault_t result = ops->huge_fault(vmf, huge[i].size);

            if ((result & VM_FAULT_FALLBACK) == 0) {
                return result;
            }
        }
    }
    return ops->fault == NULL ? VM_FAULT_SIGBUS : ops->fault(vmf);
}

/* What a driver's fault returned in vmf->page, whose reference is ours. */
static vm_fault_t finish(struct vm_fault *vmf, vm_fault_t result)
{
    int error;

    if ((result & (VM_FAULT_ERROR | VM_FAULT_NOPAGE | VM_FAULT_RETRY)) != 0 || vmf->page == NULL) {
        return (result & VM_FAULT_ERROR) != 0 || (result & (VM_FAULT_NOPAGE | VM_FAULT_RETRY)) != 0
                   ? result
                   : VM_FAULT_SIGBUS;
    }
    error = insert(vmf->vma, vmf->address, page_to_pfn(vmf->page), 1);
    if ((result & VM_FAULT_LOCKED) != 0) {
        unlock_page(vmf->page);
    }
    put_page(vmf->page);
    return error == 0 ? result : fault_result(error);
}

static vm_fault_t fill_anonymous(struct vm_fault *vmf)
{
    struct address_space *mapping = vmf->vma->pm_mapping;
    struct page *page = alloc_page(GFP_HIGHUSER_MOVABLE | __GFP_ZERO), *there;
    int error;

    if (page == NULL) {
        return VM_FAULT_OOM;
    }
    pm_lock_holes();
    there = find_get_held_page(mapping, vmf->pgoff);
    error = there != NULL ? -EEXIST : filemap_add_pages(mapping, vmf->pgoff, page_to_pfn(page), 1);
    pm_unlock_holes();
    if (error != 0) {
        __free_page(page);
    }
    if (there != NULL) {
        put_page(there);
    }
    return error == 0 || error == -EEXIST ? 0 : vmf_error(error);
}

/* A page that is in the file and absent: of a private device, or one that was taken out of view. */
static vm_fault_t fault_of_page(struct vm_fault *vmf)
{
    struct address_space *mapping = vmf->vma->pm_mapping;
    struct page *page = vmf->page;
    vm_fault_t result = 0;

    lock_page(page); /* a migration that is under way ends first */
    if (is_device_private_page(page)) {
        unlock_page(page);
        result = page_pgmap(page)->ops->migrate_to_ram(vmf);
    } else {
        pm_notify(MMU_NOTIFY_EXCLUSIVE, vmf->address, vmf->address + PAGE_SIZE, NULL);
        pm_lock_holes();
        if (page_index(page) == vmf->pgoff) {
            pm_show_page(mapping, vmf->pgoff);
        }
        pm_unlock_holes();
        unlock_page(page);
    }
    put_page(page);
    return result;
}

vm_fault_t handle_mm_fault(struct vm_area_struct *vma, unsigned long address, unsigned flags, void *regs)
{
    struct vm_fault vmf = {.vma = vma,
                           .gfp_mask = GFP_KERNEL,
                           .address = address & PAGE_MASK,
                           .real_address = address,
                           .pgoff = linear_page_index(vma, address & PAGE_MASK),
                           .flags = flags};

    (void)regs;
    if ((flags & FAULT_FLAG_WRITE) != 0 ? (vma->vm_flags & VM_WRITE) == 0 : (vma->vm_flags & VM_READ) == 0) {
        return VM_FAULT_SIGSEGV;
    }
    if (pm_is_present(address)) {
        return 0;
    }
    vmf.page = find_get_held_page(vma->pm_mapping, vmf.pgoff);
    if (vmf.page != NULL) {
        return fault_of_page(&vmf);
    }
    if (vma->pm_is_anonymous) {
        return fill_anonymous(&vmf);
    }
    return vma->vm_ops == NULL ? VM_FAULT_SIGBUS : finish(&vmf, fault_of_driver(&vmf));
}

/* ---- what causes them ---- */

vm_fault_t pm_fault_at(unsigned long address, bool is_write, bool *has_area)
{
    struct vm_area_struct *vma;
    vm_fault_t result = VM_FAULT_SIGSEGV;

    mmap_read_lock(&init_mm);
    vma = vma_lookup(&init_mm, address);
    *has_area = vma != NULL;
    if (vma != NULL) {
        result = handle_mm_fault(vma, address, FAULT_FLAG_USER | (is_write ? FAULT_FLAG_WRITE : 0), NULL) &
                 VM_FAULT_ERROR;
    }
    mmap_read_unlock(&init_mm);
    return result;
}

/* A fault that did not fail may have to be repeated, as when a migration was under way. */
int pm_bring_in(unsigned long address, bool is_write, bool *has_area)
{
    enum { ATTEMPTS = 1000 };
    vm_fault_t result = pm_fault_at(address, is_write, has_area);

    for (unsigned attempt = 1; result == 0 && !pm_is_present(address); attempt++) {
        if (attempt == ATTEMPTS) {
            return -EFAULT;
        }
        result = pm_fault_at(address, is_write, has_area);
        if (attempt > 2) {
            (void)sched_yield();
        }
    }
    return result == 0 ? 0 : (result & VM_FAULT_OOM) != 0 ? -ENOMEM : -EFAULT;
}

int pagemap_compat_fault(const void *address, bool is_write)
{
    bool has_area;

    return pm_bring_in((unsigned long)address, is_write, &has_area);
}
