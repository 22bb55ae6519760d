// SPDX-License-Identifier: BSD-2-Clause
/*
 * Stripes of slabs: which of them a thread had better take nodes from, so that nodes of several threads do not lie side
 * by side. By the low bits of a slab's number, which are the same in its extent and in its address.
 */
#ifndef RANGEMAP_MEMORY_STRIPE_H
#define RANGEMAP_MEMORY_STRIPE_H

#include "rangemap/memory/slab.h"

enum { RM_STRIPES_MAX = 8 };

/* One of 1, 2, 4 or 8. All zero: the only one. */
struct rm_stripe {
    unsigned own, last; /* its number, and the last one's */
};

/* That of the `place`-th of several threads. */
static inline struct rm_stripe rm_stripe_of(uint64_t place, uint64_t threads)
{
    unsigned stripes = 1;

    while (stripes < RM_STRIPES_MAX && stripes * 2 <= threads) {
        stripes *= 2;
    }
    return (struct rm_stripe){.own = (unsigned)(place % stripes), .last = stripes - 1};
}

static inline bool rm_stripe_is_all(struct rm_stripe stripe)
{
    return stripe.last == 0;
}

static inline bool rm_stripe_has(struct rm_stripe stripe, const void *node)
{
    return ((uintptr_t)node / RM_SLAB_BYTES & stripe.last) == stripe.own;
}

/* Its slabs of an extent, as bits. */
static inline uint64_t rm_stripe_slabs(struct rm_stripe stripe)
{
    uint64_t period = (UINT64_C(2) << stripe.last) - 1; /* as many ones as there are stripes */

    return ~UINT64_C(0) / period << stripe.own;
}

#endif
