// SPDX-License-Identifier: BSD-2-Clause
/* Invalidations, for who makes them. */
#ifndef PAGEMAP_NOTIFIER_NOTIFIER_H
#define PAGEMAP_NOTIFIER_NOTIFIER_H

#include "pagemap/base/compiler.h"
#include "pagemap/mmu_notifier.h"
#include "pagemap/notifier/space.h"

/* Calls everybody who is concerned of [start, end). No lock is held. */
PM_INTERNAL void pm_invalidate_start(struct pm_told_space *space, struct mmu_notifier_range *range);

/*
 * The same if nobody is concerned now: who inserts an interval after it waits for its end. False: somebody is, and nothing was begun.
 * Calls nobody; with locks held.
 */
PM_INTERNAL bool pm_invalidate_quietly(struct pm_told_space *space, struct mmu_notifier_range *range);

/* Of either. After a quiet one, with locks held; else not. */
PM_INTERNAL void pm_invalidate_end(struct mmu_notifier_range *range);

#endif
