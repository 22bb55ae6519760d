// SPDX-License-Identifier: BSD-2-Clause
// Results as tables and as JSON.
#ifndef RANGEMAP_BENCH_COMPARE_REPORT_H
#define RANGEMAP_BENCH_COMPARE_REPORT_H

#include <string>

#include "bench/compare/options.h"
#include "bench/compare/results.h"
#include "bench/compare/targets.h"
#include "bench/machine.h"

namespace bench
{

// What one run is about.
struct Run {
    MachineFacts facts; // machine, build and versions
    unsigned repetitions = 0;
    bool pinned = false;                                       // threads had a processor each
    std::vector<std::pair<std::string, std::string>> sets;     // names, and where they come from
    std::vector<std::pair<std::string, std::string>> left_out; // maps and sets, and why
};

void print_head(const Run &run, const Options &options);
void print_results(const Results &results, const std::vector<Peer> &peers);
void print_targets(const std::vector<Target> &targets);

// Throws std::system_error.
void write_json(const Run &run, const Options &options, const Results &results,
                const std::vector<Target> &targets);

} // namespace bench

#endif
