// SPDX-License-Identifier: BSD-2-Clause
// The physical address map of this machine, /proc/iomem.
#ifndef RANGEMAP_BENCH_SETS_IOMEM_H
#define RANGEMAP_BENCH_SETS_IOMEM_H

#include "bench/sets/range_set.h"

namespace bench
{

/*
 * Resources nest: children follow their parent, further indented, so storing the lines in order leaves the
 * innermost resource at every address. Skipped where the kernel hides the addresses from this user.
 */
RangeSet load_iomem(const std::string &path);

} // namespace bench

#endif
