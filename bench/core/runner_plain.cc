// SPDX-License-Identifier: BSD-2-Clause
#include <algorithm>
#include <random>
#include <stdexcept>

#include "bench/core/runner.h"

namespace bench
{

void runner_init(const std::string &, const std::vector<std::string> &options)
{
    if (!options.empty())
        throw std::invalid_argument(options[0] + ": this program is built without Google Benchmark");
}

void runner_run(const std::vector<Benchmark> &benchmarks)
{
    std::vector<const Benchmark *> order;
    for (const Benchmark &one : benchmarks)
        order.insert(order.end(), one.repetitions, &one);
    std::shuffle(order.begin(), order.end(), std::mt19937(std::random_device()()));
    for (const Benchmark *one : order)
        one->repeat();
}

} // namespace bench
