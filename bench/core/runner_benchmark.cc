// SPDX-License-Identifier: BSD-2-Clause
#include <benchmark/benchmark.h>

#include <stdexcept>

#include "bench/core/runner.h"

namespace bench
{

// The user's options come later and win.
void runner_init(const std::string &program, const std::vector<std::string> &options)
{
    std::vector<std::string> all = {program, "--benchmark_enable_random_interleaving=true"};
    all.insert(all.end(), options.begin(), options.end());
    std::vector<char *> arguments;
    for (std::string &one : all)
        arguments.push_back(&one[0]);
    int count = static_cast<int>(arguments.size());
    arguments.push_back(nullptr);
    benchmark::Initialize(&count, arguments.data());
    if (count > 1)
        throw std::invalid_argument(std::string("'") + arguments[1] +
                                    "' is not an option of Google Benchmark");
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
            ->Repetitions(static_cast<int>(one.repetitions))
            ->UseManualTime();
    }
    Silent silent;
    if (!benchmarks.empty())
        benchmark::RunSpecifiedBenchmarks(&silent, "all"); // the harness has filtered already
    benchmark::ClearRegisteredBenchmarks();
}

} // namespace bench
