// SPDX-License-Identifier: BSD-2-Clause
#include <cstdio>
#include <stdexcept>
#include <system_error>

#include "bench/cores/report.h"
#include "bench/cores/validate.h"

namespace bench::cores
{

static Experiment experiment_of(const Options &options, const std::string &mix, unsigned threads,
                                size_t ranges)
{
    Experiment experiment;
    experiment.mix = mix_named(mix);
    experiment.threads = threads;
    experiment.sockets = threads < options.sockets ? threads : options.sockets;
    experiment.ranges = ranges;
    experiment.warm_up = options.warm_up;
    experiment.measured = options.measured;
    experiment.seed = options.seed;
    return experiment;
}

static std::vector<Result> simulate_all(const Options &options)
{
    std::vector<Result> results;
    for (const std::string &machine : options.machines) {
        for (size_t ranges : options.ranges) {
            for (const std::string &mix : options.mixes) {
                for (unsigned threads : options.threads) {
                    Experiment experiment = experiment_of(options, mix, threads, ranges);
                    fprintf(stderr, "%s, %s, %u threads\n", machine.c_str(), mix.c_str(), threads);
                    results.push_back({machine, experiment, simulate(machine_named(machine), experiment)});
                }
            }
        }
    }
    return results;
}

static int run(const Options &options)
{
    if (options.help) {
        fputs(options_help().c_str(), stdout);
        return 0;
    }
    if (options.validate)
        return validate(options, stdout);
    std::vector<Result> results = simulate_all(options);
    uint64_t wrong = 0;
    print_table(results, stdout);
    if (options.lines)
        print_lines(results, stdout);
    if (!options.json.empty())
        write_json(results, options);
    for (const Result &result : results)
        wrong += result.outcome.wrong;
    if (wrong > 0)
        fprintf(stderr, "cores: %llu WRONG ANSWERS\n", static_cast<unsigned long long>(wrong));
    return wrong > 0 ? 1 : 0;
}

} // namespace bench::cores

int main(int count, char **arguments)
{
    try {
        return bench::cores::run(bench::cores::parse_options(count, arguments));
    } catch (const std::exception &error) {
        fprintf(stderr, "cores: %s\n", error.what());
        return 2;
    }
}
