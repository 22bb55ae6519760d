// SPDX-License-Identifier: BSD-2-Clause
/*
 * compare: measures rangemap beside the maps that people would use instead, on the same ranges and keys, in one
 * run. See bench/README.md.
 */
#include <absl/base/config.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <stdexcept>

#include "bench/compare/harness.h"
#include "bench/compare/memory.h"
#include "bench/compare/report.h"
#include "bench/compare/runner.h"
#include "bench/replay/sets/real_sets.h"
#include "third_party/linux/shim/trees.h"

namespace bench
{

static unsigned default_repetitions(int argc, char **argv)
{
    bool quick = std::any_of(argv, argv + argc,
                             [](const char *argument) { return std::string(argument) == "--quick"; });
    return quick ? 1 : 11;
}

static std::vector<Peer> all_peers(const Options &options)
{
    std::vector<Peer> all = {rangemap_peer()};
    auto append = [&all](const std::vector<Peer> &more) { all.insert(all.end(), more.begin(), more.end()); };
    append(kernel_peers());
    append(rwlock_peers());
    all.push_back(skip_list_peer(options.java));
    append(array_peers());
    return all;
}

// The peers that were asked for and can be had here.
static std::vector<Peer> choose_peers(const Options &options, Run *run)
{
    std::vector<Peer> chosen;
    for (const Peer &peer : all_peers(options)) {
        bool asked = std::find(options.peers.begin(), options.peers.end(), peer.name) != options.peers.end();
        std::string why = asked && peer.own_process ? why_no_java(options.java) : "";
        if (!why.empty())
            run->left_out.emplace_back(peer.title, why);
        else if (asked)
            chosen.push_back(peer);
    }
    return chosen;
}

static Stage synthetic_stage(const std::string &shape, size_t count, const Options &options)
{
    Stage stage;
    stage.name = shape + ":" + std::to_string(count);
    stage.shape = shape;
    stage.aligned = shape == "pages";
    stage.source = "synthetic, seed " + std::to_string(options.seed);
    stage.ranges = std::make_shared<const Ranges>(stage.aligned ? page_ranges(count, options.seed)
                                                                : synthetic_ranges(count, options.seed));
    stage.rows = stage.aligned ? set_rows(options.threads, options.extent)
                               : synthetic_rows(options.threads, options.extent);
    return stage;
}

static Stage real_stage(const std::string &name, const Options &options, Run *run)
{
    RangeSet set = load_real_set(name, {});
    Stage stage;
    stage.name = stage.shape = name;
    stage.source = set.source;
    if (set.skipped.empty() && set.ranges.empty())
        set.skipped = "it holds no range";
    if (!set.skipped.empty() && run != nullptr)
        run->left_out.emplace_back(name, set.skipped);
    stage.ranges = std::make_shared<const Ranges>(set.skipped.empty() ? set.ranges : Ranges());
    stage.rows = set_rows(options.threads, options.extent);
    return stage;
}

// "mixed:4096", "geoip".
static Stage make_stage(const std::string &name, const Options &options, Run *run)
{
    size_t colon = name.find(':');
    if (colon == std::string::npos)
        return real_stage(name, options, run);
    return synthetic_stage(name.substr(0, colon), std::stoul(name.substr(colon + 1)), options);
}

static std::vector<std::string> stage_names(const Options &options)
{
    std::vector<std::string> names;
    for (const std::string &shape : options.shapes) {
        if (shape == "mixed" || shape == "pages") {
            for (uint64_t size : shape == "mixed" ? options.sizes : options.page_sizes)
                names.push_back(shape + ":" + std::to_string(size));
        } else {
            names.push_back(shape);
        }
    }
    return names;
}

template <class Visit>
static void for_each_memory_row(const Stage &stage, const std::vector<Peer> &peers, const Visit &visit)
{
    for (const std::string &row : memory_rows()) {
        for (const Peer &peer : peers) {
            bool fits = stage.aligned || stage.ranges->size() <= peer.most_unaligned;
            bool can = peer.updates || (row == "memory_ordered" && peer.looks_up);
            if (fits && can && Harness::wants(stage.name + "/" + row + "/" + peer.name))
                visit(row, peer);
        }
    }
}

static void measure_memory(const Stage &stage, const std::vector<Peer> &peers, const Options &options,
                           Progress &progress, Results *results)
{
    auto ranges = static_cast<double>(std::max<size_t>(1, stage.ranges->size()));
    for_each_memory_row(stage, peers, [&](const std::string &row, const Peer &peer) {
        std::string name = stage.name + "/" + row + "/" + peer.name;
        progress.step(name);
        MemoryUse use = probe_in_child({"--memory-probe", name, "--seed", std::to_string(options.seed),
                                        "--java", options.java.java, "--jar", options.java.jar});
        Result result = {stage.name, stage.shape, stage.ranges->size(), row, peer.name, peer.title, 1,
                         {},         {}};
        double bytes = use.bytes / ranges, resident = use.resident_bytes / ranges;
        result.values["bytes_per_range"] = {bytes, bytes, bytes};
        if (resident > 0)
            result.values["resident_bytes_per_range"] = {resident, resident, resident};
        results->push_back(std::move(result));
    });
}

// This process is the child that measures the memory of one map.
static void be_memory_probe(const Options &options)
{
    const std::string &name = options.memory_probe;
    size_t first = name.find('/'), second = name.rfind('/');
    Options own = options;
    own.peers = {name.substr(second + 1)};
    own.java.warm_up_ms = 20;
    Run run;
    std::vector<Peer> peers = choose_peers(own, &run);
    if (first == second || peers.empty())
        throw std::invalid_argument("--memory-probe: '" + name + "' is no row");
    Stage stage = make_stage(name.substr(0, first), own, nullptr);
    print_memory(probe_memory(stage, peers[0], name.substr(first + 1, second - first - 1), options.seed));
}

static void print_names(const Options &options, const std::vector<Peer> &peers)
{
    for (const std::string &name : stage_names(options)) {
        Stage stage = make_stage(name, options, nullptr);
        for (const std::string &row : wanted_names(stage, peers))
            puts(row.c_str());
        for_each_memory_row(stage, peers, [&](const std::string &row, const Peer &peer) {
            printf("%s/%s/%s\n", stage.name.c_str(), row.c_str(), peer.name.c_str());
        });
    }
}

static void add_versions(MachineFacts *facts)
{
    facts->emplace_back("maple tree, XArray", std::string("of Linux ") + linux_version());
    facts->emplace_back("std::map", "of libstdc++ " + std::to_string(_GLIBCXX_RELEASE));
    facts->emplace_back("absl::btree_map", "of Abseil LTS " + std::to_string(ABSL_LTS_RELEASE_VERSION));
}

// What is built for one set is gone before the next.
static void run_stage(const Stage &stage, const std::vector<Peer> &peers, const Options &options,
                      Harness &harness, Progress &progress, Results *results)
{
    if (stage.ranges->empty())
        return;
    size_t rows = wanted_names(stage, peers).size();
    if (rows > 0)
        progress.stage(stage.name + ": " + std::to_string(rows) + " rows");
    {
        Loaded loaded(stage, options.seed, progress);
        harness.run(loaded, peers, results);
    }
    measure_memory(stage, peers, options, progress, results);
}

static void measure_all(const Options &options, Run *run)
{
    std::vector<Peer> peers = choose_peers(options, run);
    if (options.list)
        return print_names(options, peers);
    run->facts = machine_facts();
    add_versions(&run->facts);
    Progress progress;
    Team team(options.threads.back());
    run->pinned = team.pinned();
    print_head(*run, options);
    Harness harness(team, progress, options.seconds);
    Results results;
    for (const std::string &name : stage_names(options)) {
        Stage stage = make_stage(name, options, run);
        run->sets.emplace_back(stage.name, stage.source);
        run_stage(stage, peers, options, harness, progress, &results);
    }
    progress.done();
    if (!java_version().empty())
        run->facts.emplace_back("Java", java_version());
    if (results.empty())
        throw std::invalid_argument("no row has such a name; --list prints them");
    print_results(results, peers);
    std::vector<Target> targets = judge_targets(results);
    print_targets(targets);
    if (!options.json.empty())
        write_json(*run, options, results, targets);
    printf("\nall answers were right; %.0f s\n", progress.seconds());
}

static void print_help()
{
    fputs(options_help().c_str(), stdout);
}

static int run(int argc, char **argv)
{
    Run run;
    run.repetitions = runner_init(&argc, argv, default_repetitions(argc, argv), print_help);
    Options options = parse_options(argc, argv);
    if (options.help) {
        print_help();
        return 0;
    }
    if (!options.memory_probe.empty()) {
        be_memory_probe(options);
        return 0;
    }
    measure_all(options, &run);
    return 0;
}

} // namespace bench

int main(int argc, char **argv)
{
    try {
        return bench::run(argc, argv);
    } catch (const std::invalid_argument &error) {
        fprintf(stderr, "compare: %s\nTry compare --help.\n", error.what());
        return 2;
    } catch (const std::system_error &error) {
        fprintf(stderr, "compare: %s\n", error.what());
        return 2;
    } catch (const std::exception &error) {
        fprintf(stderr, "compare: %s\n", error.what());
        return 1;
    }
}
