// SPDX-License-Identifier: BSD-2-Clause
/*
 * Pages of the process for devices that mirror it. Kernel: mm/hmm.c, make_device_exclusive_range() of mm/rmap.c
 * (6.1).
 */
#include <linux/hmm.h>
#include <linux/rmap.h>

#include "pagemap/compat/mm/mm.h"

static unsigned long entry_of(const struct vm_area_struct *vma, const struct page *page)
{
    return page_to_pfn(page) | HMM_PFN_VALID | ((vma->vm_flags & VM_WRITE) != 0 ? HMM_PFN_WRITE : 0);
}

/* What a device that asks may see of the address; 0: nothing now. */
static unsigned long look(const struct hmm_range *range, struct vm_area_struct *vma, unsigned long address)
{
    struct page *page = find_get_held_page(vma->pm_mapping, linear_page_index(vma, address));
    unsigned long entry = 0;

    if (page == NULL) {
        return 0;
    }
    if (is_device_private_page(page) ? page_pgmap(page)->owner == range->dev_private_owner
                                     : pm_is_present(address)) {
        entry = entry_of(vma, page);
    }
    put_page(page);
    return entry;
}

static int fault_page(const struct hmm_range *range, struct vm_area_struct *vma, unsigned long address,
                      unsigned long wanted, unsigned long *entry)
{
    enum { ATTEMPTS = 100 };
    unsigned flags = (wanted & HMM_PFN_REQ_WRITE) != 0 ? FAULT_FLAG_WRITE : 0;

    if ((wanted & HMM_PFN_REQ_WRITE) != 0 && (vma->vm_flags & VM_WRITE) == 0) {
        return -EPERM;
    }
    for (unsigned attempt = 0; (*entry = look(range, vma, address)) == 0; attempt++) {
        if ((wanted & HMM_PFN_REQ_FAULT) == 0) {
            return 0;
        }
        if (attempt == ATTEMPTS || (handle_mm_fault(vma, address, flags, NULL) & VM_FAULT_ERROR) != 0) {
            return attempt == ATTEMPTS ? -EBUSY : -EFAULT;
        }
    }
    return 0;
}

int hmm_range_fault(struct hmm_range *range)
{
    struct mm_struct *mm = range->notifier->mm;
    unsigned long *pfn = range->hmm_pfns;

    if (range->start >= range->end || ((range->start | range->end) & ~PAGE_MASK) != 0) {
        return -EINVAL;
    }
    for (unsigned long address = range->start; address < range->end; address += PAGE_SIZE, pfn++) {
        unsigned long wanted = (*pfn & range->pfn_flags_mask) | range->default_flags;
        struct vm_area_struct *vma = vma_lookup(mm, address);
        int error = 0;

        if (mmu_interval_check_retry(range->notifier, range->notifier_seq)) {
            return -EBUSY;
        }
        if (vma == NULL || (vma->vm_flags & VM_READ) == 0) {
            *pfn = HMM_PFN_ERROR;
            error = (wanted & HMM_PFN_REQ_FAULT) != 0 ? -EFAULT : 0;
        } else {
            error = fault_page(range, vma, address, wanted, pfn);
        }
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

/* The page at the address, locked, held and of ordinary memory or a device that the CPU sees; NULL. */
static struct page *lock_page_at(struct vm_area_struct *vma, unsigned long address)
{
    pgoff_t index = linear_page_index(vma, address);
    struct page *page;

    if ((handle_mm_fault(vma, address, FAULT_FLAG_WRITE, NULL) & VM_FAULT_ERROR) != 0) {
        return NULL;
    }
    page = find_get_held_page(vma->pm_mapping, index);
    if (page != NULL && !is_device_private_page(page) && trylock_page(page)) {
        if (page_index(page) == index) {
            return page;
        }
        unlock_page(page);
    }
    if (page != NULL) {
        put_page(page);
    }
    return NULL;
}

static void hide_for(void *owner, struct vm_area_struct *vma, unsigned long address)
{
    struct mmu_notifier_range range;

    mmu_notifier_range_init_owner(&range, MMU_NOTIFY_EXCLUSIVE, 0, vma, vma->vm_mm, address,
                                  address + PAGE_SIZE, owner);
    mmu_notifier_invalidate_range_start(&range);
    pm_hide_page(vma->pm_mapping, linear_page_index(vma, address));
    mmu_notifier_invalidate_range_end(&range);
}

int make_device_exclusive_range(struct mm_struct *mm, unsigned long start, unsigned long end,
                                struct page **pages, void *owner)
{
    unsigned n = 0;

    for (unsigned long address = start; address < end; address += PAGE_SIZE, n++) {
        struct vm_area_struct *vma = vma_lookup(mm, address);

        if (vma == NULL || (vma->vm_flags & VM_WRITE) == 0) {
            return n == 0 ? -EFAULT : (int)n;
        }
        pages[n] = lock_page_at(vma, address);
        if (pages[n] != NULL) {
            hide_for(owner, vma, address);
        }
    }
    return (int)n;
}
