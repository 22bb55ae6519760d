// SPDX-License-Identifier: BSD-2-Clause
#include "bench/compare/harness.h"

#include <algorithm>
#include <exception>
#include <regex>

#include "bench/compare/runner.h"

namespace bench
{

bool Harness::wants(const std::string &name)
{
    std::string filter = runner_filter();
    if (filter.empty() || filter == "all")
        return true;
    return std::regex_search(name, std::regex(filter, std::regex::extended));
}

static std::string full_name(const Stage &stage, const Row &row, const Peer &peer)
{
    return stage.name + "/" + row.name + "/" + peer.name;
}

static bool builds(const Row &row)
{
    return row.measure == Measure::kBuildOrdered || row.measure == Measure::kBuildRandom;
}

template <class Visit>
static void for_each_wanted(const Stage &stage, const std::vector<Peer> &peers, const Visit &visit)
{
    for (const Row &row : stage.rows) {
        for (const Peer &peer : peers) {
            if (applies(row, peer, stage.ranges->size(), stage.aligned) &&
                Harness::wants(full_name(stage, row, peer)))
                visit(row, peer);
        }
    }
}

std::vector<std::string> wanted_names(const Stage &stage, const std::vector<Peer> &peers)
{
    std::vector<std::string> names;
    for_each_wanted(stage, peers,
                    [&](const Row &row, const Peer &peer) { names.push_back(full_name(stage, row, peer)); });
    return names;
}

// One row of one peer while its repetitions run.
class Running
{
  public:
    Running(Harness &harness, Loaded &loaded, const Peer &peer, const Row &row)
        : harness_(harness), loaded_(loaded), peer_(peer), row_(row)
    {
    }

    const Row &row() const
    {
        return row_;
    }
    const Peer &peer() const
    {
        return peer_;
    }
    std::string name() const
    {
        return full_name(loaded_.stage(), row_, peer_);
    }

    // One repetition; returns the seconds it took. What it throws is kept, as it must not pass through the
    // runner, which has nothing more to do then.
    double repeat(std::exception_ptr *failure)
    {
        if (*failure)
            return 1;
        try {
            return repeat_once();
        } catch (...) {
            *failure = std::current_exception();
            return 1;
        }
    }

    // Whether there are keys to look up.
    bool has_keys()
    {
        if (builds(row_) || row_.measure == Measure::kScan)
            return true;
        for (const auto &keys : loaded_.input(row_).keys) {
            if (keys.empty())
                return false;
        }
        return true;
    }

    Result result() const
    {
        const Stage &stage = loaded_.stage();
        Result result = {stage.name,        stage.shape, stage.ranges->size(),
                         row_.name,         peer_.name,  peer_.title,
                         row_.plan.threads, {},          {}};
        for (const auto &[what, values] : values_)
            result.values[what] = spread(values);
        if (ticks_.count() > 0) {
            for (double fraction : {0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999,
                                    0.9995, 0.9998, 0.9999, 0.99995, 0.99999, 1.0})
                result.curve.emplace_back(fraction, percentile_ns(ticks_, fraction));
        }
        return result;
    }

  private:
    double length() const
    {
        // A writer's collisions with its readers, and garbage, show over a longer time.
        bool longer = row_.measure == Measure::kLatency || row_.measure == Measure::kGarbage;
        return longer ? 5 * harness_.seconds_ : harness_.seconds_;
    }

    // The first repetition is preceded by one that does not count: it faults memory in, and Java compiles.
    double repeat_once()
    {
        harness_.progress_.step(name());
        bool passes = builds(row_) || row_.measure == Measure::kScan;
        if (turn_ == 0 && !passes) {
            Histogram ignored;
            double warm_up = peer_.own_process ? 10 * harness_.seconds_ : harness_.seconds_ / 2;
            measure(loaded_, peer_, row_, harness_.team_, warm_up, 0, &ignored);
        }
        turn_++;
        Reading reading = measure(loaded_, peer_, row_, harness_.team_, length(), turn_, &ticks_);
        for (const auto &[what, value] : reading.values)
            values_[what].push_back(value);
        return reading.seconds;
    }

    Harness &harness_;
    Loaded &loaded_;
    const Peer &peer_;
    const Row &row_;
    unsigned turn_ = 0;
    Histogram ticks_;
    std::map<std::string, std::vector<double>> values_;
};

static void run_all(const std::vector<std::unique_ptr<Running>> &all)
{
    std::exception_ptr failure;
    std::vector<Benchmark> benchmarks;
    for (const auto &one : all)
        benchmarks.push_back({one->name(), [&one, &failure] { return one->repeat(&failure); }});
    runner_run(benchmarks);
    if (failure)
        std::rethrow_exception(failure);
}

void Harness::run(Loaded &loaded, const std::vector<Peer> &peers, Results *results)
{
    // Builds first: they leave other maps than random inserts do.
    for (bool building : {true, false}) {
        std::vector<std::unique_ptr<Running>> all;
        for_each_wanted(loaded.stage(), peers, [&](const Row &row, const Peer &peer) {
            if (builds(row) == building)
                all.push_back(std::make_unique<Running>(*this, loaded, peer, row));
        });
        all.erase(std::remove_if(all.begin(), all.end(), [](auto &one) { return !one->has_keys(); }),
                  all.end());
        run_all(all);
        for (auto &one : all)
            results->push_back(one->result());
        if (building)
            loaded.forget_contents();
    }
    for (const Peer &peer : peers)
        loaded.check_again(peer);
}

} // namespace bench
