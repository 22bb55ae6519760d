// SPDX-License-Identifier: BSD-2-Clause
/* Being told before pages of the process change: pagemap/mmu_notifier.h, and notifiers of all of it. */
#ifndef PAGEMAP_COMPAT_LINUX_MMU_NOTIFIER_H
#define PAGEMAP_COMPAT_LINUX_MMU_NOTIFIER_H

#include "pagemap/mmu_notifier.h"
#include <linux/mm_types.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct mmu_notifier;

struct mmu_notifier_ops {
    void (*release)(struct mmu_notifier *subscription, struct mm_struct *mm);
    int (*invalidate_range_start)(struct mmu_notifier *subscription, const struct mmu_notifier_range *range);
    void (*invalidate_range_end)(struct mmu_notifier *subscription, const struct mmu_notifier_range *range);
    void (*free_notifier)(struct mmu_notifier *subscription);
};

/* An interval notifier of all addresses. */
struct mmu_notifier {
    const struct mmu_notifier_ops *ops;
    struct mm_struct *mm;
    struct mmu_interval_notifier pm_interval;
    unsigned users;
};

int mmu_notifier_register(struct mmu_notifier *subscription, struct mm_struct *mm);
/* Waits until no invalidation calls it. */
void mmu_notifier_unregister(struct mmu_notifier *subscription, struct mm_struct *mm);

#endif
