// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the harness asks of Google Benchmark: to repeat benchmarks in random order. runner_benchmark.cc asks the
 * library; runner_plain.cc does the same without it, for the static build: Debian has no static libbenchmark.
 */
#ifndef RANGEMAP_BENCH_CORE_RUNNER_H
#define RANGEMAP_BENCH_CORE_RUNNER_H

#include <functional>
#include <string>
#include <vector>

namespace bench
{

// Takes other --benchmark_... options of the user's. Before anything else here. Throws std::invalid_argument.
void runner_init(const std::string &program, const std::vector<std::string> &options);

struct Benchmark {
    std::string name;
    unsigned repetitions;
    std::function<double()> repeat; // one repetition; returns the seconds it took, throws nothing
};

void runner_run(const std::vector<Benchmark> &benchmarks);

} // namespace bench

#endif
