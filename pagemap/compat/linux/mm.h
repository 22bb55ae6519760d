// SPDX-License-Identifier: BSD-2-Clause
/* Pages, areas and faults. */
#ifndef PAGEMAP_COMPAT_LINUX_MM_H
#define PAGEMAP_COMPAT_LINUX_MM_H

#include "pagemap/pagemap.h"
#include <asm/page.h>
#include <linux/bug.h>
#include <linux/gfp.h>
#include <linux/ioport.h>
#include <linux/kernel.h>
#include <linux/memremap.h>
#include <linux/mm_types.h>
#include <linux/mutex.h>
#include <linux/numa.h>
#include <linux/page-flags.h>
#include <linux/percpu-refcount.h>
#include <linux/pfn.h>
#include <linux/range.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/unmap.h>

/* vm_flags */
#define VM_NONE 0x0UL
#define VM_READ 0x1UL
#define VM_WRITE 0x2UL
#define VM_EXEC 0x4UL
#define VM_SHARED 0x8UL
#define VM_MAYREAD 0x10UL
#define VM_MAYWRITE 0x20UL
#define VM_MAYEXEC 0x40UL
#define VM_MAYSHARE 0x80UL
#define VM_PFNMAP 0x400UL
#define VM_LOCKED 0x2000UL
#define VM_IO 0x4000UL
#define VM_DONTCOPY 0x20000UL
#define VM_DONTEXPAND 0x40000UL
#define VM_ACCOUNT 0x100000UL
#define VM_NORESERVE 0x200000UL
#define VM_HUGETLB 0x400000UL
#define VM_SYNC 0x800000UL
#define VM_DONTDUMP 0x4000000UL
#define VM_SOFTDIRTY 0x8000000UL
#define VM_MIXEDMAP 0x10000000UL
#define VM_HUGEPAGE 0x20000000UL
#define VM_NOHUGEPAGE 0x40000000UL
#define VM_ACCESS_FLAGS (VM_READ | VM_WRITE | VM_EXEC)
#define VM_SPECIAL (VM_IO | VM_DONTEXPAND | VM_PFNMAP | VM_MIXEDMAP)

/* vm_fault_t */
#define VM_FAULT_OOM 0x1u
#define VM_FAULT_SIGBUS 0x2u
#define VM_FAULT_MAJOR 0x4u
#define VM_FAULT_HWPOISON 0x10u
#define VM_FAULT_HWPOISON_LARGE 0x20u
#define VM_FAULT_SIGSEGV 0x40u
#define VM_FAULT_NOPAGE 0x100u
#define VM_FAULT_LOCKED 0x200u
#define VM_FAULT_RETRY 0x400u
#define VM_FAULT_FALLBACK 0x800u
#define VM_FAULT_DONE_COW 0x1000u
#define VM_FAULT_NEEDDSYNC 0x2000u
#define VM_FAULT_ERROR                                                                                       \
    (VM_FAULT_OOM | VM_FAULT_SIGBUS | VM_FAULT_SIGSEGV | VM_FAULT_HWPOISON | VM_FAULT_HWPOISON_LARGE |       \
     VM_FAULT_FALLBACK)
#define FAULT_FLAG_WRITE 0x1u
#define FAULT_FLAG_MKWRITE 0x2u
#define FAULT_FLAG_ALLOW_RETRY 0x4u
#define FAULT_FLAG_KILLABLE 0x10u
#define FAULT_FLAG_USER 0x40u
#define FAULT_FLAG_REMOTE 0x80u
#define FAULT_FLAG_DEFAULT 0u

/* Of huge_fault() up to 6.5; later it is given the order, which is the same here. */
enum page_entry_size { PE_SIZE_PTE = 0, PE_SIZE_PMD = PMD_ORDER, PE_SIZE_PUD = PUD_ORDER };

struct vm_operations_struct {
    void (*open)(struct vm_area_struct *vma);
    void (*close)(struct vm_area_struct *vma);
    int (*may_split)(struct vm_area_struct *vma, unsigned long address);
    int (*mremap)(struct vm_area_struct *vma);
    vm_fault_t (*fault)(struct vm_fault *vmf);
    vm_fault_t (*huge_fault)(struct vm_fault *vmf, enum page_entry_size size);
    vm_fault_t (*map_pages)(struct vm_fault *vmf, pgoff_t first, pgoff_t last);
    unsigned long (*pagesize)(struct vm_area_struct *vma);
    vm_fault_t (*page_mkwrite)(struct vm_fault *vmf);
    vm_fault_t (*pfn_mkwrite)(struct vm_fault *vmf);
    int (*access)(struct vm_area_struct *vma, unsigned long address, void *buffer, int bytes, int write);
    const char *(*name)(struct vm_area_struct *vma);
};

/* ---- areas ---- */

struct vm_area_struct *vma_lookup(struct mm_struct *mm, unsigned long address);
/* The first that ends after `address`. */
struct vm_area_struct *find_vma(struct mm_struct *mm, unsigned long address);

static inline pgoff_t linear_page_index(const struct vm_area_struct *vma, unsigned long address)
{
    return ((address - vma->vm_start) >> PAGE_SHIFT) + vma->vm_pgoff;
}

static inline unsigned long vma_pages(const struct vm_area_struct *vma)
{
    return (vma->vm_end - vma->vm_start) >> PAGE_SHIFT;
}

static inline bool vma_is_anonymous(const struct vm_area_struct *vma)
{
    return vma->pm_is_anonymous;
}

static inline void vm_flags_set(struct vm_area_struct *vma, vm_flags_t flags)
{
    vma->vm_flags |= flags;
}

static inline void vm_flags_clear(struct vm_area_struct *vma, vm_flags_t flags)
{
    vma->vm_flags &= ~flags;
}

#define vma_set_page_prot(vma) ((void)(vma))
#define vm_get_page_prot(flags) ((pgprot_t){flags})
#define pgprot_noncached(prot) (prot)
#define pgprot_writecombine(prot) (prot)
#define pgprot_decrypted(prot) (prot)

/*
 * Put a page or memory of a device into the area, which takes a reference of the page if it is PRIVATE, COHERENT or
 * ordinary memory, else of its dev_pagemap alone: page_free() comes at the last put of others, while they are still
 * there (docs/pagemap.md, 11). 0; -EBUSY: something else is there; -EFAULT: not in the area; -ENXIO, -ENOMEM. The vmf_
 * forms: VM_FAULT_NOPAGE, or what failed.
 */
int vm_insert_page(struct vm_area_struct *vma, unsigned long address, struct page *page);
int vm_insert_pages(struct vm_area_struct *vma, unsigned long address, struct page **pages,
                    unsigned long *num);
int vm_map_pages(struct vm_area_struct *vma, struct page **pages, unsigned long num);
int remap_pfn_range(struct vm_area_struct *vma, unsigned long address, unsigned long pfn, unsigned long bytes,
                    pgprot_t prot);
vm_fault_t pagemap_compat_insert_pfns(struct vm_area_struct *vma, unsigned long address, unsigned long pfn,
                                      unsigned long nr_pages);

#define vmf_insert_mixed(vma, address, pfn) pagemap_compat_insert_pfns(vma, address, pfn_t_to_pfn(pfn), 1)
#define vmf_insert_mixed_mkwrite vmf_insert_mixed
#define vmf_insert_pfn(vma, address, pfn) pagemap_compat_insert_pfns(vma, address, pfn, 1)
#define vmf_insert_pfn_prot(vma, address, pfn, prot) pagemap_compat_insert_pfns(vma, address, pfn, 1)
#define vmf_insert_pfn_pmd(vmf, pfn, write)                                                                  \
    pagemap_compat_insert_pfns((vmf)->vma, (vmf)->address &PMD_MASK, pfn_t_to_pfn(pfn), PMD_SIZE / PAGE_SIZE)
#define vmf_insert_pfn_pud(vmf, pfn, write)                                                                  \
    pagemap_compat_insert_pfns((vmf)->vma, (vmf)->address &PUD_MASK, pfn_t_to_pfn(pfn), PUD_SIZE / PAGE_SIZE)

static inline vm_fault_t vmf_error(int error)
{
    return error == -ENOMEM ? VM_FAULT_OOM : VM_FAULT_SIGBUS;
}

/* Brings in the page of one address, as a fault would. 0, or VM_FAULT_ERROR bits. pre: the mmap lock, for reading. */
vm_fault_t handle_mm_fault(struct vm_area_struct *vma, unsigned long address, unsigned flags, void *regs);

/* Those of pagemap/gup.h, which bring absent pages in first. The last argument of 6.1, areas, is not used. */
long pagemap_compat_gup(unsigned long start, unsigned long nr_pages, unsigned flags, struct page **pages,
                        bool pin);
#define get_user_pages(start, nr, flags, pages, ...)                                                         \
    pagemap_compat_gup((unsigned long)(start), nr, flags, pages, false)
#define pin_user_pages(start, nr, flags, pages, ...)                                                         \
    pagemap_compat_gup((unsigned long)(start), nr, flags, pages, true)
#define get_user_pages_fast(start, nr, flags, pages)                                                         \
    ((int)get_user_pages(start, (unsigned long)(nr), flags, pages))
#define pin_user_pages_fast(start, nr, flags, pages)                                                         \
    ((int)pin_user_pages(start, (unsigned long)(nr), flags, pages))
/* There is one process, whose mmap lock need not be let go of: `locked` stays as it is. */
#define get_user_pages_remote(mm, start, nr, flags, pages, ...)                                              \
    ((void)(mm), get_user_pages(start, nr, flags, pages))
#define pin_user_pages_remote(mm, start, nr, flags, pages, ...)                                              \
    ((void)(mm), pin_user_pages(start, nr, flags, pages))
#define get_user_pages_unlocked(start, nr, pages, flags) get_user_pages(start, nr, flags, pages)
#define pin_user_pages_unlocked(start, nr, pages, flags) pin_user_pages(start, nr, flags, pages)

/* ---- pages ---- */

/*
 * Of an address in a mapped device or in ordinary pages (linux/gfp.h): NULL, and pfn UINT64_MAX, of others, such as
 * kmalloc()'s.
 */
struct page *virt_to_page(const void *address);
unsigned long virt_to_pfn(const void *address);
phys_addr_t virt_to_phys(const volatile void *address);
/* NULL: no page, or one that has no bytes. */
void *phys_to_virt(phys_addr_t address);
bool virt_addr_valid(const void *address);
/* Whether it has a struct page. */
bool pfn_valid(unsigned long pfn);

#define __pa(address) virt_to_phys((const void *)(address))
#define __va(address) phys_to_virt(address)
#define virt_to_head_page(address) compound_head(virt_to_page(address))
#define page_to_phys(page) ((phys_addr_t)page_to_pfn(page) << PAGE_SHIFT)
#define phys_to_page(address) pfn_to_page((address) >> PAGE_SHIFT)
#define page_to_virt(page) page_address(page)
#define page_to_nid(page) ((void)(page), 0)
#define pfn_to_nid(pfn) ((void)(pfn), 0)
#define page_zonenum(page) (is_zone_device_page(page) ? ZONE_DEVICE : ZONE_NORMAL)
#define pfn_to_online_page(pfn) pagemap_compat_online_page(pfn)
struct page *pagemap_compat_online_page(unsigned long pfn);

/* Of a device, as opposed to ordinary memory. */
static inline bool is_zone_device_page(const struct page *page)
{
    const struct dev_pagemap *pgmap = page_pgmap(page);

    return pgmap != NULL && (pgmap->flags & PGMAP_SYSTEM_RAM) == 0;
}

/* One more reference. False: it is poisoned; or idle, and must be allocated or is of a device that is being removed. */
static inline bool get_page_unless_zero(struct page *page)
{
    return pagemap_get_held_page(page_to_pfn(page)) != NULL;
}

#define try_get_page(page) get_page_unless_zero(page)
/* Only from idle to 1. */
#define init_page_count(page) set_page_count(page, 1)
static inline void set_page_count(struct page *page, int count)
{
    WARN_ON(count != 1 || !get_page_unless_zero(page));
}

#define page_ref_count(page) ((int)page_count(page))
#define page_ref_inc(page) get_page(page)
#define page_mapcount(page) ((void)(page), 0)
#define page_mapped(page) (page_index(page) != UINT64_MAX)
#define total_mapcount(page) page_mapcount(page)
#define page_private(page) ((page)->private)
#define set_page_private(page, value) ((page)->private = (unsigned long)(value))
#define put_user_page(page) unpin_user_page(page)
#define page_maybe_dma_pinned(page) (page_maybe_dma_pinned)(page)
#define is_zero_pfn(pfn) pagemap_compat_is_zero_pfn(pfn)
#define ZERO_PAGE(address) pfn_to_page(pagemap_compat_zero_pfn())
unsigned long pagemap_compat_zero_pfn(void);
bool pagemap_compat_is_zero_pfn(unsigned long pfn);

static inline struct folio *page_folio(const struct page *page)
{
    return (struct folio *)(void *)compound_head((struct page *)(uintptr_t)page);
}

static inline unsigned compound_order(const struct page *page)
{
    const struct dev_pagemap *pgmap = page_pgmap(page);

    return pgmap == NULL ? 0 : (unsigned)pgmap->vmemmap_shift;
}

#define folio_page(folio, n) (&(folio)->page + (n))
#define folio_pfn(folio) page_to_pfn(&(folio)->page)
#define folio_order(folio) compound_order(&(folio)->page)
#define folio_nr_pages(folio) (1L << folio_order(folio))
#define folio_size(folio) (PAGE_SIZE << folio_order(folio))
#define folio_get(folio) get_page(&(folio)->page)
#define folio_put(folio) put_page(&(folio)->page)
#define folio_put_refs(folio, n) put_page_many(&(folio)->page, n)
#define folio_ref_count(folio) ((int)page_count(&(folio)->page))
#define folio_try_get(folio) get_page_unless_zero(&(folio)->page)
#define folio_lock(folio) lock_page(&(folio)->page)
#define folio_trylock(folio) trylock_page(&(folio)->page)
#define folio_unlock(folio) unlock_page(&(folio)->page)
#define folio_address(folio) page_address(&(folio)->page)
#define folio_is_zone_device(folio) is_zone_device_page(&(folio)->page)
#define folio_is_device_private(folio) is_device_private_page(&(folio)->page)
#define folio_is_device_coherent(folio) is_device_coherent_page(&(folio)->page)
#define page_rmappable_folio(page) page_folio(page)
#define thp_size(page) (PAGE_SIZE << compound_order(page))
#define thp_order(page) compound_order(page)
#define thp_nr_pages(page) (1 << compound_order(page))
#define compound_nr(page) (1UL << compound_order(page))
#define page_size(page) thp_size(page)
#define page_mapping_file(page) page_mapping(page)
#define offset_in_page(address) ((unsigned long)(address) & ~PAGE_MASK)
#define PAGE_ALIGN(address) ALIGN(address, PAGE_SIZE)
#define PAGE_ALIGN_DOWN(address) ALIGN_DOWN(address, PAGE_SIZE)
#define PAGE_ALIGNED(address) IS_ALIGNED((unsigned long)(address), PAGE_SIZE)
#define untagged_addr(address) (address)
#define flush_dcache_page(page) ((void)(page))
#define flush_cache_vmap(start, end) ((void)0)
#define mark_page_accessed(page) ((void)(page))
#define totalram_pages() (1UL << 20)

static inline int get_order(unsigned long bytes)
{
    return order_base_2(DIV_ROUND_UP(bytes, PAGE_SIZE));
}

struct range mhp_get_pluggable_range(bool need_mapping);

#endif
