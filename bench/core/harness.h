// SPDX-License-Identifier: BSD-2-Clause
/*
 * Runs the rows of a set under Google Benchmark (runner.h), which repeats them and mixes the order of the repetitions
 * of all rows and maps. A repetition is one call of Job::measure(): the library's own way to find a number of
 * iterations would time maps for different lengths and threads that it starts itself.
 */
#ifndef RANGEMAP_BENCH_CORE_HARNESS_H
#define RANGEMAP_BENCH_CORE_HARNESS_H

#include <functional>
#include <regex>

#include "bench/core/set.h"

namespace bench
{

struct Reading {
    double seconds = 0; // what the repetition took, set-up apart
    std::map<std::string, double> values;
};

constexpr double kWarmUp = 0.5; // of the usual length

// One row with one subject.
struct Job {
    std::string row, subject; // names
    unsigned threads = 1;
    // Jobs of a group take turns; then they go, with the maps that are theirs.
    std::string group;
    // One repetition. `seconds` is how long to measure; `turn` counts and chooses keys, the same for every subject.
    // What latencies it sees are added to the histogram. Throws std::runtime_error after a wrong answer.
    std::function<Reading(double seconds, unsigned turn, Histogram &ticks)> measure;
    double length = 1; // in Options::seconds
    // Likewise, of the run before the first repetition that does not count; before the others kWarmUp at most. 0: none.
    double warm_up = kWarmUp;
    unsigned repetitions = 0;               // 0: as many as the user wants
    std::function<bool()> is_possible = {}; // asked before the first repetition; none: it is
};

class Harness
{
  public:
    Harness(const Options &options, Progress &progress);

    // The jobs whose names the user's filter lets through, for subjects that are here.
    std::vector<Job> wanted(const Set &set, std::vector<Job> jobs,
                            const std::vector<Subject> &subjects) const;

    // Throws what a job threw.
    void run(const Set &set, std::vector<Job> jobs, const std::vector<Subject> &subjects, Results *results);

    static std::string full_name(const Set &set, const Job &job);

  private:
    const Options &options_;
    Progress &progress_;
    std::regex filter_;
};

// Nanoseconds below which that fraction of the operations lies; the cost of reading the clock is taken off.
double percentile_ns(const Histogram &ticks, double fraction);

} // namespace bench

#endif
