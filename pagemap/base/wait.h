// SPDX-License-Identifier: BSD-2-Clause
/* The kernel's wait_var_event() and wake_up_var(): sleeping until something about a shared word is true. */
#ifndef PAGEMAP_BASE_WAIT_H
#define PAGEMAP_BASE_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#include "pagemap/base/compiler.h"

typedef bool pm_condition_fn(void *context);

/*
 * Waits until done(context) is true; it is called with an internal lock held and must only load words.
 * `word` is what wakers name; nothing is read through it.
 */
PM_INTERNAL void pm_wait_var(const void *word, pm_condition_fn *done, void *context);

/* The same for at most so many milliseconds; whether the condition came true. */
PM_INTERNAL bool pm_wait_var_for(const void *word, pm_condition_fn *done, void *context,
                                 uint64_t milliseconds);

/*
 * Wakes who waits for `word`. Call it after the full read-modify-write that made the condition true. One load
 * if nobody waits. The object of `word` may be gone already: only its address is used.
 */
PM_INTERNAL void pm_wake_var(const void *word);

#endif
