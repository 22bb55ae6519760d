// SPDX-License-Identifier: BSD-2-Clause
/*
 * The kernel's wait_var_event() and wake_up_var(): sleeping until something about a shared word is true.
 *
 * On futex(2) and without a lock: waking is for signal handlers too, which may have interrupted one that wakes.
 */
#ifndef PAGEMAP_BASE_WAIT_H
#define PAGEMAP_BASE_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#include "pagemap/base/atomic.h"
#include "pagemap/base/compiler.h"

/* How many threads wait, for whatever. */
PM_INTERNAL extern uint64_t pm_waiters;

typedef bool pm_condition_fn(void *context);

/*
 * Waits until done(context) is true; it must not wait, but for a leaf lock that is held for a moment. `word` is what
 * wakers name; nothing is read through it. No cancellation point.
 */
PM_INTERNAL void pm_wait_var(const void *word, pm_condition_fn *done, void *context);

/* The same for at most so many milliseconds; whether the condition came true. */
PM_INTERNAL bool pm_wait_var_for(const void *word, pm_condition_fn *done, void *context,
                                 uint64_t milliseconds);

PM_INTERNAL void pm_wake_var_slow(const void *word);

/*
 * Wakes the waiters for `word`. Call it after the full read-modify-write that made the condition true: the load comes
 * after it, as in a waiter the condition's loads come after the addition to `pm_waiters`. One load if no thread waits
 * for anything. The object of `word` may be gone already: only its address is used.
 */
static inline void pm_wake_var(const void *word)
{
    if (PM_UNLIKELY(pm_load_full(&pm_waiters) > 0)) {
        pm_wake_var_slow(word);
    }
}

#endif
