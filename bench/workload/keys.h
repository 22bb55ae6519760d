// SPDX-License-Identifier: BSD-2-Clause
// Ranges and keys that benchmarks draw.
#ifndef RANGEMAP_BENCH_WORKLOAD_KEYS_H
#define RANGEMAP_BENCH_WORKLOAD_KEYS_H

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bench/subjects/range.h"

namespace bench
{

/*
 * `count` disjoint ranges in ascending order. Lengths and gaps are drawn from 1..2^20 keys with a uniform
 * logarithm; a quarter of the ranges touch their predecessor. The value of range i is i.
 */
Ranges synthetic_ranges(size_t count, uint64_t seed);

// The same ranges in random order.
Ranges shuffled(const Ranges &ranges, uint64_t seed);

/*
 * Keys for lookups that hit: a random range each time, a random key of it. The number of keys is a power of
 * two, at least 2^16 and enough to touch a large set evenly, so that a loop over them never waits for a
 * generator. `ranges` must not be empty.
 */
std::vector<uint64_t> random_hits(const Ranges &ranges, uint64_t seed);

} // namespace bench

#endif
