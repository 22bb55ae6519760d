// SPDX-License-Identifier: BSD-2-Clause
// What the repetitions of a measurement gave.
#ifndef RANGEMAP_BENCH_WORKLOAD_SPREAD_H
#define RANGEMAP_BENCH_WORKLOAD_SPREAD_H

#include <algorithm>
#include <cstddef>
#include <vector>

namespace bench
{

struct Spread {
    double median = 0, min = 0, max = 0;
};

// All zero without values.
inline Spread spread(std::vector<double> values)
{
    if (values.empty())
        return {};
    std::sort(values.begin(), values.end());
    size_t half = values.size() / 2;
    double median = values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
    return {median, values.front(), values.back()};
}

} // namespace bench

#endif
