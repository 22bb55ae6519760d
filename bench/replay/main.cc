// SPDX-License-Identifier: BSD-2-Clause
/*
 * replay: loads real sets of ranges, checks every answer against an oracle, and measures the library beside
 * ordered maps under a read-write lock. See bench/README.md.
 */
#include <glob.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>

#include "bench/replay/report_json.h"
#include "bench/replay/report_table.h"
#include "bench/replay/session.h"
#include "bench/replay/sets/csv.h"
#include "bench/replay/sets/elf_symbols.h"
#include "bench/replay/sets/iomem.h"
#include "bench/replay/sets/mmap_trace.h"
#include "bench/replay/sets/proc_maps.h"

namespace bench
{

constexpr const char *kGeoip = "/usr/share/tor/geoip"; // of Debian's tor-geoipdb

// The trace that the project ships: where `bazel run` starts the program, among the runfiles of the test that
// runs it, or among its own.
static std::string shipped_trace()
{
    const std::string name = "bench/data/build.trace";
    if (access(name.c_str(), R_OK) == 0)
        return name;
    if (const char *runfiles = getenv("RUNFILES_DIR")) {
        std::string path = std::string(runfiles) + "/rangemap/" + name;
        if (access(path.c_str(), R_OK) == 0)
            return path;
    }
    char program[4096];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program);
    if (length <= 0)
        return name;
    std::string pattern = std::string(program, static_cast<size_t>(length)) + ".runfiles/*/" + name;
    glob_t found = {};
    std::string path = name;
    if (glob(pattern.c_str(), 0, nullptr, &found) == 0)
        path = found.gl_pathv[0];
    globfree(&found);
    return path;
}

// A file that the user named must be there; the defaults may be missing.
static RangeSet must_load(RangeSet set, bool named)
{
    if (named && !set.skipped.empty())
        throw std::invalid_argument(set.source + ": " + set.skipped);
    return set;
}

static RangeSet load_set(const std::string &name, const Options &options)
{
    if (name == "geoip")
        return must_load(load_csv("geoip", options.geoip.empty() ? kGeoip : options.geoip),
                         !options.geoip.empty());
    if (name == "iomem")
        return load_iomem("/proc/iomem");
    if (name == "maps")
        return load_proc_maps("/proc");
    if (name == "elf")
        return must_load(load_elf_symbols(options.elf.empty() ? find_large_library() : options.elf),
                         !options.elf.empty());
    return must_load(load_mmap_trace(options.trace.empty() ? shipped_trace() : options.trace),
                     !options.trace.empty());
}

static std::vector<SetResult> run_sets(const Options &options, Session &session)
{
    std::vector<SetResult> results;
    auto run = [&](const RangeSet &set) {
        results.push_back(session.real_set(set));
        print_set(results.back());
    };
    if (!options.file.empty())
        run(must_load(load_csv("file", options.file), true));
    for (const std::string &name : options.sets) {
        if (name != "synthetic")
            run(load_set(name, options));
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
