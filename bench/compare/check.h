// SPDX-License-Identifier: BSD-2-Clause
// The check that every peer passes before it is timed, and again afterwards.
#ifndef RANGEMAP_BENCH_COMPARE_CHECK_H
#define RANGEMAP_BENCH_COMPARE_CHECK_H

#include <string>

#include "bench/compare/peer.h"
#include "bench/subjects/range.h"

namespace bench
{

// Each throws std::runtime_error with map, call, key, expected and got at the first wrong answer.

/*
 * The map holds exactly these ranges. Lookups alone, in a section and in batches at start, last, start - 1 and
 * last + 1 of every range (of evenly spread ones, if there are more than 65,536) agree with the sorted ranges.
 */
void check_holds(const Peer &peer, const Contender &map, const Ranges &sorted);

/*
 * Fills the map in both ways, then applies random updates of all kinds that the peer has, results and
 * contents compared with a sorted vector. Leaves it empty.
 */
void check_peer(const Peer &peer, Contender &map, uint64_t seed);

} // namespace bench

#endif
