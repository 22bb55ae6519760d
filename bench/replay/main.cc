// SPDX-License-Identifier: BSD-2-Clause
/*
 * replay: loads real sets of ranges, checks every answer against an oracle, and measures the library beside
 * ordered maps under a read-write lock. See bench/README.md.
 */
#include <cstdio>
#include <exception>

#include "bench/replay/report_json.h"
#include "bench/replay/report_table.h"
#include "bench/replay/session.h"
#include "bench/replay/sets/csv.h"
#include "bench/replay/sets/real_sets.h"

namespace bench
{

static std::vector<SetResult> run_sets(const Options &options, Session &session)
{
    SetFiles files = {options.geoip, options.elf, options.trace};
    std::vector<SetResult> results;
    auto run = [&](const RangeSet &set) {
        results.push_back(session.real_set(set));
        print_set(results.back());
    };
    if (!options.file.empty())
        run(must_load(load_csv("file", options.file)));
    for (const std::string &name : options.sets) {
        if (name != "synthetic")
            run(load_real_set(name, files));
    }
    if (wants_set(options, "synthetic")) {
        for (uint64_t size : options.sizes) {
            results.push_back(session.synthetic_set(size));
            print_set(results.back());
        }
    }
    return results;
}

static int run(const Options &options)
{
    MachineFacts facts = machine_facts();
    Session session(options);
    print_header(facts, options, session.pinned());
    std::vector<SetResult> results = run_sets(options, session);
    print_results(results);
    std::vector<Target> targets = judge_targets(results);
    print_targets(targets);
    if (!options.json.empty())
        write_json(options.json, facts, options, results, targets);
    uint64_t answers = 0, wrong = 0;
    for (const SetResult &result : results) {
        answers += result.answers;
        wrong += result.mismatches;
    }
    printf("\n%llu answers checked, %llu wrong; %.0f s\n", static_cast<unsigned long long>(answers),
           static_cast<unsigned long long>(wrong), session.progress().seconds());
    return wrong == 0 ? 0 : 1;
}

} // namespace bench

int main(int argc, char **argv)
{
    try {
        bench::Options options = bench::parse_options(argc, argv);
        if (options.help) {
            fputs(bench::options_help().c_str(), stdout);
            return 0;
        }
        return bench::run(options);
    } catch (const std::exception &error) {
        fprintf(stderr, "replay: %s\nTry replay --help.\n", error.what());
        return 2;
    }
}
