// SPDX-License-Identifier: BSD-2-Clause
#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "bench/core/report.h"
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

void print_head(const Run &run, const Options &options)
{
    auto line = [](const std::string &name, const std::string &text) {
        printf("%-20s %s\n", name.c_str(), text.c_str());
    };
    for (const auto &[name, text] : run.facts)
        line(name, text);
    const ClockCalibration &clock = calibrate_clock();
    line("method",
         format("%u repetitions of %g s (synthetic sets: %u), in random order; seed %llu; threads %s",
                options.repetitions, options.seconds, options.synthetic_repetitions,
                static_cast<unsigned long long>(options.seed),
                run.pinned ? "pinned" : "not pinned: more than there are processors"));
    line("clock", format("%s; reading it takes %.1f ns, which is taken off every latency", tick_source(),
                         static_cast<double>(clock.overhead_ticks) * clock.ns_per_tick));
    for (const auto &[what, why] : run.left_out)
        line("left out", what + ": " + why);
    double load = 0;
    if (getloadavg(&load, 1) == 1 && load > 0.5)
        line("NOTE",
             format("other programs keep this machine busy (load %.1f): the figures are disturbed", load));
    fflush(stdout);
}

void print_set(const SetFacts &set)
{
    printf("set %s (%s): ", set.name.c_str(), set.source.c_str());
    if (!set.skipped.empty())
        printf("SKIPPED, %s\n", set.skipped.c_str());
    else
        printf("%zu ranges\n", set.ranges);
    for (const std::string &note : set.notes)
        printf("    %s\n", note.c_str());
    if (set.malformed != 0)
        printf("    %llu malformed lines skipped\n", static_cast<unsigned long long>(set.malformed));
    if (set.skipped.empty())
        printf("    %llu answers checked, %llu wrong\n", static_cast<unsigned long long>(set.answers),
               static_cast<unsigned long long>(set.wrong));
    fflush(stdout);
}

// A value that stands for a result in a table, what it is called, and what it is divided by there.
struct Line {
    const char *value, *unit;
    double divisor;
};

// Those that any of a row's results has. Of garbage the bytes matter, not the rate.
static std::vector<Line> lines_of(const Result *begin, const Result *end)
{
    static const Line all[] = {{"median_bytes", "KiB", 1024},   {"operations_per_second", "Mop/s", 1e6},
                               {"p50_ns", "p50 ns", 1},         {"p99_ns", "p99 ns", 1},
                               {"p99.9_ns", "p99.9 ns", 1},     {"worst_ns", "worst ns", 1},
                               {"ns_per_range", "ns/range", 1}, {"bytes_per_range", "bytes/range", 1}};
    std::vector<Line> lines;
    for (const Line &line : all) {
        if (std::any_of(begin, end,
                        [&](const Result &result) { return result.values.count(line.value) != 0; }))
            lines.push_back(line);
        if (lines.size() == 1 && lines[0].divisor == 1024)
            break;
    }
    if (lines.empty()) // no map tells what it takes
        lines.push_back({"resident_bytes_per_range", "resident/range", 1});
    return lines;
}

// "12.3 ~4%": the median, and how far the repetitions lie from it at most.
static std::string cell(const Result &result, const Line &line)
{
    auto found = result.values.find(line.value);
    if (found == result.values.end())
        return "-";
    const Spread &spread = found->second;
    double median = spread.median / line.divisor;
    std::string text = format(median >= 100 ? "%.0f" : "%.3g", median);
    double off = std::max(spread.max - spread.median, spread.median - spread.min);
    if (spread.median > 0 && off > 0)
        text += format(" ~%.0f%%", 100 * off / spread.median);
    return text;
}

// Those that have a result there.
static std::vector<Subject> subjects_of(const Results &results, const std::string &set,
                                        std::vector<Subject> subjects)
{
    auto is_absent = [&](const Subject &subject) {
        return std::none_of(results.begin(), results.end(), [&](const Result &result) {
            return result.set == set && result.subject == subject.name;
        });
    };
    subjects.erase(std::remove_if(subjects.begin(), subjects.end(), is_absent), subjects.end());
    return subjects;
}

// The table of one set, from results[begin] on; returns where the next begins.
static size_t print_one_set(const Results &results, size_t begin, const std::vector<Subject> &all)
{
    std::vector<Subject> subjects = subjects_of(results, results[begin].set, all);
    std::vector<std::string> head = {"row", "unit"};
    for (const Subject &subject : subjects)
        head.push_back(subject.name);
    TextTable table(head);
    size_t at = begin;
    while (at < results.size() && results[at].set == results[begin].set) {
        size_t end = at;
        while (end < results.size() && results[end].row == results[at].row &&
               results[end].set == results[at].set)
            end++;
        for (const Line &line : lines_of(&results[at], &results[at] + (end - at))) {
            std::vector<std::string> row = {results[at].row, line.unit};
            for (const Subject &subject : subjects) {
                auto found = std::find_if(&results[at], &results[at] + (end - at),
                                          [&](const Result &one) { return one.subject == subject.name; });
                row.push_back(found == &results[at] + (end - at) ? "-" : cell(*found, line));
            }
            table.add(row);
        }
        at = end;
    }
    printf("\n%s, %zu ranges\n", results[begin].set.c_str(), results[begin].ranges);
    table.print(stdout);
    return at;
}

void print_results(const Results &results, const std::vector<Subject> &subjects)
{
    printf("\nMedians; ~ how far the repetitions lie from them at most.\n");
    for (size_t at = 0; at < results.size();)
        at = print_one_set(results, at, subjects);
    fflush(stdout);
}

void print_targets(const std::vector<Target> &targets)
{
    if (targets.empty())
        return;
    TextTable table({"target", "ranges", "measured", "wanted", "", "note"});
    auto met = std::count_if(targets.begin(), targets.end(), [](const Target &target) { return target.met; });
    for (const Target &target : targets)
        table.add({target.what, std::to_string(target.ranges),
                   format("%.2f %s", target.measured, target.unit.c_str()),
                   format("%s %.4g", target.at_least ? ">=" : "<=", target.limit),
                   target.met ? "met" : "MISSED", target.note});
    printf("\nTargets: %zu of %zu met\n", static_cast<size_t>(met), targets.size());
    table.print(stdout);
}

} // namespace bench
