// SPDX-License-Identifier: BSD-2-Clause
/* Pages of the process for a device that mirrors it. */
#ifndef PAGEMAP_COMPAT_LINUX_HMM_H
#define PAGEMAP_COMPAT_LINUX_HMM_H

#include <linux/mm.h>

struct mmu_interval_notifier;

enum hmm_pfn_flags {
    HMM_PFN_VALID = 1UL << 63,
    HMM_PFN_WRITE = 1UL << 62,
    HMM_PFN_ERROR = 1UL << 61,
    HMM_PFN_ORDER_SHIFT = 64 - 8,
    HMM_PFN_REQ_FAULT = HMM_PFN_VALID,
    HMM_PFN_REQ_WRITE = HMM_PFN_WRITE,
    HMM_PFN_FLAGS = 0xFFUL << HMM_PFN_ORDER_SHIFT
};

#define HMM_RANGE_DEFAULT_TIMEOUT 1000

struct hmm_range {
    struct mmu_interval_notifier *notifier;
    unsigned long notifier_seq;
    unsigned long start, end; /* end exclusive */
    unsigned long *hmm_pfns;
    unsigned long default_flags, pfn_flags_mask;
    void *dev_private_owner;
};

/*
 * 0: hmm_pfns says what is there, after what was asked for was brought in. -EBUSY: an invalidation came in between;
 * -EFAULT: an address is in no area, or cannot be brought in as asked; -EINVAL. pre: the mmap lock, for reading.
 */
int hmm_range_fault(struct hmm_range *range);

static inline struct page *hmm_pfn_to_page(unsigned long pfn)
{
    return pfn_to_page(pfn & ~HMM_PFN_FLAGS);
}

static inline phys_addr_t hmm_pfn_to_phys(unsigned long pfn)
{
    return PFN_PHYS(pfn & ~HMM_PFN_FLAGS);
}

static inline unsigned hmm_pfn_to_map_order(unsigned long pfn)
{
    return (pfn >> HMM_PFN_ORDER_SHIFT) & 0x1F;
}

#endif
