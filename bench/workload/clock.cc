// SPDX-License-Identifier: BSD-2-Clause
#include "bench/workload/clock.h"

#include <algorithm>
#include <vector>

namespace bench
{

static double measure_ns_per_tick()
{
    uint64_t ns = monotonic_ns();
    uint64_t ticks = ticks_begin();
    while (monotonic_ns() - ns < 20'000'000) {
    }
    uint64_t ticks_passed = ticks_end() - ticks;
    uint64_t ns_passed = monotonic_ns() - ns;
    return ticks_passed == 0 ? 1.0 : static_cast<double>(ns_passed) / static_cast<double>(ticks_passed);
}

static uint64_t measure_overhead()
{
    std::vector<uint64_t> readings(10'001);
    for (uint64_t &reading : readings) {
        uint64_t begin = ticks_begin();
        reading = ticks_end() - begin;
    }
    auto middle = readings.begin() + static_cast<std::ptrdiff_t>(readings.size() / 2);
    std::nth_element(readings.begin(), middle, readings.end());
    return *middle;
}

const ClockCalibration &calibrate_clock()
{
    static const ClockCalibration calibration = {measure_ns_per_tick(), measure_overhead()};
    return calibration;
}

} // namespace bench
