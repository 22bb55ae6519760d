// SPDX-License-Identifier: BSD-2-Clause
// What happens to each set: load, check, measure, check again.
#ifndef RANGEMAP_BENCH_REPLAY_SESSION_H
#define RANGEMAP_BENCH_REPLAY_SESSION_H

#include "bench/replay/measure.h"
#include "bench/subjects/rangemap.h"

namespace bench
{

class Session
{
  public:
    explicit Session(const Options &options);

    // Real sets: all queries, all mixes of --updates, latencies.
    SetResult real_set(const RangeSet &set);
    // One size of the synthetic series: what the targets speak of.
    SetResult synthetic_set(size_t ranges);

    Progress &progress()
    {
        return progress_;
    }
    bool pinned() const
    {
        return team_.pinned();
    }

  private:
    void check_before(const RangeSet &set, Checker &checker);
    void check_inserted(const RangeSet &set, Checker &checker);
    void check_loaded(const RangeSet &set, Checker &checker);
    void check_after(const RangeSet &set, Checker &checker);
    void measure_loaded(const RangeSet &set, const Measurement &how, const std::vector<MixPlan> &plans,
                        SetResult *result);
    SetResult finish(SetResult result, const Checker &checker);
    std::vector<MixPlan> real_plans() const;
    std::vector<MixPlan> synthetic_plans() const;
    std::vector<MixPlan> latency_plans() const;
    unsigned most_threads() const
    {
        return options_.threads.back();
    }

    const Options &options_;
    Progress progress_;
    Team team_;
    Contenders contenders_;
    ContenderOf<RangemapSubject> *rangemap_; // the first of contenders_
};

} // namespace bench

#endif
