// SPDX-License-Identifier: BSD-2-Clause
// A log-linear histogram as HdrHistogram has it: exact below 128, then 64 buckets to each power of two, so
// that a percentile is off by at most 1.6 %. Recording is one increment.
#ifndef RANGEMAP_BENCH_WORKLOAD_HISTOGRAM_H
#define RANGEMAP_BENCH_WORKLOAD_HISTOGRAM_H

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace bench
{

class Histogram
{
  public:
    void record(uint64_t value, uint64_t times = 1)
    {
        counts_[bucket(value)] += times;
    }

    void add(const Histogram &other)
    {
        for (size_t i = 0; i < counts_.size(); i++)
            counts_[i] += other.counts_[i];
    }

    uint64_t count() const
    {
        uint64_t sum = 0;
        for (uint64_t n : counts_)
            sum += n;
        return sum;
    }

    // The largest value that falls in the bucket below which `fraction` of the records lie; 0 if empty.
    uint64_t percentile(double fraction) const
    {
        auto wanted = static_cast<uint64_t>(std::ceil(fraction * static_cast<double>(count())));
        uint64_t seen = 0;
        for (size_t i = 0; i < counts_.size(); i++) {
            seen += counts_[i];
            if (seen != 0 && seen >= wanted)
                return highest(i);
        }
        return 0;
    }

  private:
    static constexpr unsigned kExactBits = 7;
    static constexpr size_t kHalf = size_t{1} << (kExactBits - 1);

    static size_t bucket(uint64_t value)
    {
        if (value < 2 * kHalf)
            return static_cast<size_t>(value);
        unsigned shift = 64 - kExactBits - static_cast<unsigned>(__builtin_clzll(value));
        return shift * kHalf + static_cast<size_t>(value >> shift);
    }

    static uint64_t highest(size_t bucket)
    {
        if (bucket < 2 * kHalf)
            return bucket;
        size_t shift = bucket / kHalf - 1;
        uint64_t lowest = static_cast<uint64_t>(bucket - shift * kHalf) << shift;
        return lowest + ((uint64_t{1} << shift) - 1);
    }

    std::array<uint64_t, 2 * kHalf + (64 - kExactBits) * kHalf> counts_{};
};

} // namespace bench

#endif
