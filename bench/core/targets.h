// SPDX-License-Identifier: BSD-2-Clause
// What rangemap is to reach beside the others, judged by the synthetic sets of the same run.
#ifndef RANGEMAP_BENCH_CORE_TARGETS_H
#define RANGEMAP_BENCH_CORE_TARGETS_H

#include "bench/core/result.h"

namespace bench
{

// One entry for each promise and size that was measured; medians only. Sets of other shapes than "mixed", "gaps" (of
// compare) and "synthetic" (of replay) have none.
std::vector<Target> judge_targets(const Results &results);

} // namespace bench

#endif
