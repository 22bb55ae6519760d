// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the harness asks of Google Benchmark: to choose benchmarks by name, and to repeat them in random order.
 * runner_benchmark.cc asks the library. runner_plain.cc does the same without it, for the static build: Debian has
 * no static libbenchmark.
 */
#ifndef RANGEMAP_BENCH_COMPARE_RUNNER_H
#define RANGEMAP_BENCH_COMPARE_RUNNER_H

#include <functional>
#include <string>
#include <vector>

namespace bench
{

// Takes the --benchmark_... options out of argv. Before anything else here. Returns the number of repetitions. With
// --help it may call print_help() and exit.
unsigned runner_init(int *argc, char **argv, unsigned default_repetitions, void (*print_help)());

// The regular expression of --benchmark_filter; empty or "all": everything.
std::string runner_filter();

struct Benchmark {
    std::string name;
    std::function<double()> repeat; // one repetition; returns the seconds it took, throws nothing
};

void runner_run(const std::vector<Benchmark> &benchmarks);

} // namespace bench

#endif
