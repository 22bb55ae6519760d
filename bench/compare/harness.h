// SPDX-License-Identifier: BSD-2-Clause
/*
 * Runs the rows of a set under Google Benchmark (runner.h), which selects them by name, repeats them and mixes the
 * order of the repetitions of all rows and maps. A repetition is one call of measure(): the library's own way to
 * find a number of iterations would time maps for different lengths and threads that it starts itself.
 */
#ifndef RANGEMAP_BENCH_COMPARE_HARNESS_H
#define RANGEMAP_BENCH_COMPARE_HARNESS_H

#include "bench/compare/measure.h"
#include "bench/compare/results.h"

namespace bench
{

class Harness
{
  public:
    Harness(Team &team, Progress &progress, double seconds)
        : team_(team), progress_(progress), seconds_(seconds)
    {
    }

    // Whether --benchmark_filter lets this name through. Throws std::regex_error.
    static bool wants(const std::string &name);

    // All rows of the set that apply and are wanted; adds to *results. Throws what a measurement threw.
    void run(Loaded &loaded, const std::vector<Peer> &peers, Results *results);

  private:
    friend class Running;

    Team &team_;
    Progress &progress_;
    double seconds_;
};

// Full names of the rows that run() would measure.
std::vector<std::string> wanted_names(const Stage &stage, const std::vector<Peer> &peers);

} // namespace bench

#endif
