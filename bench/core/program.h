// SPDX-License-Identifier: BSD-2-Clause
// What replay and compare have in common as programs.
#ifndef RANGEMAP_BENCH_CORE_PROGRAM_H
#define RANGEMAP_BENCH_CORE_PROGRAM_H

#include "bench/core/jobs.h"
#include "bench/core/report.h"

namespace bench
{

// Judges the results; prints all and writes them where the user wants them. Throws std::invalid_argument if there are
// none.
void finish(Run *run, const Options &options, const std::vector<Subject> &subjects, Progress &progress);

// The exit status: what `body` returns; 2 with a message for a usage error or a file that cannot be had, 1 for any
// other.
int run_program(const char *name, const std::function<int()> &body);

} // namespace bench

#endif
