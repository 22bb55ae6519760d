// SPDX-License-Identifier: BSD-2-Clause
// What replay checks of the library besides: every query, what updates displace, and lookups beside updates.
#ifndef RANGEMAP_BENCH_CHECK_VERIFY_H
#define RANGEMAP_BENCH_CHECK_VERIFY_H

#include <cstdint>

#include "bench/check/checker.h"
#include "bench/check/oracle.h"
#include "bench/sets/range_set.h"
#include "bench/subjects/rangemap.h"
#include "bench/workload/team.h"

namespace bench
{

/*
 * Every query of the library at start, last, start-1 and last+1 of every range and at random keys; batches;
 * iteration in both directions, with and without a snapshot; random windows; gaps; statistics; validation.
 */
void verify_queries(const rangemap *map, const Oracle &oracle, uint64_t seed, Checker &checker);

// rangemap_validate(), and the number of ranges that rangemap_stats() counts.
void verify_structure(const rangemap *map, size_t ranges, Checker &checker);

// Replays the actions on an empty map; compares what each displaced, and the contents now and then.
void verify_actions(const std::vector<Action> &actions, Checker &checker);

/*
 * Finds and batches on all threads while they erase and re-insert every second range: those must be found
 * whole or not at all, the others always.
 */
void verify_under_updates(RangemapSubject &subject, const Ranges &ranges, Team &team, unsigned threads,
                          double seconds, Checker &checker);

} // namespace bench

#endif
