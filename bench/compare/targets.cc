// SPDX-License-Identifier: BSD-2-Clause
#include "bench/compare/targets.h"

#include <algorithm>
#include <cstdio>

#include "bench/compare/row.h"

namespace bench
{

constexpr size_t kMiddle = 4096, kLarge = 65536, kMillion = 1000000;
constexpr double kMebibyte = 1048576;

namespace
{

// Judges the results of one mixed set.
class Judge
{
  public:
    Judge(const Results &results, const std::string &stage, size_t ranges, std::vector<Target> *targets)
        : results_(results), stage_(stage), ranges_(ranges), targets_(targets)
    {
    }

    void all()
    {
        lookups();
        batches();
        updates();
        skip_list();
        scaling();
        memory();
        tail();
        garbage();
        many_threads();
    }

  private:
    double rate(const std::string &row, const char *peer = kRangemap) const
    {
        return median(results_, stage_, row, peer, "operations_per_second");
    }

    // Left out if it was not measured.
    void add(const std::string &what, const char *unit, double measured, double limit, bool at_least,
             const std::string &note = "")
    {
        if (measured > 0)
            targets_->push_back({what, ranges_, unit, measured, limit, at_least,
                                 at_least ? measured >= limit : measured <= limit, note});
    }

    static double ratio(double above, double below)
    {
        return below > 0 ? above / below : 0;
    }

    void against(const std::string &what, const std::string &row, const char *peer, double limit)
    {
        add(what, "times", ratio(rate(row), rate(row, peer)), limit, true);
    }

    void lookups()
    {
        against("lookup in its own section, against maple tree", lookup_row("alone", {}, 1, false), kMaple,
                ranges_ <= kLarge ? 3 : 2);
        against("lookups in one section, against Eytzinger array", lookup_row("section", {}, 1, false),
                kEytzinger, 1);
    }

    void batches()
    {
        std::string batch = lookup_row("batch16", {}, 1, false);
        if (ranges_ >= kLarge) {
            against("batches of 16, against maple tree", batch, kMaple, 8);
            against("batches of 16, against Eytzinger array", batch, kEytzinger, 2);
        }
        add("batches of 16, against lookups in their own section", "times",
            ratio(rate(batch), rate(lookup_row("alone", {}, 1, false))), 1, true);
    }

    void updates()
    {
        against("erase and insert, against maple tree", update_row(100, 1, false), kMaple, 5);
        for (unsigned percent : {10u, 50u}) {
            for (unsigned threads : {1u, 2u})
                against(std::to_string(percent) + " % updates, " + threads_text(threads) +
                            ", against maple tree",
                        update_row(percent, threads, false), kMaple, 4);
        }
    }

    // The worst of all rows in which both took part.
    void skip_list()
    {
        double worst = 0;
        std::string where;
        for (const Result &result : results_) {
            if (result.stage != stage_ || result.peer != kSkipList)
                continue;
            double times = ratio(rate(result.row), rate(result.row, kSkipList));
            if (times > 0 && (worst == 0 || times < worst)) {
                worst = times;
                where = result.row;
            }
        }
        add("any mix and number of threads, against ConcurrentSkipListMap", "times", worst, 1, true,
            "least in " + where);
    }

    void scaled(const char *what, const std::string &two, const std::string &one, double limit)
    {
        add(std::string("2 threads in halves against 1, ") + what, "times", ratio(rate(two), rate(one)),
            limit, true);
    }

    void scaling()
    {
        if (ranges_ == kMiddle)
            scaled("updates only", update_row(100, 2, true), update_row(100, 1, false), 1.4);
        if (ranges_ < kLarge)
            return;
        scaled("updates only", update_row(100, 2, true), update_row(100, 1, false), 1.8);
        scaled("10 % updates", update_row(10, 2, true), update_row(10, 1, false), 1.8);
        scaled("read-only", lookup_row("alone", {}, 2, true), lookup_row("alone", {}, 1, false), 1.9);
    }

    void memory()
    {
        if (ranges_ < kMillion)
            return;
        add("memory after random inserts", "bytes a range",
            median(results_, stage_, "memory_random", kRangemap, "bytes_per_range"), 40, false);
        add("memory after a bulk load", "bytes a range",
            median(results_, stage_, "memory_ordered", kRangemap, "bytes_per_range"), 30, false);
    }

    void tail()
    {
        const std::string row = "latency_beside_writer/threads:2";
        double own = median(results_, stage_, row, kRangemap, "p99.9_ns");
        for (const char *peer : {kStdMap, kBtreeMap}) {
            double other = median(results_, stage_, row, peer, "p99.9_ns");
            char note[64];
            snprintf(note, sizeof note, "%.0f against %.0f ns", own, other);
            add(std::string("p99.9 of lookups beside a writer, against ") + peer, "times", ratio(own, other),
                0.2, false, note);
        }
    }

    void garbage()
    {
        const std::string row = "garbage_50/threads:2";
        double bytes = median(results_, stage_, row, kRangemap, "median_bytes");
        double peak = median(results_, stage_, row, kRangemap, "peak_bytes");
        char note[64];
        snprintf(note, sizeof note, "peak %.2f MiB", peak / kMebibyte);
        add("bytes not yet reclaimed, 50 % updates, 2 threads", "MiB", bytes / kMebibyte, 4, false, note);
    }

    void many_threads()
    {
        add("16 threads against 1, read-only", "times",
            ratio(rate(lookup_row("alone", {}, 16, false)), rate(lookup_row("alone", {}, 1, false))), 14,
            true);
        add("16 threads against 1, 50 % updates", "times",
            ratio(rate(update_row(50, 16, false)), rate(update_row(50, 1, false))), 8, true);
    }

    const Results &results_;
    const std::string &stage_;
    size_t ranges_;
    std::vector<Target> *targets_;
};

} // namespace

std::vector<Target> judge_targets(const Results &results)
{
    std::vector<Target> targets;
    std::vector<std::string> judged;
    for (const Result &result : results) {
        bool known = std::find(judged.begin(), judged.end(), result.stage) != judged.end();
        if (result.shape != "mixed" || known)
            continue;
        judged.push_back(result.stage);
        Judge(results, result.stage, result.ranges, &targets).all();
    }
    return targets;
}

} // namespace bench
