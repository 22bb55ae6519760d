// SPDX-License-Identifier: BSD-2-Clause
/* Turns: each time a few of many are looked at, going on where the last look ended. */
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

#endif
