// SPDX-License-Identifier: BSD-2-Clause
#include "bench/core/program.h"

#include <cstdio>
#include <stdexcept>
#include <system_error>

#include "bench/core/targets.h"

namespace bench
{

void finish(Run *run, const Options &options, const std::vector<Subject> &subjects, Progress &progress)
{
    progress.done();
    if (run->results.empty() && !options.filter.empty())
        throw std::invalid_argument("no row has such a name; --list prints them");
    print_results(run->results, subjects);
    run->targets = judge_targets(run->results);
    print_targets(run->targets);
    if (!options.json.empty())
        write_json(*run, options);
}

int run_program(const char *name, const std::function<int()> &body)
{
    try {
        return body();
    } catch (const std::invalid_argument &error) {
        fprintf(stderr, "%s: %s\nTry %s --help.\n", name, error.what(), name);
        return 2;
    } catch (const std::regex_error &error) {
        fprintf(stderr, "%s: --benchmark_filter: %s\n", name, error.what());
        return 2;
    } catch (const std::system_error &error) {
        fprintf(stderr, "%s: %s\n", name, error.what());
        return 2;
    } catch (const std::exception &error) {
        fprintf(stderr, "%s: %s\n", name, error.what());
        return 1;
    }
}

} // namespace bench
