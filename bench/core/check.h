// SPDX-License-Identifier: BSD-2-Clause
// The checks that every subject passes before it is timed, and again afterwards.
#ifndef RANGEMAP_BENCH_CORE_CHECK_H
#define RANGEMAP_BENCH_CORE_CHECK_H

#include <cstdint>

#include "bench/check/checker.h"
#include "bench/core/subject.h"
#include "bench/sets/range_set.h"

namespace bench
{

// Each throws std::runtime_error after a wrong answer, with all that the checker has reported.

/*
 * The map holds exactly these ranges. Lookups alone, in a section and in batches at start, last, start - 1 and
 * last + 1 of every range (of evenly spread ones, if there are more than a million) agree with the sorted ranges.
 */
void check_holds(const Subject &subject, const SubjectMap &map, const Ranges &sorted, Checker &checker);

/*
 * Fills the map in both ways, then applies random updates of all kinds that the subject has, results and
 * contents compared with a sorted vector. Leaves it empty.
 */
void check_subject(const Subject &subject, SubjectMap &map, uint64_t seed, Checker &checker);

// The subject takes the steps to the set as well, so that what is measured of them is equal work. Leaves it empty.
void check_replayed(const Subject &subject, SubjectMap &map, const std::vector<Action> &actions,
                    const Ranges &sorted, Checker &checker);

} // namespace bench

#endif
