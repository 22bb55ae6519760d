// SPDX-License-Identifier: BSD-2-Clause
/* Notifiers of all addresses. Kernel: mm/mmu_notifier.c (6.1). */
#include <linux/mmu_notifier.h>

#include "pagemap/compat/mm/mm.h"

static struct mmu_notifier *notifier_of(struct mmu_interval_notifier *interval)
{
    return container_of(interval, struct mmu_notifier, pm_interval);
}

static bool start(struct mmu_interval_notifier *interval, const struct mmu_notifier_range *range,
                  unsigned long cur_seq)
{
    struct mmu_notifier *notifier = notifier_of(interval);

    mmu_interval_set_seq(interval, cur_seq);
    if (notifier->ops->invalidate_range_start != NULL) {
        (void)notifier->ops->invalidate_range_start(notifier, range);
    }
    return true;
}

static void end(struct mmu_interval_notifier *interval, const struct mmu_notifier_range *range)
{
    struct mmu_notifier *notifier = notifier_of(interval);

    if (notifier->ops->invalidate_range_end != NULL) {
        notifier->ops->invalidate_range_end(notifier, range);
    }
}

int mmu_notifier_register(struct mmu_notifier *subscription, struct mm_struct *mm)
{
    static const struct mmu_interval_notifier_ops ops = {.invalidate = start, .invalidate_end = end};

    subscription->mm = mm;
    return mmu_interval_notifier_insert(&subscription->pm_interval, mm, 0, ULONG_MAX, &ops);
}

void mmu_notifier_unregister(struct mmu_notifier *subscription, struct mm_struct *mm)
{
    (void)mmu_interval_notifier_remove(&subscription->pm_interval);
    if (subscription->ops->release != NULL) {
        subscription->ops->release(subscription, mm);
    }
}

void pm_notify(enum mmu_notifier_event event, unsigned long first, unsigned long last, void *owner)
{
    struct mmu_notifier_range range;

    mmu_notifier_range_init_owner(&range, event, 0, NULL, &init_mm, first, last, owner);
    mmu_notifier_invalidate_range_start(&range);
    mmu_notifier_invalidate_range_end(&range);
}
