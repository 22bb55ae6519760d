// SPDX-License-Identifier: BSD-2-Clause
#include "bench/replay/report_table.h"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>

#include "bench/subjects/rangemap.h"
#include "bench/text_table.h"
#include "bench/workload/clock.h"

namespace bench
{

__attribute__((format(printf, 1, 2))) static std::string format(const char *pattern, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, pattern);
    vsnprintf(text, sizeof text, pattern, arguments);
    va_end(arguments);
    return text;
}

void print_header(const MachineFacts &facts, const Options &options, bool pinned)
{
    for (const auto &[name, text] : facts)
        printf("%-19s %s\n", name.c_str(), text.c_str());
    const ClockCalibration &clock = calibrate_clock();
    printf("%-19s %g s a run, %u runs each (synthetic: %u), interleaved; threads %s\n", "method",
           options.seconds_per_cell, options.repetitions, options.synthetic_repetitions,
           pinned ? "pinned" : "not pinned");
    printf("%-19s %s; reading it takes %.1f ns, which is taken off every latency\n", "clock", tick_source(),
           static_cast<double>(clock.overhead_ticks) * clock.ns_per_tick);
    printf("%-19s alone: a section or read lock each; batch: %u keys a section; held: %u lookups a section\n",
           "lookups", kBatchKeys, kHeldKeys);
    printf("%-19s under one pthread_rwlock with default attributes\n\n", "std::map, btree_map");
    double load = 0;
    if (getloadavg(&load, 1) == 1 && load > 0.5)
        printf("NOTE: other programs keep this machine busy (load %.1f): the figures are disturbed\n\n",
               load);
    fflush(stdout);
}

void print_set(const SetResult &result)
{
    printf("set %s (%s): ", result.name.c_str(), result.source.c_str());
    if (!result.skipped.empty())
        printf("SKIPPED, %s\n", result.skipped.c_str());
    else
        printf("%zu ranges\n", result.ranges);
    for (const std::string &note : result.notes)
        printf("    %s\n", note.c_str());
    if (result.malformed != 0)
        printf("    %llu malformed lines skipped\n", static_cast<unsigned long long>(result.malformed));
    if (result.skipped.empty())
        printf("    %llu answers checked, %llu wrong\n", static_cast<unsigned long long>(result.answers),
               static_cast<unsigned long long>(result.mismatches));
    fflush(stdout);
}

static std::string known(double bytes)
{
    return bytes == 0 ? "-" : format("%.1f", bytes);
}

static void print_loads(const std::vector<SetResult> &results)
{
    TextTable table({"set", "subject", "ranges", "bulk load ms", "bytes/range", "inserts ms", "bytes/range",
                     "replay actions/s"});
    for (const SetResult &result : results) {
        for (size_t i = 0; i < result.loads.size(); i++) {
            const LoadCell &load = result.loads[i];
            std::string replay = "-";
            if (i < result.replays.size())
                replay = format("%.0f", result.replays[i].actions.median);
            table.add({result.name, load.subject, std::to_string(result.ranges),
                       format("%.3f", load.bulk_seconds.median * 1e3), known(load.bulk_bytes_per_range),
                       format("%.3f", load.insert_seconds * 1e3), known(load.insert_bytes_per_range),
                       replay});
        }
    }
    printf("\nLoading (sorted in bulk; one by one in random order)\n");
    table.print(stdout);
}

static std::string millions(const Spread &rate)
{
    return format("%.2f (%.2f..%.2f)", rate.median * 1e-6, rate.min * 1e-6, rate.max * 1e-6);
}

// The cells of one plan stand next to each other, one for each subject.
static void print_rates(const std::vector<SetResult> &results)
{
    std::vector<std::string> subjects;
    for (const SetResult &result : results) {
        for (size_t i = subjects.size(); i < result.loads.size(); i++)
            subjects.push_back(result.loads[i].subject);
    }
    if (subjects.empty())
        return;
    std::vector<std::string> head = {"set", "lookups", "threads", "updates"};
    for (const std::string &subject : subjects)
        head.push_back(subject);
    for (size_t i = 1; i < subjects.size(); i++)
        head.push_back("x " + subjects[i]);
    TextTable table(head);
    for (const SetResult &result : results) {
        for (size_t i = 0; i + subjects.size() <= result.rates.size(); i += subjects.size()) {
            const RateCell *cells = &result.rates[i];
            const MixPlan &plan = cells[0].plan;
            bool only_updates = plan.update_percent == 100;
            std::vector<std::string> row = {result.name, only_updates ? "(updates)" : mode_name(plan.mode),
                                            std::to_string(plan.threads),
                                            format("%u %%", plan.update_percent)};
            for (size_t k = 0; k < subjects.size(); k++)
                row.push_back(millions(only_updates ? cells[k].updates : cells[k].lookups));
            for (size_t k = 1; k < subjects.size(); k++)
                row.push_back(format("%.2f", cells[0].operations.median / cells[k].operations.median));
            table.add(row);
        }
    }
    printf(
        "\nMillion lookups per second of all threads together: median (min..max); ratios of the medians\n");
    table.print(stdout);
}

static void print_latencies(const std::vector<SetResult> &results)
{
    TextTable table({"set", "subject", "threads", "updates", "samples", "p50 ns", "p99 ns", "p99.9 ns"});
    for (const SetResult &result : results) {
        for (const LatencyCell &cell : result.latencies)
            table.add({result.name, cell.subject, std::to_string(cell.threads),
                       format("%u %%", cell.update_percent), std::to_string(cell.samples),
                       format("%.0f", cell.p50), format("%.0f", cell.p99), format("%.0f", cell.p999)});
    }
    printf("\nLatency of single lookups\n");
    table.print(stdout);
}

void print_results(const std::vector<SetResult> &results)
{
    print_loads(results);
    print_rates(results);
    print_latencies(results);
}

void print_targets(const std::vector<Target> &targets)
{
    if (targets.empty())
        return;
    TextTable table({"target", "ranges", "measured", "wanted", ""});
    size_t missed = 0;
    for (const Target &target : targets) {
        missed += !target.met;
        table.add({target.what, std::to_string(target.ranges),
                   format("%.2f %s", target.measured, target.unit.c_str()),
                   format("%s %.4g", target.at_least ? ">=" : "<=", target.limit),
                   target.met ? "met" : "MISSED"});
    }
    printf("\nTargets: %zu of %zu met\n", targets.size() - missed, targets.size());
    table.print(stdout);
}

} // namespace bench
