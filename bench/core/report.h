// SPDX-License-Identifier: BSD-2-Clause
// A run as tables and as JSON.
#ifndef RANGEMAP_BENCH_CORE_REPORT_H
#define RANGEMAP_BENCH_CORE_REPORT_H

#include "bench/core/options.h"
#include "bench/core/result.h"

namespace bench
{

void print_head(const Run &run, const Options &options);
// What was loaded and checked, or why not.
void print_set(const SetFacts &set);
void print_results(const Results &results, const std::vector<Subject> &subjects);
void print_targets(const std::vector<Target> &targets);

// To options.json. Throws std::system_error.
void write_json(const Run &run, const Options &options);

} // namespace bench

#endif
