// SPDX-License-Identifier: BSD-2-Clause
#ifndef RANGEMAP_BENCH_CORES_REPORT_H
#define RANGEMAP_BENCH_CORES_REPORT_H

#include <cstdio>

#include "bench/cores/options.h"

namespace bench::cores
{

struct Result {
    std::string machine;
    Experiment experiment;
    Outcome outcome;
};

// One table for each machine and size: mixes by threads, in millions of operations a second and, in brackets, times
// one thread where that was simulated too.
void print_table(const std::vector<Result> &results, FILE *out);

// What each class of lines costs, of the results with most threads.
void print_lines(const std::vector<Result> &results, FILE *out);

// std::system_error if the file cannot be written.
void write_json(const std::vector<Result> &results, const Options &options);

} // namespace bench::cores

#endif
