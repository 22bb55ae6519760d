// SPDX-License-Identifier: BSD-2-Clause
#include <algorithm>
#include <cstdlib>
#include <random>

#include "bench/compare/runner.h"

namespace bench
{

static std::string filter;
static unsigned repetitions;

// Whether `argument` is this option; its value then goes to *value.
static bool is_option(const std::string &argument, const std::string &option, std::string *value)
{
    if (argument.compare(0, option.size(), option) != 0)
        return false;
    *value = argument.substr(option.size());
    return true;
}

unsigned runner_init(int *argc, char **argv, unsigned default_repetitions, void (*)())
{
    repetitions = default_repetitions;
    int kept = 1;
    for (int i = 1; i < *argc; i++) {
        std::string count;
        if (is_option(argv[i], "--benchmark_repetitions=", &count))
            repetitions = static_cast<unsigned>(strtoul(count.c_str(), nullptr, 10));
        else if (!is_option(argv[i], "--benchmark_filter=", &filter))
            argv[kept++] = argv[i];
    }
    *argc = kept;
    argv[kept] = nullptr;
    return repetitions;
}

std::string runner_filter()
{
    return filter;
}

void runner_run(const std::vector<Benchmark> &benchmarks)
{
    std::vector<const Benchmark *> order;
    for (const Benchmark &one : benchmarks)
        order.insert(order.end(), repetitions, &one);
    std::shuffle(order.begin(), order.end(), std::mt19937(std::random_device()()));
    for (const Benchmark *one : order)
        one->repeat();
}

} // namespace bench
