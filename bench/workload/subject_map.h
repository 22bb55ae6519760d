// SPDX-License-Identifier: BSD-2-Clause
// A subject behind virtual calls, one call a measurement, so that a benchmark can run different subjects in
// turn. The measured loops themselves are compiled for each subject.
#ifndef RANGEMAP_BENCH_WORKLOAD_SUBJECT_MAP_H
#define RANGEMAP_BENCH_WORKLOAD_SUBJECT_MAP_H

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bench/subjects/range.h"
#include "bench/workload/latency.h"
#include "bench/workload/mix.h"
#include "bench/workload/team.h"

namespace bench
{

// The sum over the threads of one measurement.
struct MixResult {
    double lookups_per_second = 0;
    double updates_per_second = 0;
    uint64_t wrong = 0; // misses in a read-only loop, and updates that failed
};

struct LatencyResult {
    Histogram ticks;
    uint64_t wrong = 0;
};

class SubjectMap
{
  public:
    virtual ~SubjectMap() = default;
    virtual std::string name() const = 0;

    // Start again with an empty map.
    virtual void clear() = 0;
    // Each returns the seconds it took. load() wants sorted ranges and an empty map.
    virtual double load(const Ranges &sorted) = 0;
    virtual double insert_all(const Ranges &ranges) = 0;

    virtual bool insert(const Range &range) = 0;
    virtual bool erase(const Range &range) = 0;
    virtual void store(const Range &range) = 0;
    virtual void carve(uint64_t start, uint64_t last) = 0;
    virtual bool lookup(uint64_t key, uint64_t *value) const = 0;
    // The value of each key, 0 if no range holds it, by lookups of that kind; and how many were held.
    virtual size_t answers(LookupMode mode, const std::vector<uint64_t> &keys,
                           std::vector<uint64_t> *values) const = 0;
    virtual Ranges contents() const = 0;
    virtual uint64_t bytes() const = 0;
    virtual uint64_t bytes_with_garbage() const = 0;
    virtual void settle() = 0;
    // The seconds that a walk over all ranges took.
    virtual double scan() const = 0;

    virtual MixResult run_mix(Team &team, const MixInput &input, const MixPlan &plan) = 0;
    virtual LatencyResult run_latency(Team &team, const MixInput &input, const MixPlan &plan) = 0;
};

// Sums the tallies of the threads; with 0 % updates every lookup must have hit.
MixResult sum_tallies(const std::vector<MixTally> &tallies, const MixPlan &plan);

template <class Map> class SubjectMapOf : public SubjectMap
{
  public:
    SubjectMapOf() : subject_(std::make_unique<Map>()), attached_(*subject_)
    {
    }

    Map &subject()
    {
        return *subject_;
    }

    std::string name() const override
    {
        return Map::name();
    }

    void clear() override
    {
        subject_.reset();
        subject_ = std::make_unique<Map>();
    }

    double load(const Ranges &sorted) override
    {
        return subject_->load(sorted);
    }

    double insert_all(const Ranges &ranges) override
    {
        uint64_t begin = monotonic_ns();
        for (const Range &range : ranges)
            subject_->insert(range);
        return static_cast<double>(monotonic_ns() - begin) * 1e-9;
    }

    bool insert(const Range &range) override
    {
        return subject_->insert(range);
    }
    bool erase(const Range &range) override
    {
        return subject_->erase(range);
    }
    void store(const Range &range) override
    {
        subject_->store(range);
    }
    void carve(uint64_t start, uint64_t last) override
    {
        subject_->carve(start, last);
    }
    bool lookup(uint64_t key, uint64_t *value) const override
    {
        return subject_->lookup(key, value);
    }
    size_t answers(LookupMode mode, const std::vector<uint64_t> &keys,
                   std::vector<uint64_t> *values) const override
    {
        values->resize(keys.size());
        if (mode == LookupMode::kHeld)
            return answers_held(keys, values);
        size_t hits = 0;
        size_t step = mode_keys(mode);
        for (size_t i = 0; i < keys.size(); i += step) {
            auto count = static_cast<unsigned>(std::min(step, keys.size() - i));
            hits += mode == LookupMode::kAlone ? subject_->lookup(keys[i], &(*values)[i])
                                               : subject_->lookup_batch(&keys[i], count, &(*values)[i]);
        }
        return hits;
    }
    Ranges contents() const override
    {
        return subject_->contents();
    }
    uint64_t bytes() const override
    {
        return subject_->bytes();
    }
    uint64_t bytes_with_garbage() const override
    {
        return subject_->bytes_with_garbage();
    }
    void settle() override
    {
        subject_->settle();
    }

    double scan() const override
    {
        uint64_t begin = monotonic_ns();
        volatile uint64_t sum = subject_->scan();
        (void)sum;
        return static_cast<double>(monotonic_ns() - begin) * 1e-9;
    }

    MixResult run_mix(Team &team, const MixInput &input, const MixPlan &plan) override
    {
        std::vector<MixTally> tallies(plan.threads);
        team.run(plan.threads, plan.seconds, [&](unsigned thread, const std::atomic<bool> &stop) {
            tallies[thread] = run_mix_thread(*subject_, input, plan, thread, stop);
        });
        return sum_tallies(tallies, plan);
    }

    LatencyResult run_latency(Team &team, const MixInput &input, const MixPlan &plan) override
    {
        std::vector<MixTally> tallies(plan.threads);
        std::vector<Histogram> ticks(plan.threads);
        team.run(plan.threads, plan.seconds, [&](unsigned thread, const std::atomic<bool> &stop) {
            tallies[thread] = run_latency_thread(*subject_, input, plan, thread, stop, ticks[thread]);
        });
        LatencyResult result;
        for (const Histogram &histogram : ticks)
            result.ticks.add(histogram);
        result.wrong = sum_tallies(tallies, plan).wrong;
        return result;
    }

  private:
    size_t answers_held(const std::vector<uint64_t> &keys, std::vector<uint64_t> *values) const
    {
        typename Map::Section section(*subject_);
        size_t hits = 0;
        for (size_t i = 0; i < keys.size(); i++)
            hits += subject_->lookup_held(keys[i], &(*values)[i]);
        return hits;
    }

    std::unique_ptr<Map> subject_;
    typename Map::Thread attached_; // the thread that made this
};

} // namespace bench

#endif
