// SPDX-License-Identifier: BSD-2-Clause
/* Turns: each time a few of many are looked at, going on where the last look ended; and what is due now and then. */
#ifndef RANGEMAP_BASE_TURN_H
#define RANGEMAP_BASE_TURN_H

#include "rangemap/base/atomic.h"

/*
 * The place among `count` at which the next `few` begin, after which `turn` stands. Round and round, whatever others do
 * meanwhile: a look or two may be made twice, or left out. Not by a remainder of all looks so far: whenever
 * `count` changes that is another place, so that where it changes with each look some would never be looked at.
 */
static inline uint64_t rm_turn(rm_word *turn, uint64_t few, uint64_t count)
{
    uint64_t place = rm_add_relaxed(turn, few);

    if (place < count) {
        return place;
    }
    place = place - count < count ? place - count : 0;
    rm_store_relaxed(turn, place + few);
    return place;
}

/*
 * Whether more than `pause_ns` have passed since `last_ns`; if so it is now, for one thread of those that ask at once.
 * Who has read its clock before another one came finds that it is not.
 */
static inline bool rm_turn_is_due(rm_word *last_ns, uint64_t pause_ns, uint64_t now_ns)
{
    uint64_t before_ns = rm_load_relaxed(last_ns);

    return (int64_t)(now_ns - before_ns) > (int64_t)pause_ns &&
           rm_cas_relaxed(last_ns, before_ns, now_ns); /* a time alone */
}

#endif
