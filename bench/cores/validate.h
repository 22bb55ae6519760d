// SPDX-License-Identifier: BSD-2-Clause
// What is predicted beside what is measured, on the machine that runs this.
#ifndef RANGEMAP_BENCH_CORES_VALIDATE_H
#define RANGEMAP_BENCH_CORES_VALIDATE_H

#include <cstdio>

#include "bench/cores/options.h"

namespace bench::cores
{

/*
 * Measures what a line costs from one processor to another; then, by bench/compare_static, two threads against one on
 * each mix that it has; and simulates the same. 0: all ratios within a quarter of each other; 1: not all; 2: what
 * it needs is not here, or failed.
 */
int validate(const Options &options, FILE *out);

} // namespace bench::cores

#endif
