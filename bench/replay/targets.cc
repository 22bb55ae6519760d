// SPDX-License-Identifier: BSD-2-Clause
#include "bench/replay/targets.h"

#include "bench/subjects/rangemap.h"

namespace bench
{

// Nanoseconds per lookup of the prototype on this kind of machine: alone, and in batches of 16.
struct PrototypeRow {
    size_t ranges;
    double alone_ns, batch_ns;
};
constexpr PrototypeRow kPrototype[] = {
    {16, 5.8, 5.9}, {256, 10, 8.2}, {4096, 17, 11}, {65536, 33, 16}, {1048576, 150, 43},
};

constexpr double kLookupFactor = 3;    // against each peer
constexpr double kUpdateFactor = 1;    // ahead of each peer ...
constexpr size_t kUpdateRanges = 4096; // ... from this size on
constexpr double kScaling = 1.8;       // 2 threads against 1
constexpr double kPrototypeFactor = 1.3;
constexpr double kBytesInserted = 40, kBytesLoaded = 30;
constexpr size_t kBytesRanges = 1000000; // promised for maps of this size

namespace
{

// Judges the results of one size.
class Judge
{
  public:
    Judge(const SetResult &result, std::vector<Target> *targets) : result_(result), targets_(targets)
    {
    }

    void all()
    {
        against_peers();
        scaling();
        prototype();
        bytes();
    }

  private:
    // Operations per second of the cell; 0 if it was not measured.
    double rate(const std::string &subject, LookupMode mode, unsigned threads, unsigned percent) const
    {
        for (const RateCell &cell : result_.rates) {
            const MixPlan &plan = cell.plan;
            if (cell.subject == subject && plan.mode == mode && plan.threads == threads &&
                plan.update_percent == percent)
                return cell.operations.median;
        }
        return 0;
    }

    void add(const std::string &what, const char *unit, double measured, double limit, bool at_least)
    {
        bool met = at_least ? measured >= limit : measured <= limit;
        targets_->push_back({what, result_.ranges, unit, measured, limit, at_least, met});
    }

    void against_peers()
    {
        for (const RateCell &peer : result_.rates) {
            const MixPlan &plan = peer.plan;
            double own = rate(RangemapSubject::name(), plan.mode, plan.threads, plan.update_percent);
            if (peer.subject == RangemapSubject::name() || peer.operations.median == 0 || own == 0)
                continue;
            std::string where = ", " + threads_text(plan.threads) + ", against " + peer.subject;
            double ratio = own / peer.operations.median;
            if (plan.update_percent == 0 && plan.mode != LookupMode::kHeld)
                add("lookups " + std::string(mode_name(plan.mode)) + where, "times", ratio, kLookupFactor,
                    true);
            else if (plan.update_percent == 100 && result_.ranges >= kUpdateRanges)
                add("updates" + where, "times", ratio, kUpdateFactor, true);
        }
    }

    void scaling()
    {
        for (unsigned percent : {0u, 10u}) {
            double one = rate(RangemapSubject::name(), LookupMode::kAlone, 1, percent);
            double two = rate(RangemapSubject::name(), LookupMode::kAlone, 2, percent);
            if (one > 0 && two > 0)
                add("2 threads against 1, " + std::to_string(percent) + " % updates", "times", two / one,
                    kScaling, true);
        }
    }

    void prototype()
    {
        for (const PrototypeRow &row : kPrototype) {
            if (row.ranges != result_.ranges)
                continue;
            for (LookupMode mode : {LookupMode::kAlone, LookupMode::kHeld, LookupMode::kBatch}) {
                double own = rate(RangemapSubject::name(), mode, 1, 0);
                double limit = (mode == LookupMode::kBatch ? row.batch_ns : row.alone_ns) * kPrototypeFactor;
                if (own > 0)
                    add(std::string("one lookup ") + mode_name(mode) + ", 1.3 x prototype", "ns", 1e9 / own,
                        limit, false);
            }
        }
    }

    void bytes()
    {
        for (const LoadCell &load : result_.loads) {
            if (load.subject != RangemapSubject::name() || result_.ranges < kBytesRanges)
                continue;
            add("bytes a range after random inserts", "bytes", load.insert_bytes_per_range, kBytesInserted,
                false);
            add("bytes a range after bulk load", "bytes", load.bulk_bytes_per_range, kBytesLoaded, false);
        }
    }

    const SetResult &result_;
    std::vector<Target> *targets_;
};

} // namespace

std::vector<Target> judge_targets(const std::vector<SetResult> &results)
{
    std::vector<Target> targets;
    for (const SetResult &result : results) {
        if (result.synthetic)
            Judge(result, &targets).all();
    }
    return targets;
}

} // namespace bench
