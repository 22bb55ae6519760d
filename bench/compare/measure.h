// SPDX-License-Identifier: BSD-2-Clause
// One repetition of one row with one peer's map.
#ifndef RANGEMAP_BENCH_COMPARE_MEASURE_H
#define RANGEMAP_BENCH_COMPARE_MEASURE_H

#include <map>
#include <string>

#include "bench/compare/stage.h"

namespace bench
{

struct Reading {
    double seconds = 0; // what the repetition took, set-up apart
    std::map<std::string, double> values;
};

// `seconds` is how long to measure; `turn` counts the repetitions and chooses keys, the same for every peer.
// What latencies a row sees is added to *ticks. Throws std::runtime_error after a wrong answer.
Reading measure(Loaded &loaded, const Peer &peer, const Row &row, Team &team, double seconds, unsigned turn,
                Histogram *ticks);

// Nanoseconds below which that fraction of the lookups lies; the cost of reading the clock is taken off.
double percentile_ns(const Histogram &ticks, double fraction);

} // namespace bench

#endif
