// SPDX-License-Identifier: BSD-2-Clause
// What the project promises of its speed and size, judged by the synthetic series of the same run.
#ifndef RANGEMAP_BENCH_REPLAY_TARGETS_H
#define RANGEMAP_BENCH_REPLAY_TARGETS_H

#include "bench/replay/measure.h"

namespace bench
{

struct Target {
    std::string what; // "lookups alone, 2 threads, against std::map"
    size_t ranges;    // size of the map
    std::string unit; // "times", "bytes", "ns"
    double measured;
    double limit;
    bool at_least; // measured must be at least the limit; else at most
    bool met;
};

// One entry for each promise and size that was measured.
std::vector<Target> judge_targets(const std::vector<SetResult> &results);

} // namespace bench

#endif
