// SPDX-License-Identifier: BSD-2-Clause
#include "bench/replay/measure.h"

#include <algorithm>

#include "bench/workload/keys.h"
#include "bench/workload/random.h"

namespace bench
{

static double bytes_per_range(const Contender &contender, const Ranges &ranges)
{
    return static_cast<double>(contender.bytes()) / static_cast<double>(std::max<size_t>(1, ranges.size()));
}

static void load_inserted(Contender &contender, const Ranges &order, LoadCell *cell)
{
    contender.clear();
    cell->insert_seconds = contender.insert_all(order);
    cell->insert_bytes_per_range = bytes_per_range(contender, order);
}

static void load_bulk(Contender &contender, const Ranges &sorted, LoadCell *cell,
                      std::vector<double> *seconds)
{
    contender.clear();
    seconds->push_back(contender.load(sorted));
    cell->bulk_bytes_per_range = bytes_per_range(contender, sorted);
}

std::vector<LoadCell> measure_loads(const Measurement &how, const Ranges &ranges, bool leave_inserted)
{
    Ranges order = shuffled(ranges, how.options.seed);
    std::vector<LoadCell> cells(how.contenders.size());
    std::vector<std::vector<double>> seconds(cells.size());
    for (unsigned turn = 0; turn < how.repetitions; turn++) {
        for (size_t i = 0; i < cells.size(); i++) {
            Contender &contender = *how.contenders[i];
            cells[i].subject = contender.name();
            how.progress.step(how.set + ": loading " + contender.name());
            if (turn == 0 && !leave_inserted)
                load_inserted(contender, order, &cells[i]);
            load_bulk(contender, ranges, &cells[i], &seconds[i]);
            if (turn + 1 == how.repetitions && leave_inserted)
                load_inserted(contender, order, &cells[i]);
        }
    }
    for (size_t i = 0; i < cells.size(); i++)
        cells[i].bulk_seconds = spread(seconds[i]);
    return cells;
}

static double replay_once(Contender &contender, const std::vector<Action> &actions)
{
    contender.clear();
    uint64_t begin = monotonic_ns();
    for (const Action &action : actions) {
        if (action.kind == Action::kStore)
            contender.store(action.range);
        else
            contender.carve(action.range.start, action.range.last);
    }
    uint64_t ns = std::max<uint64_t>(1, monotonic_ns() - begin);
    return static_cast<double>(actions.size()) / static_cast<double>(ns) * 1e9;
}

std::vector<ReplayCell> measure_replays(const Measurement &how, const std::vector<Action> &actions)
{
    std::vector<std::vector<double>> rates(how.contenders.size());
    for (unsigned turn = 0; turn <= how.repetitions; turn++) {
        for (size_t i = 0; i < rates.size(); i++) {
            how.progress.step(how.set + ": replaying, " + how.contenders[i]->name());
            double rate = replay_once(*how.contenders[i], actions);
            if (turn > 0)
                rates[i].push_back(rate);
        }
    }
    std::vector<ReplayCell> cells;
    for (size_t i = 0; i < rates.size(); i++) {
        cells.push_back({how.contenders[i]->name(), spread(rates[i])});
        how.contenders[i]->clear();
    }
    return cells;
}

static std::string plan_text(const Measurement &how, const Contender &contender, const MixPlan &plan)
{
    return how.set + ": " + contender.name() + ", " + mode_name(plan.mode) + ", " +
           threads_text(plan.threads) + ", " + std::to_string(plan.update_percent) + " % updates";
}

static void check_run(const Measurement &how, const Contender &contender, const MixPlan &plan, uint64_t wrong)
{
    std::string call = "failed lookups or updates while measuring " + plan_text(how, contender, plan);
    how.checker.number(call.c_str(), 0, 0, static_cast<int64_t>(wrong));
}

// One plan, all contenders in turn; the first round warms up and is shorter.
static std::vector<std::vector<MixResult>> run_interleaved(const Measurement &how, const MixInput &input,
                                                           const MixPlan &plan)
{
    std::vector<std::vector<MixResult>> results(how.contenders.size());
    for (unsigned turn = 0; turn <= how.repetitions; turn++) {
        for (size_t i = 0; i < results.size(); i++) {
            Contender &contender = *how.contenders[i];
            how.progress.step(plan_text(how, contender, plan));
            MixPlan now = plan;
            now.first_key = Random(turn)(); // other keys in every turn, the same for every contender
            if (turn == 0)
                now.seconds = std::min(plan.seconds, 0.02);
            MixResult result = contender.run_mix(how.team, input, now);
            check_run(how, contender, plan, result.wrong);
            if (turn > 0)
                results[i].push_back(result);
        }
    }
    return results;
}

static RateCell summarize(const std::string &subject, const MixPlan &plan,
                          const std::vector<MixResult> &results)
{
    std::vector<double> lookups, updates, operations;
    for (const MixResult &result : results) {
        lookups.push_back(result.lookups_per_second);
        updates.push_back(result.updates_per_second);
        operations.push_back(result.lookups_per_second + result.updates_per_second);
    }
    return {subject, plan, spread(lookups), spread(updates), spread(operations)};
}

std::vector<RateCell> measure_rates(const Measurement &how, const MixInput &input, std::vector<MixPlan> plans)
{
    std::vector<RateCell> cells;
    for (MixPlan &plan : plans) {
        plan.seconds = how.options.seconds_per_cell;
        auto results = run_interleaved(how, input, plan);
        for (size_t i = 0; i < results.size(); i++)
            cells.push_back(summarize(how.contenders[i]->name(), plan, results[i]));
    }
    return cells;
}

static LatencyCell summarize(const std::string &subject, const MixPlan &plan, const Histogram &ticks)
{
    const ClockCalibration &clock = calibrate_clock();
    auto ns = [&](double fraction) {
        uint64_t read = ticks.percentile(fraction);
        uint64_t net = read > clock.overhead_ticks ? read - clock.overhead_ticks : 0;
        return static_cast<double>(net) * clock.ns_per_tick;
    };
    return {subject, plan.threads, plan.update_percent, ticks.count(), ns(0.5), ns(0.99), ns(0.999)};
}

std::vector<LatencyCell> measure_latencies(const Measurement &how, const MixInput &input,
                                           std::vector<MixPlan> plans)
{
    std::vector<LatencyCell> cells;
    for (MixPlan &plan : plans) {
        plan.seconds = how.options.seconds_per_cell;
        std::vector<Histogram> ticks(how.contenders.size());
        for (unsigned turn = 0; turn < how.repetitions; turn++) {
            for (size_t i = 0; i < ticks.size(); i++) {
                Contender &contender = *how.contenders[i];
                how.progress.step(plan_text(how, contender, plan) + ", latency");
                plan.first_key = Random(turn)();
                LatencyResult result = contender.run_latency(how.team, input, plan);
                check_run(how, contender, plan, result.wrong);
                ticks[i].add(result.ticks);
            }
        }
        for (size_t i = 0; i < ticks.size(); i++)
            cells.push_back(summarize(how.contenders[i]->name(), plan, ticks[i]));
    }
    return cells;
}

} // namespace bench
