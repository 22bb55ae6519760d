// SPDX-License-Identifier: BSD-2-Clause
// A set of ranges as it was found in the world, and how it comes to be.
#ifndef RANGEMAP_BENCH_SETS_RANGE_SET_H
#define RANGEMAP_BENCH_SETS_RANGE_SET_H

#include <cstdint>
#include <string>
#include <vector>

#include "bench/subjects/range.h"

namespace bench
{

// One step towards a set: a store, or a carve (whose value means nothing).
struct Action {
    enum Kind { kStore, kCarve } kind;
    Range range;
};

struct RangeSet {
    std::string name;    // as in --sets
    std::string source;  // where it was read from
    std::string skipped; // if not empty: why there is nothing to measure

    Ranges ranges;                   // the result, sorted and disjoint
    std::vector<Action> actions;     // how to reach it where ranges overlap on the way; else empty
    std::vector<std::string> labels; // what a value stands for: labels[value]

    std::vector<std::string> notes; // what was counted, merged or left out
    uint64_t malformed = 0;         // lines that were reported and skipped

    std::string label(uint64_t value) const
    {
        return value < labels.size() ? labels[value] : "?";
    }
};

// A set that cannot be had here.
RangeSet skipped_set(const std::string &name, const std::string &source, const std::string &why);

/*
 * Makes set->ranges of `ranges` in the order in which they were found, with the rule that a later range
 * overwrites an earlier one. Where none overlap this is sorting; else set->actions are the stores, and a
 * note tells how many there were. The values must be distinct.
 */
void finish_set(RangeSet *set, const Ranges &ranges);

} // namespace bench

#endif
