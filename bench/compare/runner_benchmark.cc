// SPDX-License-Identifier: BSD-2-Clause
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "bench/compare/runner.h"

namespace bench
{

// The library does not tell what it was given.
static unsigned repetitions_in(int argc, char **argv, unsigned otherwise)
{
    const std::string option = "--benchmark_repetitions=";
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], option.c_str(), option.size()) == 0)
            otherwise = static_cast<unsigned>(strtoul(argv[i] + option.size(), nullptr, 10));
    }
    return otherwise;
}

unsigned runner_init(int *argc, char **argv, unsigned default_repetitions, void (*print_help)())
{
    unsigned wanted = repetitions_in(*argc, argv, default_repetitions);
    // The user's options come later and win.
    std::string repetitions = "--benchmark_repetitions=" + std::to_string(default_repetitions);
    std::string interleaving = "--benchmark_enable_random_interleaving=true";
    std::vector<char *> all = {argv[0], &repetitions[0], &interleaving[0]};
    all.insert(all.end(), argv + 1, argv + *argc);
    int count = static_cast<int>(all.size());
    all.push_back(nullptr);
    benchmark::Initialize(&count, all.data(), print_help);
    std::copy(all.begin(), all.begin() + count, argv);
    *argc = count;
    argv[count] = nullptr;
    return wanted;
}

std::string runner_filter()
{
    return benchmark::GetBenchmarkFilter();
}

namespace
{

// The harness keeps the results; the tables come at the end.
class Silent : public benchmark::BenchmarkReporter
{
  public:
    bool ReportContext(const Context &) override
    {
        return true;
    }
    void ReportRuns(const std::vector<Run> &) override
    {
    }
};

} // namespace

void runner_run(const std::vector<Benchmark> &benchmarks)
{
    for (const Benchmark &one : benchmarks) {
        benchmark::RegisterBenchmark(one.name.c_str(),
                                     [&one](benchmark::State &state) {
                                         for (auto _ : state) {
                                             (void)_;
                                             state.SetIterationTime(one.repeat());
                                         }
                                     })
            ->Iterations(1)
            ->UseManualTime();
    }
    Silent silent;
    if (!benchmarks.empty())
        benchmark::RunSpecifiedBenchmarks(&silent, "all"); // the harness has filtered already
    benchmark::ClearRegisteredBenchmarks();
}

} // namespace bench
