// SPDX-License-Identifier: BSD-2-Clause
/*
 * An asymmetric fence: a light side that many threads pass often, and a heavy side that one thread passes
 * rarely. If one thread runs  A; light; B  and another  C; heavy; D  then D sees A or B sees C, as if both
 * had passed a full fence.
 *
 * The light side costs nothing: it keeps the compiler from reordering. The heavy side is membarrier(2)
 * (Linux 4.14), which makes every processor that runs a thread of this process pass a full fence meanwhile.
 * Where the kernel refuses it, the light side must be a full fence.
 */
#ifndef RANGEMAP_BASE_FENCE_H
#define RANGEMAP_BASE_FENCE_H

#include <stdbool.h>

#include "rangemap/base/atomic.h"

enum rm_fence_kind {
    RM_FENCE_UNKNOWN,
    RM_FENCE_ASYMMETRIC,
    RM_FENCE_SYMMETRIC, /* no membarrier here */
    RM_FENCE_REFUSED    /* asymmetric at first; then the kernel refused the heavy side */
};

/* Settled by rm_fence_prepare(); from then on it may only become RM_FENCE_REFUSED, for ever. */
RM_INTERNAL extern rm_word rm_fence_kind;

/* Asks the kernel, once per process; before the first light fence. Lock-free. */
RM_INTERNAL void rm_fence_prepare(void);

/* Without membarrier(2) for ever, if no domain has relied on it yet: whether that is so. */
RM_INTERNAL bool rm_fence_forgo(void);

/*
 * The heavy side. False: the kernel refused, and nothing was ordered. If that is for good, as under a seccomp filter
 * that was installed later, the light side is over: rm_fence_is_asymmetric() is false from then on.
 */
RM_INTERNAL bool rm_fence_heavy(void);

static inline bool rm_fence_is_asymmetric(void)
{
    return __atomic_load_n(&rm_fence_kind.unsafe_value, __ATOMIC_RELAXED) == RM_FENCE_ASYMMETRIC;
}

/* The light side, where rm_fence_is_asymmetric(). */
static inline void rm_fence_light(void)
{
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

#endif
