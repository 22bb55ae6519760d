// SPDX-License-Identifier: BSD-2-Clause
/* Invalidations, for the code that makes them. */
#ifndef PAGEMAP_NOTIFIER_NOTIFIER_H
#define PAGEMAP_NOTIFIER_NOTIFIER_H

#include "pagemap/base/compiler.h"
#include "pagemap/mmu_notifier.h"
#include "pagemap/notifier/space.h"

/* Calls every client that [start, end) concerns. No lock is held. */
PM_INTERNAL void pm_invalidate_start(struct pm_told_space *space, struct mmu_notifier_range *range);

/*
 * The same if no client is concerned now: one that inserts an interval after it waits for its end. False: some client
 * is, and nothing was begun. Calls none; with locks held.
 */
PM_INTERNAL bool pm_invalidate_quietly(struct pm_told_space *space, struct mmu_notifier_range *range);

/* Of either. After a quiet one, with locks held; else not. */
PM_INTERNAL void pm_invalidate_end(struct mmu_notifier_range *range);

#endif
