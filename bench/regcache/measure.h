// SPDX-License-Identifier: BSD-2-Clause
// What is measured: pins and unpins of registered buffers, with invalidations among them.
#ifndef RANGEMAP_BENCH_REGCACHE_MEASURE_H
#define RANGEMAP_BENCH_REGCACHE_MEASURE_H

#include <cstdint>
#include <string>
#include <vector>

#include "bench/workload/spread.h"
#include "bench/workload/team.h"

namespace bench
{

struct Plan {
    uint64_t buffers;
    unsigned threads;
    unsigned invalidations; // of 1000 operations; the rest are pins
};

struct Cell {
    Plan plan;
    std::string cache;
    Spread pins_per_second; // of all threads together
};

// The names of the caches, in the order in which measure() returns them.
std::vector<std::string> cache_names();

// Repetitions of the caches take turns. Throws std::logic_error if a pin did not hold its buffer or a registration was lost.
std::vector<Cell> measure(const Plan &plan, Team &team, double seconds, unsigned repetitions, uint64_t seed);

} // namespace bench

#endif
