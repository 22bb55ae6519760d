// SPDX-License-Identifier: BSD-2-Clause
#include "bench/core/targets.h"

#include <algorithm>
#include <cstdio>

#include "bench/core/row.h"

namespace bench
{

constexpr size_t kAny = 0, kMiddle = 4096, kLarge = 65536, kMillion = 1000000;
constexpr double kMebibyte = 1048576;

namespace
{

// One value of rangemap's, against that of another row or subject, or by itself. The sizes to which it is promised.
struct Promise {
    std::string what, row, value;
    std::string other_row, other; // other: a subject; empty: the value itself is judged
    double limit;
    bool at_least;
    size_t from = kAny, to = SIZE_MAX;
    const char *unit = "times";
    double divisor = 1;
};

using Promises = std::vector<Promise>;
const std::string kRate = "operations_per_second", kTime = "ns_per_operation";

// At least so many times the rate of another subject in the same row.
Promise faster(const std::string &what, const std::string &row, const char *other, double limit,
               size_t from = kAny, size_t to = SIZE_MAX)
{
    return {what, row, kRate, row, other, limit, true, from, to};
}

// At least so many times rangemap's own rate in another row.
Promise scales(const std::string &what, const std::string &row, const std::string &base, double limit,
               size_t from = kAny, size_t to = SIZE_MAX)
{
    return {what, row, kRate, base, kRangemap, limit, true, from, to};
}

// At most so many times the time of another row.
Promise within(const std::string &what, const std::string &row, const std::string &other, double limit,
               size_t from = kAny, size_t to = SIZE_MAX)
{
    return {what, row, kTime, other, kRangemap, limit, false, from, to};
}

// A value by itself.
Promise at_most(const std::string &what, const std::string &row, const std::string &value, double limit,
                const char *unit, size_t from = kAny, size_t to = SIZE_MAX, double divisor = 1)
{
    return {what, row, value, "", "", limit, false, from, to, unit, divisor};
}

void lookups_and_updates(Promises &all)
{
    const std::string alone = lookup_row("alone", {}, 1, false), batch = lookup_row("batch16", {}, 1, false);
    const std::string maple = "lookup in its own section, against maple tree";
    all.push_back(faster(maple, alone, kMaple, 3, kAny, kLarge));
    all.push_back(faster(maple, alone, kMaple, 2, kLarge + 1));
    all.push_back(faster("lookups in one section, against Eytzinger array",
                         lookup_row("section", {}, 1, false), kEytzinger, 1));
    all.push_back(faster("batches of 16, against maple tree", batch, kMaple, 8, kLarge));
    all.push_back(faster("batches of 16, against Eytzinger array", batch, kEytzinger, 2, kLarge));
    all.push_back(scales("batches of 16, against lookups in their own section", batch, alone, 1));
    all.push_back(faster("erase and insert, against maple tree", update_row(100, 1, false), kMaple, 5));
    for (unsigned percent : {10u, 50u}) {
        for (unsigned threads : {1u, 2u})
            all.push_back(faster(std::to_string(percent) + " % updates, " + threads_text(threads) +
                                     ", against maple tree",
                                 update_row(percent, threads, false), kMaple, 4));
    }
}

void scaling(Promises &all)
{
    const std::string halves = "2 threads in halves against 1, ";
    const std::string alone = lookup_row("alone", {}, 1, false);
    const std::string two = update_row(100, 2, true), one = update_row(100, 1, false);
    all.push_back(scales(halves + "updates only", two, one, 1.4, kMiddle, kMiddle));
    all.push_back(scales(halves + "updates only", two, one, 1.8, kLarge));
    all.push_back(
        scales(halves + "10 % updates", update_row(10, 2, true), update_row(10, 1, false), 1.8, kLarge));
    all.push_back(scales(halves + "read-only", lookup_row("alone", {}, 2, true), alone, 1.9, kLarge));
    all.push_back(scales("16 threads against 1, read-only", lookup_row("alone", {}, 16, false), alone, 14));
    all.push_back(
        scales("16 threads against 1, 50 % updates", update_row(50, 16, false), update_row(50, 1, false), 8));
}

Promises of_mixed_sets()
{
    Promises all;
    lookups_and_updates(all);
    scaling(all);
    all.push_back(at_most("memory after random inserts", "memory_random", "bytes_per_range", 40,
                          "bytes a range", kMillion));
    all.push_back(at_most("memory after a bulk load", "memory_ordered", "bytes_per_range", 30,
                          "bytes a range", kMillion));
    const std::string beside = "latency_beside_writer/threads:2";
    for (const char *other : {kStdMap, kBtreeMap})
        all.push_back({std::string("p99.9 of lookups beside a writer, against ") + other, beside, "p99.9_ns",
                       beside, other, 0.2, false});
    const std::string garbage = "bytes not yet reclaimed, 50 % updates, 2 threads";
    all.push_back(
        at_most(garbage, "garbage_50/threads:2", "median_bytes", 4, "MiB", kAny, SIZE_MAX, kMebibyte));
    return all;
}

Promises of_gaps()
{
    Promises all;
    for (const auto &[row, what] : {std::pair{"gap_search/one_hole/threads:1", "search for the one gap"},
                                    std::pair{"gap_search/none/threads:1", "search for no gap"}}) {
        all.push_back(
            faster(std::string(what) + ", against maple tree", row, kMaple, 1.0 / 3, kAny, kMillion - 1));
        all.push_back(faster(std::string(what) + ", against maple tree", row, kMaple, 1.0 / 5, kMillion));
    }
    all.push_back(
        faster("gap_allocate and erase, against maple tree", "allocate_erase/threads:1", kMaple, 1));
    for (const char *other : {kMaple, kSetOfGaps})
        all.push_back(faster(std::string("fill and free, 2 threads in halves, against ") + other,
                             "fill_and_free/threads:2:halves", other, 1, kMiddle));
    all.push_back(within("erase and insert in a map that tracks gaps, time against one that does not",
                         "erase_insert/tracked/threads:1", "erase_insert/untracked/threads:1", 1.25));
    all.push_back(within("splice of 1,000 ranges, time against 1,000 inserts", "window/splice_1000/threads:1",
                         "window/insert_1000/threads:1", 0.1, kLarge, kLarge));
    all.push_back(within("update of 1,000 values, time against 1,000 replaces",
                         "window/update_1000/threads:1", "window/replace_1000/threads:1", 0.1, kLarge,
                         kLarge));
    return all;
}

// Nanoseconds per lookup of the prototype on a 2-core cloud machine: alone, and in batches of 16.
struct PrototypeRow {
    size_t ranges;
    double alone_ns, batch_ns;
};
constexpr PrototypeRow kPrototype[] = {
    {16, 5.8, 5.9}, {256, 10, 8.2}, {4096, 17, 11}, {65536, 33, 16}, {1048576, 150, 43},
};

void against_prototype(Promises &all)
{
    for (const PrototypeRow &row : kPrototype) {
        for (const char *mode : {"alone", "section", "batch16"}) {
            double ns = mode == std::string("batch16") ? row.batch_ns : row.alone_ns;
            all.push_back(at_most(std::string("one lookup ") + mode + ", 1.3 x prototype",
                                  lookup_row(mode, {}, 1, false), kTime, 1.3 * ns, "ns", row.ranges,
                                  row.ranges));
        }
    }
}

// For every number of threads that was measured.
Promises of_replay(const std::vector<unsigned> &threads)
{
    Promises all;
    for (unsigned count : threads) {
        for (const auto &[other, title] :
             {std::pair{kStdMap, "std::map"}, std::pair{kBtreeMap, "absl::btree_map"}}) {
            std::string where = ", " + threads_text(count) + ", against " + title;
            all.push_back(faster("lookups alone" + where, lookup_row("alone", {}, count, false), other, 3));
            all.push_back(faster("lookups batch" + where, lookup_row("batch16", {}, count, false), other, 3));
            all.push_back(faster("updates" + where, update_row(100, count, false), other, 1, kMiddle));
        }
    }
    all.push_back(scales("2 threads against 1, 0 % updates", lookup_row("alone", {}, 2, false),
                         lookup_row("alone", {}, 1, false), 1.8));
    all.push_back(
        scales("2 threads against 1, 10 % updates", update_row(10, 2, false), update_row(10, 1, false), 1.8));
    against_prototype(all);
    all.push_back(at_most("bytes a range after random inserts", "build_random", "bytes_per_range", 40,
                          "bytes", kMillion));
    all.push_back(
        at_most("bytes a range after bulk load", "build_ordered", "bytes_per_range", 30, "bytes", kMillion));
    return all;
}

// Judges the results of one set. What was not measured is left out.
class Judge
{
  public:
    Judge(const Results &results, const Result &of, std::vector<Target> *targets)
        : results_(results), set_(of.set), ranges_(of.ranges), targets_(targets)
    {
    }

    void judge(const Promise &promise)
    {
        if (ranges_ < promise.from || ranges_ > promise.to)
            return;
        double own = value(promise.row, kRangemap, promise.value);
        if (promise.other.empty())
            return add(promise, own / promise.divisor,
                       promise.value == "median_bytes" ? peak(promise.row) : "");
        double other = value(promise.other_row, promise.other, promise.value);
        char note[64] = "";
        if (promise.value != kRate)
            snprintf(note, sizeof note, "%.0f against %.0f ns", own, other);
        add(promise, other > 0 ? own / other : 0, note);
    }

    // The worst of all rows in which both took part.
    void skip_list()
    {
        double worst = 0;
        std::string where;
        for (const Result &result : results_) {
            if (result.set != set_ || result.subject != kSkipList)
                continue;
            double other = value(result.row, kSkipList, kRate);
            double times = other > 0 ? value(result.row, kRangemap, kRate) / other : 0;
            if (times > 0 && (worst == 0 || times < worst)) {
                worst = times;
                where = result.row;
            }
        }
        add({"any mix and number of threads, against ConcurrentSkipListMap", "", "", "", "", 1, true}, worst,
            "least in " + where);
    }

  private:
    double value(const std::string &row, const std::string &subject, const std::string &what) const
    {
        return median(results_, set_, row, subject, what);
    }

    std::string peak(const std::string &row) const
    {
        char text[64];
        snprintf(text, sizeof text, "peak %.2f MiB", value(row, kRangemap, "peak_bytes") / kMebibyte);
        return text;
    }

    void add(const Promise &promise, double measured, const std::string &note)
    {
        bool met = promise.at_least ? measured >= promise.limit : measured <= promise.limit;
        if (measured > 0)
            targets_->push_back(
                {promise.what, ranges_, promise.unit, measured, promise.limit, promise.at_least, met, note});
    }

    const Results &results_;
    const std::string &set_;
    size_t ranges_;
    std::vector<Target> *targets_;
};

std::vector<unsigned> threads_of(const Results &results)
{
    std::vector<unsigned> threads;
    for (const Result &result : results)
        threads.push_back(result.threads);
    std::sort(threads.begin(), threads.end());
    threads.erase(std::unique(threads.begin(), threads.end()), threads.end());
    return threads;
}

} // namespace

std::vector<Target> judge_targets(const Results &results)
{
    std::map<std::string, Promises> promises = {
        {"mixed", of_mixed_sets()}, {"gaps", of_gaps()}, {"synthetic", of_replay(threads_of(results))}};
    std::vector<Target> targets;
    std::vector<std::string> judged;
    for (const Result &result : results) {
        if (std::find(judged.begin(), judged.end(), result.set) != judged.end())
            continue;
        judged.push_back(result.set);
        Judge judge(results, result, &targets);
        for (const Promise &promise : promises[result.shape])
            judge.judge(promise);
        if (result.shape == "mixed")
            judge.skip_list();
    }
    return targets;
}

} // namespace bench
