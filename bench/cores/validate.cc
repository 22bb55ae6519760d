// SPDX-License-Identifier: BSD-2-Clause
#include "bench/cores/validate.h"

#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <thread>

#include "bench/runfiles.h"
#include "bench/text_table.h"
#include "bench/workload/clock.h"

namespace bench::cores
{

namespace
{

constexpr double kTolerance = 0.25;
constexpr size_t kNearRanges = 4096; // a map that fits the second cache

void pin(unsigned processor)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0)
        throw std::runtime_error("threads cannot be pinned to two processors");
}

// Two threads hand a word to and fro by compare-and-swap, as the sources of machine.cc measured it; the time one way,
// when least disturbed. A load that spins and then a store would take the line twice: once to read it, once to own it.
Ps measure_transfer()
{
    constexpr uint64_t kTurns = 5000;
    alignas(64) std::atomic<uint64_t> turn{0};
    auto play = [&turn](uint64_t parity) {
        for (uint64_t i = parity; i < kTurns; i += 2) {
            for (uint64_t expected = i; !turn.compare_exchange_strong(expected, i + 1); expected = i) {
            }
        }
    };
    std::vector<double> times;
    for (int repetition = 0; repetition < 50; repetition++) {
        turn.store(0);
        uint64_t begin = monotonic_ns();
        std::thread other([&] {
            pin(1);
            play(1);
        });
        std::thread one([&] {
            pin(0);
            play(0);
        });
        one.join();
        other.join();
        times.push_back(static_cast<double>(monotonic_ns() - begin) * 1000 / kTurns);
    }
    return static_cast<Ps>(*std::min_element(times.begin(), times.end()));
}

unsigned lines_of(int name, unsigned otherwise)
{
    long bytes = sysconf(name);
    return bytes > 0 ? static_cast<unsigned>(bytes / 64) : otherwise;
}

Machine this_machine()
{
    Machine here = machine_named("readme");
    Ps transfer = measure_transfer();
    here.name = "here";
    for (Ps &cost : here.transfer)
        cost = transfer;
    here.l1.lines = lines_of(_SC_LEVEL1_DCACHE_SIZE, here.l1.lines) / here.l1.ways * here.l1.ways;
    here.l2.lines = lines_of(_SC_LEVEL2_CACHE_SIZE, here.l2.lines) / here.l2.ways * here.l2.ways;
    return here;
}

using Json = nlohmann::json;

// The rows that the filter chooses.
Json run_compare(size_t ranges, const std::string &filter)
{
    std::string program = find_runfile("bench/compare_static");
    if (program.empty())
        throw std::runtime_error(
            "--validate needs bench/compare_static, which `bazel run` puts beside this program");
    char json[] = "/tmp/cores_validate_XXXXXX";
    int file = mkstemp(json);
    if (file < 0)
        throw std::runtime_error("no temporary file");
    close(file);
    std::string command = "'" + program + "' --maps rangemap --shapes mixed --threads 1,2 --sizes " +
                          std::to_string(ranges) + " --benchmark_filter='" + filter + "' --json " + json +
                          " >&2";
    int status = system(command.c_str());
    std::ifstream input(json);
    Json result = Json::parse(input, nullptr, false);
    unlink(json);
    if (status != 0 || result.is_discarded())
        throw std::runtime_error("bench/compare_static failed");
    return result;
}

// Operations a second of the row; 0: there is none.
double measured(const Json &compare, const std::string &row)
{
    for (const Json &result : compare["results"]) {
        if (result["row"] == row && result["values"].contains("operations_per_second"))
            return result["values"]["operations_per_second"]["median"];
    }
    return 0;
}

// Operations a second.
double predicted(const Machine &here, const Options &options, const Mix &mix, unsigned threads, size_t ranges)
{
    Experiment experiment;
    experiment.mix = mix;
    experiment.mix.own = mix.own && threads > 1;
    experiment.threads = threads;
    experiment.ranges = ranges;
    experiment.warm_up = options.warm_up;
    experiment.measured = options.measured;
    experiment.seed = options.seed;
    return simulate(here, experiment).per_second;
}

// The cost, in [0, most], with which one thread is predicted to be as fast as it was measured.
void fit(Machine &here, Ps &cost, Ps most, const Options &options, const std::string &mix,
         const Json &compare, size_t ranges)
{
    double wanted = measured(compare, mix_named(mix).row + std::string("/threads:1"));
    Ps low = 0, high = most;
    while (high - low > most / 256) {
        cost = (low + high) / 2;
        (predicted(here, options, mix_named(mix), 1, ranges) > wanted ? low : high) = cost;
    }
}

// What one thread takes here: the time between accesses by lookups in a map that its own caches hold, then the last
// cache's by lookups beyond them, then what an update takes more. What two threads do to each other is the model's.
void calibrate(Machine &here, const Options &options, const Json &compare, size_t ranges)
{
    constexpr Ps kMostStep = 2000, kMostFetch = 100000, kMostUpdate = 200000;
    Json near = run_compare(kNearRanges, "lookup_alone/random/hit/threads:1");
    fit(here, here.step, kMostStep, options, "read_only", near, kNearRanges);
    if (ranges > kNearRanges)
        fit(here, here.l3_hit, kMostFetch, options, "read_only", compare, ranges);
    fit(here, here.update, kMostUpdate, options, "updates", compare, ranges);
}

std::string fixed(double value)
{
    char text[40];
    snprintf(text, sizeof text, "%.2f", value);
    return text;
}

// Prints the two ratios of a mix beside each other; true: they are near enough, or there is no such row.
bool compare_mix(const Machine &here, const Options &options, const Mix &mix, const Json &compare,
                 size_t ranges, TextTable &table)
{
    if (mix.row == nullptr)
        return true;
    std::string row = mix.row;
    double one = measured(compare, row + "/threads:1");
    double two = measured(compare, row + "/threads:2" + (mix.own ? ":halves" : ""));
    if (one == 0 || two == 0)
        return true;
    double ratio = predicted(here, options, mix, 2, ranges) / predicted(here, options, mix, 1, ranges);
    double off = ratio / (two / one) - 1;
    bool near = std::fabs(off) <= kTolerance;
    table.add({mix.name, fixed(two / one), fixed(ratio), std::to_string(std::lround(100 * off)) + " %",
               near ? "" : "beyond 25 %"});
    return near;
}

bool validate_ranges(Machine here, const Options &options, size_t ranges, FILE *out)
{
    Json compare = run_compare(ranges, "lookup_alone/random/hit/|mix_|erase_insert");
    calibrate(here, options, compare, ranges);
    TextTable table({"two threads against one", "measured", "predicted", "difference", ""});
    bool all = true;
    for (const std::string &name : options.mixes)
        all &= compare_mix(here, options, mix_named(name), compare, ranges, table);
    fprintf(out,
            "\n%zu ranges; one thread is as fast with %.2f ns an access, %.0f ns the last cache, "
            "%.0f ns an update\n\n",
            ranges, static_cast<double>(here.step) / 1000, static_cast<double>(here.l3_hit) / 1000,
            static_cast<double>(here.update) / 1000);
    table.print(out);
    return all;
}

} // namespace

int validate(const Options &options, FILE *out)
{
    if (std::thread::hardware_concurrency() < 2)
        throw std::runtime_error("--validate needs two processors");
    Machine here = this_machine();
    bool all = true;
    fprintf(out, "A line from one processor to the other: %.0f ns\n",
            static_cast<double>(here.transfer[0]) / 1000);
    for (size_t ranges : options.ranges)
        all &= validate_ranges(here, options, ranges, out);
    return all ? 0 : 1;
}

} // namespace bench::cores
