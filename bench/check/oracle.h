// SPDX-License-Identifier: BSD-2-Clause
// The truth that answers are compared with: a sorted vector and binary search, with nothing in common with
// the library but the rules in rangemap.h.
#ifndef RANGEMAP_BENCH_CHECK_ORACLE_H
#define RANGEMAP_BENCH_CHECK_ORACLE_H

#include <cstdint>
#include <optional>

#include "bench/subjects/range.h"

namespace bench
{

class Oracle
{
  public:
    Oracle() = default;
    // `sorted` must be in ascending order and disjoint.
    explicit Oracle(Ranges sorted) : ranges_(std::move(sorted))
    {
    }

    const Ranges &ranges() const
    {
        return ranges_;
    }

    // Each returns NULL if there is no such range; see the functions of the same names in rangemap.h.
    const Range *find(uint64_t key) const;
    const Range *next(uint64_t key) const;
    const Range *previous(uint64_t key) const;
    const Range *overlap(uint64_t start, uint64_t last) const;
    bool covered(uint64_t start, uint64_t last) const;

    // The lowest or highest multiple of `alignment` that begins `length` free keys inside [low, high].
    std::optional<uint64_t> gap(uint64_t length, uint64_t alignment, uint64_t low, uint64_t high,
                                bool from_top) const;

    // Each returns the ranges that it displaced, whole, in ascending order.
    Ranges store(const Range &range);
    Ranges carve(uint64_t start, uint64_t last);

  private:
    size_t first_ending_at_or_above(uint64_t key) const;

    Ranges ranges_;
};

/*
 * What is left when `stores` are stored one after the other in an empty map, each over what was there:
 * found by one sweep over all bounds, not by storing. Sorted and disjoint. The values must be distinct.
 */
Ranges flatten_stores(const Ranges &stores);

bool is_sorted_and_disjoint(const Ranges &ranges);

} // namespace bench

#endif
