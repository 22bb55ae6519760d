// SPDX-License-Identifier: BSD-2-Clause
// The command lines of replay and compare.
#ifndef RANGEMAP_BENCH_CORE_OPTIONS_H
#define RANGEMAP_BENCH_CORE_OPTIONS_H

#include <cstdint>
#include <string>
#include <vector>

#include "bench/core/row.h"
#include "bench/sets/real_sets.h"
#include "bench/subjects/java_skip_list.h"

namespace bench
{

struct Options {
    std::string program;

    // What to measure.
    std::vector<std::string> sets;    // "mixed", "geoip"
    std::vector<uint64_t> sizes;      // of synthetic sets
    std::vector<uint64_t> page_sizes; // of those of pages
    std::vector<uint64_t> pin_sizes;  // buffers to register
    std::vector<unsigned> threads;    // ascends
    std::vector<unsigned> updates;    // percentages; replay only
    std::vector<std::string> maps;    // names of subjects
    Extent extent = Extent::kDefault;
    std::string filter; // a regular expression; empty: every row
    SetFiles files;
    std::string file; // the user's "start,last,value" file, which replaces the sets

    // How.
    double seconds = 0.02;
    unsigned repetitions = 11, synthetic_repetitions = 11; // targets are judged by synthetic sets
    uint64_t seed = 1;
    JavaOptions java;
    std::vector<std::string> to_library; // other options of Google Benchmark

    std::string json;
    std::string memory_probe; // "mixed:4096/memory_random/maple": this process is a child of another
    bool list = false;
};

// Print help and exit where that is asked for; throw std::invalid_argument.
Options parse_replay_options(int argc, char **argv);
Options parse_compare_options(int argc, char **argv, std::vector<std::string> maps); // the maps that it knows

} // namespace bench

#endif
