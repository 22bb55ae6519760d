// SPDX-License-Identifier: BSD-2-Clause
// What was measured.
#ifndef RANGEMAP_BENCH_COMPARE_RESULTS_H
#define RANGEMAP_BENCH_COMPARE_RESULTS_H

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "bench/workload/spread.h"

namespace bench
{

// One row of one peer on one set.
struct Result {
    std::string stage, shape;
    size_t ranges;
    std::string row, peer, title;
    unsigned threads;
    std::map<std::string, Spread> values;         // by what and unit: "operations_per_second", "p99.9_ns"
    std::vector<std::pair<double, double>> curve; // of a latency: fraction of the lookups, ns
};

using Results = std::vector<Result>;

// The median of a value; 0 if it was not measured.
inline double median(const Results &results, const std::string &stage, const std::string &row,
                     const std::string &peer, const std::string &value)
{
    for (const Result &result : results) {
        if (result.stage == stage && result.row == row && result.peer == peer) {
            auto found = result.values.find(value);
            return found == result.values.end() ? 0 : found->second.median;
        }
    }
    return 0;
}

} // namespace bench

#endif
