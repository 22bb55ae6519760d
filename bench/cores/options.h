// SPDX-License-Identifier: BSD-2-Clause
#ifndef RANGEMAP_BENCH_CORES_OPTIONS_H
#define RANGEMAP_BENCH_CORES_OPTIONS_H

#include <cstdint>
#include <string>
#include <vector>

#include "bench/cores/experiment.h"

namespace bench::cores
{

struct Options {
    std::vector<std::string> machines = {"xeon"};
    std::vector<unsigned> threads = {1, 2, 4, 8, 16, 32, 64};
    unsigned sockets = 2;
    std::vector<std::string> mixes; // empty: all
    std::vector<size_t> ranges = {65536};
    Ps warm_up = 1000 * Ps{1000000};
    Ps measured = 200 * Ps{1000000};
    uint64_t seed = 1;
    std::string json;
    bool lines = false;
    bool validate = false;
    bool help = false;
};

std::string options_help();

// std::invalid_argument for what makes no sense.
Options parse_options(int count, char **arguments);

} // namespace bench::cores

#endif
