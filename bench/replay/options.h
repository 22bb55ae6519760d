// SPDX-License-Identifier: BSD-2-Clause
// The command line of replay.
#ifndef RANGEMAP_BENCH_REPLAY_OPTIONS_H
#define RANGEMAP_BENCH_REPLAY_OPTIONS_H

#include <cstdint>
#include <string>
#include <vector>

namespace bench
{

struct Options {
    double seconds_per_cell = 0.03;
    unsigned repetitions = 3;
    unsigned synthetic_repetitions = 5; // the targets are judged by that series
    std::vector<unsigned> threads;      // 1 and the number of processors
    std::vector<unsigned> updates = {0, 1, 10, 50};
    std::vector<std::string> sets; // all, or only "csv" if there is a file
    std::vector<uint64_t> sizes = {16, 256, 4096, 65536, 1048576};
    uint64_t seed = 1;

    std::string geoip; // empty: where tor-geoipdb installs it
    std::string elf;   // empty: search
    std::string trace; // empty: the one that the project ships
    std::string file;  // the user's "start,last,value" file
    std::string json;
    bool help = false;
};

// The help text.
std::string options_help();

// Fills *options from the arguments; throws std::invalid_argument with a message for the user.
Options parse_options(int argc, char **argv);

bool wants_set(const Options &options, const std::string &name);

} // namespace bench

#endif
