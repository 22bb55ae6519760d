// SPDX-License-Identifier: BSD-2-Clause
#include "bench/compare/measure.h"

#include <stdexcept>
#include <thread>

#include "bench/workload/random.h"
#include "bench/workload/spread.h"

namespace bench
{

double percentile_ns(const Histogram &ticks, double fraction)
{
    const ClockCalibration &clock = calibrate_clock();
    uint64_t read = ticks.percentile(fraction);
    uint64_t net = read > clock.overhead_ticks ? read - clock.overhead_ticks : 0;
    return static_cast<double>(net) * clock.ns_per_tick;
}

static void expect_right(const Loaded &loaded, const Peer &peer, const Row &row, uint64_t wrong)
{
    if (wrong != 0)
        throw std::runtime_error(peer.title + ": WRONG ANSWERS: " + std::to_string(wrong) + " in " +
                                 loaded.stage().name + "/" + row.name);
}

static MixPlan plan_of(const Row &row, double seconds, unsigned turn)
{
    MixPlan plan = row.plan;
    plan.seconds = seconds;
    plan.first_key = Random(turn)() >> 1;
    return plan;
}

static Reading measure_rate(Loaded &loaded, const Peer &peer, const Row &row, Team &team, double seconds,
                            unsigned turn)
{
    Contender &map = loaded.filled(peer);
    MixResult result = map.run_mix(team, loaded.input(row), plan_of(row, seconds, turn));
    expect_right(loaded, peer, row, result.wrong);
    double operations = result.lookups_per_second + result.updates_per_second;
    return {seconds,
            {{"operations_per_second", operations},
             {"lookups_per_second", result.lookups_per_second},
             {"updates_per_second", result.updates_per_second},
             {"ns_per_operation", operations > 0 ? row.plan.threads * 1e9 / operations : 0}}};
}

static Reading measure_latency(Loaded &loaded, const Peer &peer, const Row &row, Team &team, double seconds,
                               unsigned turn, Histogram *ticks)
{
    Contender &map = loaded.filled(peer);
    LatencyResult result = map.run_latency(team, loaded.input(row), plan_of(row, seconds, turn));
    expect_right(loaded, peer, row, result.wrong);
    ticks->add(result.ticks);
    return {seconds,
            {{"p50_ns", percentile_ns(result.ticks, 0.5)},
             {"p99_ns", percentile_ns(result.ticks, 0.99)},
             {"p99.9_ns", percentile_ns(result.ticks, 0.999)},
             {"samples", static_cast<double>(result.ticks.count())}}};
}

// A thread beside the measured ones looks at the memory once a millisecond. What the map takes when all is
// freed is no garbage.
static Reading measure_garbage(Loaded &loaded, const Peer &peer, const Row &row, Team &team, double seconds,
                               unsigned turn)
{
    Contender &map = loaded.filled(peer);
    const MixInput &input = loaded.input(row);
    std::vector<double> samples;
    std::atomic<bool> stop{false};
    std::thread sampler([&] {
        while (!stop.load(std::memory_order_relaxed)) {
            samples.push_back(static_cast<double>(map.bytes_with_garbage()));
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
    });
    MixResult result = map.run_mix(team, input, plan_of(row, seconds, turn));
    stop.store(true);
    sampler.join();
    map.settle();
    expect_right(loaded, peer, row, result.wrong);
    auto live = static_cast<double>(map.bytes_with_garbage());
    Spread bytes = spread(samples);
    return {seconds,
            {{"median_bytes", std::max(0.0, bytes.median - live)},
             {"peak_bytes", std::max(0.0, bytes.max - live)},
             {"operations_per_second", result.lookups_per_second + result.updates_per_second}}};
}

// Walks or fills as often as there is time for, what it takes to empty a map included.
template <class Once> static Reading measure_passes(size_t ranges, double seconds, const Once &once)
{
    double spent = 0, passes = 0;
    uint64_t begin = monotonic_ns();
    do {
        spent += once();
        passes++;
    } while (static_cast<double>(monotonic_ns() - begin) * 1e-9 < seconds);
    return {spent, {{"ns_per_range", spent * 1e9 / passes / static_cast<double>(ranges)}}};
}

Reading measure(Loaded &loaded, const Peer &peer, const Row &row, Team &team, double seconds, unsigned turn,
                Histogram *ticks)
{
    size_t ranges = loaded.stage().ranges->size();
    switch (row.measure) {
    case Measure::kRate:
        return measure_rate(loaded, peer, row, team, seconds, turn);
    case Measure::kLatency:
        return measure_latency(loaded, peer, row, team, seconds, turn, ticks);
    case Measure::kGarbage:
        return measure_garbage(loaded, peer, row, team, seconds, turn);
    case Measure::kScan:
        return measure_passes(ranges, seconds, [&] { return loaded.filled(peer).scan(); });
    case Measure::kBuildOrdered:
    case Measure::kBuildRandom:
        break;
    }
    Contender &map = loaded.map(peer);
    const Ranges &order =
        row.measure == Measure::kBuildRandom ? loaded.shuffled_ranges() : *loaded.stage().ranges;
    return measure_passes(ranges, seconds, [&] {
        map.clear();
        return row.measure == Measure::kBuildRandom ? map.insert_all(order) : map.load(order);
    });
}

} // namespace bench
