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

/*
 * `count` disjoint ranges as a system's physical memory has them: 4 KiB * 2^0..9, aligned to their size, with
 * gaps of up to 2 MiB between most of them.
 */
Ranges page_ranges(size_t count, uint64_t seed);

enum class KeyPattern {
    kRandom, // each range as likely as the next
    kZipf,   // few ranges often: Zipf with exponent 0.99 over ranges in random order, as YCSB has it
    kLocal,  // 256 keys of 64 neighbouring ranges, then of 64 others
};

const char *pattern_name(KeyPattern pattern);

struct KeyPlan {
    KeyPattern pattern = KeyPattern::kRandom;
    bool hit = true; // else keys of the gap above the range
};

/*
 * Keys of the ranges first..first+count-1, count >= 1, as random_hits() makes them. Empty if the keys are to miss and
 * there is no gap.
 */
std::vector<uint64_t> draw_keys(const Ranges &ranges, size_t first, size_t count, const KeyPlan &plan,
                                uint64_t seed);

} // namespace bench

#endif
