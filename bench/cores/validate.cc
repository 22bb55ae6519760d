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

void pin(unsigned processor)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0)
        throw std::runtime_error("threads cannot be pinned to two processors");
}

// Two threads hand a word to and fro; the time one way, when least disturbed.
Ps measure_transfer()
{
    constexpr uint64_t kTurns = 5000;
    alignas(64) std::atomic<uint64_t> turn{0};
    auto play = [&turn](uint64_t parity) {
        for (uint64_t i = parity; i < kTurns; i += 2) {
            while (turn.load(std::memory_order_acquire) != i) {
            }
            turn.store(i + 1, std::memory_order_release);
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

Json run_compare(size_t ranges)
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
    std::string command =
        "'" + program + "' --maps rangemap --shapes mixed --threads 1,2 --sizes " + std::to_string(ranges) +
        " --benchmark_filter='lookup_alone/random/hit/|mix_|erase_insert' --json " + json + " >&2";
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

std::string fixed(double value)
{
    char text[40];
    snprintf(text, sizeof text, "%.2f", value);
    return text;
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
    for (size_t ranges : options.ranges) {
        Json compare = run_compare(ranges);
        TextTable table({"two threads against one", "measured", "predicted", "difference", ""});
        for (const std::string &name : options.mixes) {
            const Mix &mix = mix_named(name);
            if (mix.row == nullptr)
                continue;
            std::string row = mix.row;
            double one = measured(compare, row + "/threads:1");
            double two = measured(compare, row + "/threads:2" + (mix.own ? ":halves" : ""));
            if (one == 0 || two == 0)
                continue;
            double ratio =
                predicted(here, options, mix, 2, ranges) / predicted(here, options, mix, 1, ranges);
            double off = ratio / (two / one) - 1;
            all &= std::fabs(off) <= kTolerance;
            table.add({name, fixed(two / one), fixed(ratio), std::to_string(std::lround(100 * off)) + " %",
                       std::fabs(off) <= kTolerance ? "" : "beyond 25 %"});
        }
        fprintf(out, "\n%zu ranges\n\n", ranges);
        table.print(out);
    }
    return all ? 0 : 1;
}

} // namespace bench::cores
