// SPDX-License-Identifier: BSD-2-Clause
// What was measured in one run, how, and on what.
#ifndef RANGEMAP_BENCH_CORE_RESULT_H
#define RANGEMAP_BENCH_CORE_RESULT_H

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "bench/machine.h"
#include "bench/workload/spread.h"

namespace bench
{

// One row of one subject on one set.
struct Result {
    std::string set, shape;
    size_t ranges;
    std::string row, subject, title;
    unsigned threads;
    std::map<std::string, Spread> values;         // by what and unit: "operations_per_second", "p99.9_ns"
    std::vector<std::pair<double, double>> curve; // of a latency: fraction of the operations, ns
};

using Results = std::vector<Result>;

// The median of a value; 0 if it was not measured.
inline double median(const Results &results, const std::string &set, const std::string &row,
                     const std::string &subject, const std::string &value)
{
    for (const Result &result : results) {
        if (result.set == set && result.row == row && result.subject == subject) {
            auto found = result.values.find(value);
            return found == result.values.end() ? 0 : found->second.median;
        }
    }
    return 0;
}

// What is to be reached, and what was.
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

// A set as it was found.
struct SetFacts {
    std::string name, source, skipped; // skipped: why there was nothing to measure
    std::vector<std::string> notes;
    uint64_t malformed = 0; // lines
    size_t ranges = 0, actions = 0;
    uint64_t answers = 0, wrong = 0; // of the checks
};

// What one run is about, and what came of it.
struct Run {
    MachineFacts facts; // machine, build and versions
    bool pinned = false;
    std::vector<SetFacts> sets;
    std::vector<std::pair<std::string, std::string>> left_out; // maps and sets, and why
    Results results;
    std::vector<Target> targets;
};

} // namespace bench

#endif
