// SPDX-License-Identifier: BSD-2-Clause
// One load on one simulated machine.
#ifndef RANGEMAP_BENCH_CORES_EXPERIMENT_H
#define RANGEMAP_BENCH_CORES_EXPERIMENT_H

#include <cstdint>
#include <string>
#include <vector>

#include "bench/cores/simulator.h"

namespace bench::cores
{

// What the threads do; the names of bench/compare's rows where it has one.
struct Mix {
    std::string name;
    unsigned update_percent;
    bool own;        // each thread looks up and updates a part of its own
    bool queries;    // next and is_free that end in another leaf than they begin in, instead of lookups
    const char *row; // of bench/compare, without the number of threads; nullptr: none
};

const std::vector<Mix> &mixes();
const Mix &mix_named(const std::string &name);

struct Experiment {
    Mix mix;
    unsigned threads = 1;
    unsigned sockets = 1;
    size_t ranges = 65536;
    Ps warm_up = 0;  // how long before anything counts
    Ps measured = 0; // and how long it does
    uint64_t seed = 1;
};

struct Outcome {
    uint64_t lookups = 0, updates = 0, wrong = 0;
    Ps time = 0; // of all threads, together
    double per_second = 0;
    uint64_t most_pending_bytes = 0;
    Costs costs{};

    uint64_t operations() const
    {
        return lookups + updates;
    }
};

// In a process of its own, so that what ran before leaves no trace.
Outcome simulate(const Machine &machine, const Experiment &experiment);

} // namespace bench::cores

#endif
