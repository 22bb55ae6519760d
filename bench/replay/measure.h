// SPDX-License-Identifier: BSD-2-Clause
/*
 * The measurements of one set. Every subject gets the same keys, ranges and threads. Repetitions are
 * interleaved: each subject once, then all again, so that a disturbance of the machine meets all of them. A run
 * that is not counted goes first and faults the memory in.
 */
#ifndef RANGEMAP_BENCH_REPLAY_MEASURE_H
#define RANGEMAP_BENCH_REPLAY_MEASURE_H

#include <memory>
#include <string>
#include <vector>

#include "bench/progress.h"
#include "bench/replay/checker.h"
#include "bench/replay/options.h"
#include "bench/workload/contender.h"
#include "bench/workload/spread.h"

namespace bench
{

// Operations per second of one subject under one plan.
struct RateCell {
    std::string subject;
    MixPlan plan;
    Spread lookups, updates, operations;
};

// Nanoseconds of single lookups; the cost of reading the clock is taken off.
struct LatencyCell {
    std::string subject;
    unsigned threads, update_percent;
    uint64_t samples;
    double p50, p99, p999;
};

struct LoadCell {
    std::string subject;
    Spread bulk_seconds;   // sorted, by the bulk function
    double insert_seconds; // one by one in random order
    double bulk_bytes_per_range;
    double insert_bytes_per_range;
};

// Stores and carves per second.
struct ReplayCell {
    std::string subject;
    Spread actions;
};

struct SetResult {
    std::string name, source, skipped;
    std::vector<std::string> notes;
    uint64_t malformed = 0;
    size_t ranges = 0, actions = 0;
    uint64_t answers = 0, mismatches = 0; // of the checks
    bool synthetic = false;
    std::vector<LoadCell> loads;
    std::vector<ReplayCell> replays;
    std::vector<RateCell> rates;
    std::vector<LatencyCell> latencies;
};

using Contenders = std::vector<std::unique_ptr<Contender>>;

// How to measure, and on what.
struct Measurement {
    const Options &options;
    Team &team;
    Contenders &contenders;
    Checker &checker; // told of every lookup and update that failed where it must not
    Progress &progress;
    std::string set; // for progress
    unsigned repetitions;
};

// Leaves every contender loaded: by random inserts if `leave_inserted`, else in bulk.
std::vector<LoadCell> measure_loads(const Measurement &how, const Ranges &ranges, bool leave_inserted);

// Leaves every contender empty.
std::vector<ReplayCell> measure_replays(const Measurement &how, const std::vector<Action> &actions);

// The contenders must hold input.ranges, and hold them again afterwards.
std::vector<RateCell> measure_rates(const Measurement &how, const MixInput &input,
                                    std::vector<MixPlan> plans);
std::vector<LatencyCell> measure_latencies(const Measurement &how, const MixInput &input,
                                           std::vector<MixPlan> plans);

} // namespace bench

#endif
