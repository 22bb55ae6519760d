// SPDX-License-Identifier: BSD-2-Clause
// Timestamps for single operations: the time stamp counter on x86-64, else the monotonic clock.
#ifndef RANGEMAP_BENCH_WORKLOAD_CLOCK_H
#define RANGEMAP_BENCH_WORKLOAD_CLOCK_H

#include <chrono>
#include <cstdint>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace bench
{

inline uint64_t monotonic_ns()
{
    return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                     std::chrono::steady_clock::now().time_since_epoch())
                                     .count());
}

#if defined(__x86_64__)

inline const char *tick_source()
{
    return "rdtsc";
}

// The fences keep the timed operation between the two readings.
inline uint64_t ticks_begin()
{
    _mm_lfence();
    uint64_t ticks = __rdtsc();
    _mm_lfence();
    return ticks;
}

inline uint64_t ticks_end()
{
    unsigned processor;
    uint64_t ticks = __rdtscp(&processor);
    _mm_lfence();
    return ticks;
}

#else

inline const char *tick_source()
{
    return "clock_gettime";
}

inline uint64_t ticks_begin()
{
    return monotonic_ns();
}

inline uint64_t ticks_end()
{
    return monotonic_ns();
}

#endif

// How long a tick is, and what timing an empty operation reads; measured once by calibrate_clock().
struct ClockCalibration {
    double ns_per_tick;
    uint64_t overhead_ticks; // median
};

const ClockCalibration &calibrate_clock();

} // namespace bench

#endif
