// SPDX-License-Identifier: BSD-2-Clause
/* Sizes of pages, and of what larger entries of page tables map. */
#ifndef PAGEMAP_COMPAT_ASM_PAGE_H
#define PAGEMAP_COMPAT_ASM_PAGE_H

#include <linux/types.h>

#define PAGE_MASK (~(PAGE_SIZE - 1))
#define PMD_SHIFT 21
#define PMD_SIZE (1UL << PMD_SHIFT)
#define PMD_MASK (~(PMD_SIZE - 1))
#define PUD_SHIFT 30
#define PUD_SIZE (1UL << PUD_SHIFT)
#define PUD_MASK (~(PUD_SIZE - 1))
#define PMD_ORDER (PMD_SHIFT - PAGE_SHIFT)
#define PUD_ORDER (PUD_SHIFT - PAGE_SHIFT)
#define HPAGE_PMD_SHIFT PMD_SHIFT
#define HPAGE_PMD_ORDER PMD_ORDER
#define HPAGE_PMD_NR (1 << HPAGE_PMD_ORDER)
#define HPAGE_SIZE PMD_SIZE
#define HPAGE_PMD_SIZE PMD_SIZE
#define HPAGE_PUD_SIZE PUD_SIZE
#define has_transparent_hugepage() true

#endif
