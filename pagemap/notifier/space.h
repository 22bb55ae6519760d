// SPDX-License-Identifier: BSD-2-Clause
/* What all of notifier/ stands on: the intervals and invalidations of one kind of address. */
#ifndef PAGEMAP_NOTIFIER_SPACE_H
#define PAGEMAP_NOTIFIER_SPACE_H

#include <pthread.h>

#include "pagemap/base/interval.h"
#include "pagemap/mmu_notifier.h"

struct pm_told_space {
    pthread_mutex_t lock;
    struct pm_interval *root;
    struct mmu_notifier_range *under_way;
    uint64_t seq;        /* of the newest invalidation; counts them, and so is never used twice */
    uint64_t generation; /* another one in a child */
};

/* What intervals are of. */
PM_INTERNAL extern struct pm_told_space pm_told_addresses; /* virtual: of views */
PM_INTERNAL extern struct pm_told_space pm_told_physical;  /* of devices */

static inline void pm_told_lock(struct pm_told_space *space)
{
    (void)pthread_mutex_lock(&space->lock);
}

static inline void pm_told_unlock(struct pm_told_space *space)
{
    (void)pthread_mutex_unlock(&space->lock);
}

/* A child of a fork has no subscriptions. -ENOMEM, and the next call tries again. */
PM_INTERNAL int pm_told_handle_forks(void);

#endif
