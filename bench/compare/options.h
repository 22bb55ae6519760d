// SPDX-License-Identifier: BSD-2-Clause
// The command line of compare, but for the options of Google Benchmark.
#ifndef RANGEMAP_BENCH_COMPARE_OPTIONS_H
#define RANGEMAP_BENCH_COMPARE_OPTIONS_H

#include <string>
#include <vector>

#include "bench/compare/row.h"
#include "bench/compare/skip_list.h"

namespace bench
{

struct Options {
    std::vector<std::string> shapes;
    std::vector<uint64_t> sizes;      // of mixed sets
    std::vector<uint64_t> page_sizes; // of sets of pages
    std::vector<unsigned> threads;    // ascends
    std::vector<std::string> peers;
    Extent extent = Extent::kDefault;
    double seconds = 0.02;
    uint64_t seed = 1;
    JavaOptions java;
    std::string json;
    std::string memory_probe; // "mixed:4096/memory_random/maple": this process is a child of another
    bool list = false, help = false;
};

std::string options_help();

// Throws std::invalid_argument.
Options parse_options(int argc, char **argv);

} // namespace bench

#endif
