// SPDX-License-Identifier: BSD-2-Clause
#include <stdexcept>
#include <thread>

#include "bench/core/jobs.h"
#include "bench/workload/random.h"
#include "bench/workload/spread.h"

namespace bench
{

namespace
{

// One row with one subject.
struct Measuring {
    Loaded &loaded;
    const Subject subject;
    const Row row;
    Team &team;

    // Garbage that a row leaves behind, hundreds of megabytes beside a stalled reader, would be the next one's to free.
    Reading operator()(double seconds, unsigned turn, Histogram &ticks) const
    {
        Reading reading = measured(seconds, turn, ticks);
        loaded.settle(subject);
        return reading;
    }

  private:
    Reading measured(double seconds, unsigned turn, Histogram &ticks) const
    {
        switch (row.measure) {
        case Measure::kRate:
            return rate(plan(seconds, turn));
        case Measure::kLatency:
            return latency(plan(seconds, turn), ticks);
        case Measure::kGarbage:
            return garbage(plan(seconds, turn));
        case Measure::kScan:
            return passes(seconds, [this] { return loaded.filled(subject).scan(); });
        case Measure::kBuildOrdered:
        case Measure::kBuildRandom:
            return build(seconds);
        case Measure::kReplay:
            return replay();
        }
        return {};
    }

    MixPlan plan(double seconds, unsigned turn) const
    {
        MixPlan plan = row.plan;
        plan.seconds = seconds;
        plan.first_key = Random(turn)() >> 1; // other keys in every turn, the same for every subject
        return plan;
    }

    void expect_right(uint64_t wrong) const
    {
        if (wrong != 0)
            throw std::runtime_error(subject.title + ": WRONG ANSWERS: " + std::to_string(wrong) + " in " +
                                     loaded.set().name + "/" + row.name);
    }

    Reading rate(const MixPlan &plan) const
    {
        MixResult result = loaded.filled(subject).run_mix(team, loaded.input(row), plan);
        expect_right(result.wrong);
        double operations = result.lookups_per_second + result.updates_per_second;
        return {plan.seconds,
                {{"operations_per_second", operations},
                 {"lookups_per_second", result.lookups_per_second},
                 {"updates_per_second", result.updates_per_second},
                 {"ns_per_operation", operations > 0 ? plan.threads * 1e9 / operations : 0}}};
    }

    Reading latency(const MixPlan &plan, Histogram &ticks) const
    {
        LatencyResult result = loaded.filled(subject).run_latency(team, loaded.input(row), plan);
        expect_right(result.wrong);
        ticks.add(result.ticks);
        return {plan.seconds,
                {{"p50_ns", percentile_ns(result.ticks, 0.5)},
                 {"p99_ns", percentile_ns(result.ticks, 0.99)},
                 {"p99.9_ns", percentile_ns(result.ticks, 0.999)},
                 {"worst_ns", percentile_ns(result.ticks, 1)},
                 {"samples", static_cast<double>(result.ticks.count())}}};
    }

    // A thread beside the measured ones looks at the memory once a millisecond. What the map takes when all is
    // freed is no garbage.
    Reading garbage(const MixPlan &plan) const
    {
        SubjectMap &map = loaded.filled(subject);
        const MixInput &input = loaded.input(row);
        std::vector<double> samples;
        std::atomic<bool> stop{false};
        std::thread sampler([&] {
            while (!stop.load(std::memory_order_relaxed)) {
                samples.push_back(static_cast<double>(map.bytes_with_garbage()));
                std::this_thread::sleep_for(std::chrono::milliseconds(1));
            }
        });
        MixResult result = map.run_mix(team, input, plan);
        stop.store(true);
        sampler.join();
        map.settle();
        expect_right(result.wrong);
        auto live = static_cast<double>(map.bytes_with_garbage());
        Spread bytes = spread(samples);
        return {plan.seconds,
                {{"median_bytes", std::max(0.0, bytes.median - live)},
                 {"peak_bytes", std::max(0.0, bytes.max - live)},
                 {"operations_per_second", result.lookups_per_second + result.updates_per_second}}};
    }

    double ranges() const
    {
        return static_cast<double>(loaded.set().ranges->size());
    }

    // Walks or fills as often as there is time for, what it takes to empty a map included.
    template <class Once> Reading passes(double seconds, const Once &once) const
    {
        double spent = 0, count = 0;
        uint64_t begin = monotonic_ns();
        do {
            spent += once();
            count++;
        } while (static_cast<double>(monotonic_ns() - begin) * 1e-9 < seconds);
        return {spent, {{"ns_per_range", spent * 1e9 / count / ranges()}}};
    }

    Reading build(double seconds) const
    {
        SubjectMap &map = loaded.map(subject);
        bool random = row.measure == Measure::kBuildRandom;
        const Ranges &order = random ? loaded.shuffled_ranges() : *loaded.set().ranges;
        Reading reading = passes(seconds, [&] {
            map.clear();
            return random ? map.insert_all(order) : map.load(order);
        });
        if (row.weighs)
            reading.values["bytes_per_range"] = static_cast<double>(map.bytes()) / ranges();
        return reading;
    }

    // The stores and carves that lead to the set.
    Reading replay() const
    {
        SubjectMap &map = loaded.map(subject);
        map.clear();
        uint64_t begin = monotonic_ns();
        for (const Action &action : loaded.set().actions) {
            if (action.kind == Action::kStore)
                map.store(action.range);
            else
                map.carve(action.range.start, action.range.last);
        }
        double spent = static_cast<double>(std::max<uint64_t>(1, monotonic_ns() - begin)) * 1e-9;
        expect_right(map.contents() != *loaded.set().ranges);
        auto actions = static_cast<double>(loaded.set().actions.size());
        return {spent, {{"operations_per_second", actions / spent}}};
    }
};

} // namespace

std::vector<Job> set_jobs(Loaded &loaded, const std::vector<Subject> &subjects, Team &team)
{
    const Set &set = loaded.set();
    bool pages = set.whole_pages();
    std::vector<Job> jobs;
    for (const Row &row : set.rows) {
        for (const Subject &subject : subjects) {
            if (!applies(row, subject, set.ranges->size(), set.aligned, pages))
                continue;
            Job job = {row.name, subject.name, row.plan.threads, fills(row) ? "fill" : "",
                       Measuring{loaded, subject, row, team}};
            // A writer's collisions with its readers, and garbage, show over a longer time.
            job.length = row.measure == Measure::kLatency || row.measure == Measure::kGarbage ? 5 : 1;
            if (fills(row) || row.measure == Measure::kScan)
                job.warm_up = 0;
            else
                job.is_possible = [&loaded, row] { return loaded.has_keys(row); };
            if (subject.own_process)
                job.warm_up *= 20;
            jobs.push_back(std::move(job));
        }
    }
    return jobs;
}

} // namespace bench
