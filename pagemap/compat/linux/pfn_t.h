// SPDX-License-Identifier: BSD-2-Clause
/* A pfn with flags, and pages and addresses of it. */
#ifndef PAGEMAP_COMPAT_LINUX_PFN_T_H
#define PAGEMAP_COMPAT_LINUX_PFN_T_H

#include <linux/mm.h>

typedef struct {
    u64 val;
} pfn_t;

#define PFN_FLAGS_MASK ((u64)(~(PAGE_SIZE - 1)) << (64 - 12 - PAGE_SHIFT))
#define PFN_SG_CHAIN (1ULL << 63)
#define PFN_SG_LAST (1ULL << 62)
#define PFN_DEV (1ULL << 61)
#define PFN_MAP (1ULL << 60)
#define PFN_SPECIAL (1ULL << 59)
#define PM_PFN_FLAGS (PFN_SG_CHAIN | PFN_SG_LAST | PFN_DEV | PFN_MAP | PFN_SPECIAL)

static inline pfn_t __pfn_to_pfn_t(unsigned long pfn, u64 flags)
{
    pfn_t value = {.val = pfn | (flags & PM_PFN_FLAGS)};

    return value;
}

static inline pfn_t phys_to_pfn_t(phys_addr_t address, u64 flags)
{
    return __pfn_to_pfn_t(address >> PAGE_SHIFT, flags);
}

static inline unsigned long pfn_t_to_pfn(pfn_t pfn)
{
    return pfn.val & ~PM_PFN_FLAGS;
}

static inline bool pfn_t_has_page(pfn_t pfn)
{
    return (pfn.val & PFN_MAP) != 0 || (pfn.val & PFN_DEV) == 0;
}

static inline struct page *pfn_t_to_page(pfn_t pfn)
{
    return pfn_t_has_page(pfn) ? pfn_to_page(pfn_t_to_pfn(pfn)) : NULL;
}

static inline phys_addr_t pfn_t_to_phys(pfn_t pfn)
{
    return PFN_PHYS(pfn_t_to_pfn(pfn));
}

static inline bool pfn_t_valid(pfn_t pfn)
{
    return pfn_valid(pfn_t_to_pfn(pfn));
}

static inline bool pfn_t_devmap(pfn_t pfn)
{
    return (pfn.val & (PFN_DEV | PFN_MAP)) == (PFN_DEV | PFN_MAP);
}

#define pfn_to_pfn_t(pfn) __pfn_to_pfn_t(pfn, 0)
#define page_to_pfn_t(page) pfn_to_pfn_t(page_to_pfn(page))

#endif
