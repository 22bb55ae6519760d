// SPDX-License-Identifier: BSD-2-Clause
// The real sets of ranges by name, from where this system or the project has them.
#ifndef RANGEMAP_BENCH_SETS_REAL_SETS_H
#define RANGEMAP_BENCH_SETS_REAL_SETS_H

#include <string>
#include <vector>

#include "bench/sets/range_set.h"

namespace bench
{

// "geoip", "iomem", "maps", "elf", "mmap", "mmap_java", "mmap_node".
const std::vector<std::string> &real_set_names();

// Files that the user named; empty: the default of that set.
struct SetFiles {
    std::string geoip, elf, trace;
};

// A default that is missing gives a set that is skipped; a file that was named and cannot be loaded throws
// std::invalid_argument.
RangeSet load_real_set(const std::string &name, const SetFiles &files);

// The set, or std::invalid_argument if it is skipped: for a file that the user named.
RangeSet must_load(RangeSet set);

} // namespace bench

#endif
