// SPDX-License-Identifier: BSD-2-Clause
// What rangemap is to reach beside the others, judged by the mixed sets of the same run.
#ifndef RANGEMAP_BENCH_COMPARE_TARGETS_H
#define RANGEMAP_BENCH_COMPARE_TARGETS_H

#include <string>
#include <vector>

#include "bench/compare/results.h"

namespace bench
{

struct Target {
    std::string what; // "lookup in its own section against maple tree"
    size_t ranges;    // size of the map
    std::string unit; // "times", "bytes", "MiB"
    double measured;
    double limit;
    bool at_least; // measured must be at least the limit; else at most
    bool met;
    std::string note; // what else to know
};

// One entry for each promise and size that was measured; medians only.
std::vector<Target> judge_targets(const Results &results);

} // namespace bench

#endif
