// SPDX-License-Identifier: BSD-2-Clause
/*
 * The hot half of percpu_ref, inlined into get_dev_pagemap() and its like.
 *
 * A word per CPU is *closed* when its mode has ended: the closer exchanges it for PM_REF_CLOSED and counts what it
 * held. Restartable additions (restart.h) are over by then. A locked addition to a closed word returns something near
 * that constant, so that a late thread knows it and goes to the shared counter; the junk that it left in the word
 * means nothing.
 */
#ifndef PAGEMAP_PERCPU_REF_COUNT_H
#define PAGEMAP_PERCPU_REF_COUNT_H

#include "pagemap/base/atomic.h"
#include "pagemap/percpu_ref.h"
#include "pagemap/percpu_ref/restart.h"
#include "rangemap/rangemap.h"

#define PM_REF_ATOMIC UINT64_C(1)
#define PM_REF_DEAD UINT64_C(2)
#define PM_REF_FLAGS UINT64_C(3)

#define PM_REF_CLOSED (UINT64_C(1) << 62)

struct percpu_ref_data {
    uint64_t count; /* the shared counter; biased in percpu mode, so that it is never zero then */
    struct percpu_ref *ref;
    uint64_t *words;
    percpu_ref_func_t *release;
    percpu_ref_func_t *confirm; /* not NULL: a switch waits for its grace period */
    bool force_atomic, allow_reinit;
    struct rangemap_deferred deferred;
};

/* Whether an addition to a word per CPU that returned `before` came after the word was closed. */
static inline bool pm_ref_was_closed(uint64_t before)
{
    return (int64_t)before >= (int64_t)(PM_REF_CLOSED / 2);
}

static inline uint64_t *pm_ref_words(uint64_t mode)
{
    return (uint64_t *)(uintptr_t)(mode & ~PM_REF_FLAGS);
}

/*
 * Adds `nr` (a put: minus nr) to this CPU's word; false if nothing was added: the mode is or was just changed to
 * atomic, this CPU has no word, or a restartable addition was interrupted. Then the shared counter takes it, which is
 * right in any mode. The words cannot be freed meanwhile: the caller has a reference, or is in a section begun before
 * it found `ref`. Order: a put releases - the locked addition is full, the restartable one a store on x86 - and the
 * closer acquires.
 */
static inline bool pm_ref_add_percpu(const struct percpu_ref *ref, uint64_t nr)
{
    uint64_t mode = pm_load_acquire(&ref->percpu_count_ptr);
    uint64_t *word;

    if (PM_UNLIKELY((mode & PM_REF_FLAGS) != 0)) {
        return false;
    }
    if (PM_LIKELY(pm_restart_is_used)) {
        return PM_LIKELY(pm_restart_add(pm_ref_words(mode), &ref->percpu_count_ptr, mode, nr));
    }
    word = pm_percpu_this(pm_ref_words(mode));
    return PM_LIKELY(word != NULL) && PM_LIKELY(!pm_ref_was_closed(pm_add_full(word, nr)));
}

PM_INTERNAL bool pm_ref_tryget_live_slow(struct percpu_ref *ref);
PM_INTERNAL void pm_ref_put_slow(struct percpu_ref *ref, uint64_t nr);

/* percpu_ref_tryget_live_held(). */
static inline bool pm_ref_tryget_live(struct percpu_ref *ref)
{
    return pm_ref_add_percpu(ref, 1) || pm_ref_tryget_live_slow(ref);
}

/* percpu_ref_get_many(), for a caller that has a reference. */
static inline void pm_ref_get_many(struct percpu_ref *ref, uint64_t nr)
{
    if (!pm_ref_add_percpu(ref, nr)) {
        (void)pm_add_full(&ref->data->count, nr);
    }
}

/* percpu_ref_put_many(). After the addition `ref` may be gone: the addition is the last access. */
static inline void pm_ref_put_many(struct percpu_ref *ref, uint64_t nr)
{
    if (!pm_ref_add_percpu(ref, (uint64_t)0 - nr)) {
        pm_ref_put_slow(ref, nr);
    }
}

#endif
