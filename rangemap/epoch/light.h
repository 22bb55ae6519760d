// SPDX-License-Identifier: BSD-2-Clause
/*
 * Light sections: read sections that begin without a fence.
 *
 * A section that begins must make itself seen before it reads: a full fence, as dear as all the rest of a
 * lookup in a small map. The fence can be left to whoever polls, who makes every processor pass one
 * (membarrier(2), base/fence.h): free for readers, tens of microseconds for a poller and for all whom it
 * interrupts. Which is cheaper depends on how often somebody polls. So a thread pays for fences until they
 * have cost about as much as one poller's fence, and is light from then on (`thread->light` = 1), until a
 * poller takes that away (0) and pays with one heavy fence. Then the thread earns it anew: at half the price
 * if it lasted, at twice the price if it did not. Where nobody updates, all sections are light; under a
 * steady stream of updates, next to none.
 *
 * Who writes `light`: its owner sets it to 1 and passes a full fence; the holder of the domain's poll claim
 * sets it to 0 and passes a heavy fence before the next scan of `active`. Both sides (docs/design.md, 8):
 *   1 -> 0   A section looks at `light` again after it has stored `active`. If it still finds 1, that load came
 *            before the heavy fence on its processor, so the fence made the store visible to the scan. If it
 *            finds 0, it passes a full fence of its own.
 *   0 -> 1   A poller that finds 0 after a full fence of its own comes before the owner's fence: all that the
 *            owner reads in light sections is read after what the poller's garbage was unlinked by.
 */
#ifndef RANGEMAP_EPOCH_LIGHT_H
#define RANGEMAP_EPOCH_LIGHT_H

#include "rangemap/epoch/thread.h"

static inline bool rm_light(const struct rm_thread *thread)
{
    rm_explorer_point(&thread->light);
    return __atomic_load_n(&thread->light.unsafe_value, __ATOMIC_RELAXED) != 0;
}

/* For the record of a thread that has just attached. */
RM_INTERNAL void rm_light_init(struct rm_thread *thread);

/* When account.left has come down to 0: in a section that began with a fence. */
RM_INTERNAL void rm_light_settle(struct rm_thread *thread);

/*
 * Makes sure that a scan of `active` that follows misses no section that may have begun before, taking light
 * sections away from all threads but the caller. By the holder of the poll claim, after a full fence. False:
 * the kernel refused the heavy fence.
 */
RM_INTERNAL bool rm_light_revoke_all(struct rangemap_domain *domain);

#endif
