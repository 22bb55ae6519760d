// SPDX-License-Identifier: BSD-2-Clause
// The results as tables on standard output.
#ifndef RANGEMAP_BENCH_REPLAY_REPORT_TABLE_H
#define RANGEMAP_BENCH_REPLAY_REPORT_TABLE_H

#include "bench/machine.h"
#include "bench/replay/targets.h"

namespace bench
{

void print_header(const MachineFacts &facts, const Options &options, bool pinned);

// What was loaded and checked, or why not.
void print_set(const SetResult &result);

// All measurements.
void print_results(const std::vector<SetResult> &results);
void print_targets(const std::vector<Target> &targets);

} // namespace bench

#endif
