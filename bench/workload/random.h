// SPDX-License-Identifier: BSD-2-Clause
// A small repeatable generator (SplitMix64), so that every run and every subject sees the same data.
#ifndef RANGEMAP_BENCH_WORKLOAD_RANDOM_H
#define RANGEMAP_BENCH_WORKLOAD_RANDOM_H

#include <cstdint>

namespace bench
{

class Random
{
  public:
    using result_type = uint64_t;

    explicit Random(uint64_t seed) : state_(seed)
    {
    }

    uint64_t operator()()
    {
        uint64_t z = state_ += 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }

    // One of 0..bound-1; the bias of the product is far below what a benchmark can see.
    uint64_t below(uint64_t bound)
    {
        return static_cast<uint64_t>((static_cast<unsigned __int128>((*this)()) * bound) >> 64);
    }

    // One of first..last, both inclusive.
    uint64_t between(uint64_t first, uint64_t last)
    {
        uint64_t width = last - first + 1;
        return width == 0 ? (*this)() : first + below(width);
    }

    static constexpr uint64_t min()
    {
        return 0;
    }
    static constexpr uint64_t max()
    {
        return UINT64_MAX;
    }

  private:
    uint64_t state_;
};

} // namespace bench

#endif
