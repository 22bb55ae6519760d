// SPDX-License-Identifier: BSD-2-Clause
/*
 * Light sections: read sections that begin without a fence.
 *
 * A section that begins must make itself seen before it reads: a full fence, as dear as all the rest of a
 * lookup in a small map. The fence can be left to the poller, which makes every processor pass one
 * (membarrier(2), base/fence.h): free for readers, tens of microseconds for a poller and for all that it
 * interrupts. Which is cheaper depends on how often threads poll. So a thread pays for fences until they
 * have cost about as much as one poller's fence, and is light from then on, until a poller takes that away and
 * pays with one heavy fence. Then the thread earns it anew: at half the price if it lasted, at twice the price
 * if it did not. Where no thread updates, all sections are light; under a steady stream of updates, next to none.
 *
 * The word `light` of a record says how it stands, in its low bits; the rest counts how often it was earned:
 *
 *   fenced -> LIGHT   by the owner, which then passes a full fence
 *   LIGHT -> TAKEN    by a poller, by compare-and-swap
 *   TAKEN -> fenced   by a poller that found it TAKEN or made it so, and has passed a heavy fence since; or has shown
 *                     that the owner does not run; or by the owner, in a section that began with a full fence. By
 *                     compare-and-swap: what was earned anew meanwhile has another count
 *
 * A poller that finds LIGHT or TAKEN must see to a heavy fence before it scans `active`; one that finds neither need
 * not. Why that is right is in docs/design.md, 8.
 */
#ifndef RANGEMAP_EPOCH_LIGHT_H
#define RANGEMAP_EPOCH_LIGHT_H

#include "rangemap/epoch/own.h"

enum { RM_LIGHT = 1, RM_LIGHT_TAKEN = 2, RM_LIGHT_STATE = 3, RM_LIGHT_EARNED = 4 };

static inline bool rm_light(const struct rm_thread *thread)
{
    rm_explorer_point(&thread->light);
    return (__atomic_load_n(&thread->light.unsafe_value, __ATOMIC_RELAXED) & RM_LIGHT) != 0;
}

/* For the record of a thread that has just attached: fenced. No section of the record is open. */
RM_INTERNAL void rm_light_init(struct rm_thread *thread);

/* When account.fences_until_review has come down to 0: in a section that began with a fence. */
RM_INTERNAL void rm_light_review(struct rm_thread *thread);

/*
 * Makes sure that a scan of `active` that follows misses no section that may have begun before, taking light
 * sections away from all threads but the caller. After a full fence. False: that cannot be said, since the kernel
 * refused the heavy fence and some thread has neither begun a section since nor stood still.
 */
RM_INTERNAL bool rm_light_revoke_all(struct rangemap_domain *domain);

#endif
