// SPDX-License-Identifier: BSD-2-Clause
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "bench/compare/report.h"
#include "bench/text_table.h"

namespace bench
{

void print_head(const Run &run, const Options &options)
{
    for (const auto &[name, text] : run.facts)
        printf("%-20s %s\n", name.c_str(), text.c_str());
    printf("%-20s %u repetitions of %g s, in random order; seed %llu; threads %s\n", "method",
           run.repetitions, options.seconds, static_cast<unsigned long long>(options.seed),
           run.pinned ? "pinned" : "not pinned: more than there are processors");
    for (const auto &[what, why] : run.left_out)
        printf("%-20s %s: %s\n", "left out", what.c_str(), why.c_str());
    fflush(stdout);
}

// The value that stands for the result in a table, what it is called, and what it is divided by there.
struct Column {
    const char *value, *head;
    double unit;
};

static Column column_of(const Result &result)
{
    for (Column column :
         {Column{"operations_per_second", "Mop/s", 1e6}, Column{"p99.9_ns", "p99.9 ns", 1},
          Column{"ns_per_range", "ns/range", 1}, Column{"bytes_per_range", "bytes/range", 1}}) {
        // Of garbage the bytes matter, not the rate.
        if (result.values.count("median_bytes") != 0)
            return {"median_bytes", "KiB", 1024};
        if (result.values.count(column.value) != 0)
            return column;
    }
    return {"", "", 1};
}

// "12.3 ±4%": the median, and how far the repetitions lie from it at most.
static std::string cell(const Result &result)
{
    Column column = column_of(result);
    auto found = result.values.find(column.value);
    if (found == result.values.end())
        return "-";
    const Spread &spread = found->second;
    double median = spread.median / column.unit;
    char text[64];
    snprintf(text, sizeof text, median >= 100 ? "%.0f" : "%.3g", median);
    double off = std::max(spread.max - spread.median, spread.median - spread.min);
    if (spread.median > 0 && off > 0)
        snprintf(text + strlen(text), sizeof text - strlen(text), " ~%.0f%%", 100 * off / spread.median);
    return text;
}

// The table of one set, from results[begin] on; returns where the next begins.
static size_t print_stage(const Results &results, size_t begin, const std::vector<Peer> &peers)
{
    std::vector<std::string> head = {"row", "unit"};
    for (const Peer &peer : peers)
        head.push_back(peer.name);
    TextTable table(head);
    size_t at = begin;
    while (at < results.size() && results[at].stage == results[begin].stage) {
        const Result &first = results[at];
        std::vector<std::string> row = {first.row, column_of(first).head};
        row.resize(head.size(), "-");
        for (; at < results.size() && results[at].row == first.row && results[at].stage == first.stage;
             at++) {
            for (size_t i = 0; i < peers.size(); i++) {
                if (peers[i].name == results[at].peer)
                    row[2 + i] = cell(results[at]);
            }
        }
        table.add(row);
    }
    printf("\n%s, %zu ranges\n", results[begin].stage.c_str(), results[begin].ranges);
    table.print(stdout);
    return at;
}

void print_results(const Results &results, const std::vector<Peer> &peers)
{
    printf("\nMedians; ~ how far the repetitions lie from them at most.\n");
    for (size_t at = 0; at < results.size();)
        at = print_stage(results, at, peers);
    fflush(stdout);
}

void print_targets(const std::vector<Target> &targets)
{
    TextTable table({"target", "ranges", "measured", "wanted", "", "note"});
    for (const Target &target : targets) {
        char measured[64], wanted[64];
        snprintf(measured, sizeof measured, "%.2f %s", target.measured, target.unit.c_str());
        snprintf(wanted, sizeof wanted, "%s %g", target.at_least ? ">=" : "<=", target.limit);
        table.add({target.what, std::to_string(target.ranges), measured, wanted,
                   target.met ? "met" : "MISSED", target.note});
    }
    printf("\n");
    table.print(stdout);
}

} // namespace bench
