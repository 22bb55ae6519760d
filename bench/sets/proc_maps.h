// SPDX-License-Identifier: BSD-2-Clause
// The memory maps of all processes that this user may see, /proc/PID/maps, as one set.
#ifndef RANGEMAP_BENCH_SETS_PROC_MAPS_H
#define RANGEMAP_BENCH_SETS_PROC_MAPS_H

#include <cstdint>

#include "bench/sets/range_set.h"

namespace bench
{

// User addresses fit in 48 bits; the bits above tell address spaces apart, so that none overlap.
constexpr unsigned kAddressBits = 48;
constexpr uint64_t kAddressMask = (uint64_t{1} << kAddressBits) - 1;

/*
 * `root` is /proc. The n-th process (by number) has its addresses at n * 2^48. Lines above 2^48, such as
 * [vsyscall], are the same in every process and left out; processes that are gone or not ours are counted.
 */
RangeSet load_proc_maps(const std::string &root);

} // namespace bench

#endif
