// SPDX-License-Identifier: BSD-2-Clause
#include "bench/replay/session.h"

#include "bench/replay/verify.h"
#include "bench/subjects/btree.h"
#include "bench/subjects/std_map.h"
#include "bench/workload/keys.h"

namespace bench
{

// Larger sets are checked by their contents and lookups at every bound only.
constexpr size_t kAllQueries = 1000000;

Session::Session(const Options &options) : options_(options), team_(options.threads.back())
{
    auto own = std::make_unique<ContenderOf<RangemapSubject>>();
    rangemap_ = own.get();
    contenders_.push_back(std::move(own));
    contenders_.push_back(std::make_unique<ContenderOf<StdMapSubject>>());
    contenders_.push_back(std::make_unique<ContenderOf<BtreeSubject>>());
}

// By random inserts: what is in the map then.
void Session::check_inserted(const RangeSet &set, Checker &checker)
{
    progress_.step(set.name + ": checking the map after random inserts");
    checker.phase("rangemap after random inserts");
    rangemap_->clear();
    rangemap_->insert_all(shuffled(set.ranges, options_.seed + 1));
    verify_contents(*rangemap_, Oracle(set.ranges), checker);
}

// In bulk: every query of the library; lookups of the peers, so that the comparison is with working maps.
void Session::check_loaded(const RangeSet &set, Checker &checker)
{
    Oracle oracle(set.ranges);
    for (auto &contender : contenders_) {
        progress_.step(set.name + ": checking " + contender->name() + " after a bulk load");
        checker.phase(contender->name() + " after a bulk load");
        contender->clear();
        contender->load(set.ranges);
        verify_contents(*contender, oracle, checker);
    }
    if (set.ranges.size() < kAllQueries) {
        progress_.step(set.name + ": checking every query");
        checker.phase("rangemap after a bulk load");
        verify_queries(rangemap_->subject().map(), oracle, options_.seed, checker);
    }
}

// Each subject replays too, so that the rates compare equal work.
static void check_replayed(Contenders &contenders, const RangeSet &set, Checker &checker)
{
    for (auto &contender : contenders) {
        checker.phase(contender->name() + ", replayed");
        contender->clear();
        for (const Action &action : set.actions) {
            if (action.kind == Action::kStore)
                contender->store(action.range);
            else
                contender->carve(action.range.start, action.range.last);
        }
        checker.contents("contents", set.ranges, contender->contents());
        contender->clear();
    }
}

void Session::check_before(const RangeSet &set, Checker &checker)
{
    if (!set.actions.empty()) {
        progress_.step(set.name + ": replaying beside the oracle");
        checker.phase("rangemap, replayed");
        verify_actions(set.actions, checker);
        check_replayed(contenders_, set, checker);
    }
    check_inserted(set, checker);
    check_loaded(set, checker);
}

// All updates came in pairs: the maps must hold what they held.
void Session::check_after(const RangeSet &set, Checker &checker)
{
    progress_.step(set.name + ": checking under updates");
    checker.phase("rangemap under updates");
    double seconds = std::max(options_.seconds_per_cell * 5, 0.05);
    verify_under_updates(rangemap_->subject(), set.ranges, team_, most_threads(), seconds, checker);
    Oracle oracle(set.ranges);
    for (auto &contender : contenders_) {
        progress_.step(set.name + ": checking " + contender->name() + " after all updates");
        checker.phase(contender->name() + " after all updates");
        verify_contents(*contender, oracle, checker);
    }
    char message[256] = "";
    if (int rc = rangemap_validate(rangemap_->subject().map(), message, sizeof message))
        checker.report("rangemap_validate", 0, "0", std::to_string(rc) + " " + message);
}

std::vector<MixPlan> Session::real_plans() const
{
    std::vector<MixPlan> plans;
    for (unsigned threads : options_.threads) {
        for (unsigned percent : options_.updates) {
            for (LookupMode mode : {LookupMode::kAlone, LookupMode::kBatch})
                plans.push_back({mode, threads, percent, 0});
        }
    }
    return plans;
}

std::vector<MixPlan> Session::synthetic_plans() const
{
    std::vector<MixPlan> plans;
    for (unsigned threads : options_.threads) {
        plans.push_back({LookupMode::kAlone, threads, 0, 0});
        plans.push_back({LookupMode::kBatch, threads, 0, 0});
        plans.push_back({LookupMode::kHeld, threads, 0, 0});
        plans.push_back({LookupMode::kAlone, threads, 10, 0});
        plans.push_back({LookupMode::kAlone, threads, 100, 0});
    }
    return plans;
}

// An undisturbed reader, and all threads with a tenth of updates.
std::vector<MixPlan> Session::latency_plans() const
{
    return {{LookupMode::kAlone, options_.threads.front(), 0, 0},
            {LookupMode::kAlone, most_threads(), 10, 0}};
}

static SetResult describe(const RangeSet &set)
{
    SetResult result;
    result.name = set.name;
    result.source = set.source;
    result.skipped = set.skipped;
    result.notes = set.notes;
    result.malformed = set.malformed;
    result.ranges = set.ranges.size();
    result.actions = set.actions.size();
    return result;
}

SetResult Session::real_set(const RangeSet &set)
{
    SetResult result = describe(set);
    if (!set.skipped.empty())
        return result;
    progress_.stage(set.name + ": " + std::to_string(set.ranges.size()) + " ranges");
    Checker checker(set);
    check_before(set, checker);
    if (checker.mismatches() == 0) {
        Measurement how = {options_, team_, contenders_, checker, progress_, set.name, options_.repetitions};
        if (!set.actions.empty())
            result.replays = measure_replays(how, set.actions);
        result.loads = measure_loads(how, set.ranges, false);
        measure_loaded(set, how, real_plans(), &result);
    }
    return finish(std::move(result), checker);
}

SetResult Session::synthetic_set(size_t ranges)
{
    RangeSet set;
    set.name = "synthetic-" + std::to_string(ranges);
    set.source = "seed " + std::to_string(options_.seed);
    set.ranges = synthetic_ranges(ranges, options_.seed);
    SetResult result = describe(set);
    result.synthetic = true;
    progress_.stage(set.name);
    Checker checker(set);
    check_loaded(set, checker);
    if (checker.mismatches() == 0) {
        Measurement how = {
            options_, team_, contenders_, checker, progress_, set.name, options_.synthetic_repetitions};
        result.loads = measure_loads(how, set.ranges, true);
        measure_loaded(set, how, synthetic_plans(), &result);
    }
    return finish(std::move(result), checker);
}

// What is measured on maps that hold the set.
void Session::measure_loaded(const RangeSet &set, const Measurement &how, const std::vector<MixPlan> &plans,
                             SetResult *result)
{
    how.checker.phase("measuring");
    MixInput input(set.ranges, most_threads(), options_.seed);
    result->rates = measure_rates(how, input, plans);
    result->latencies = measure_latencies(how, input, latency_plans());
    check_after(set, how.checker);
}

SetResult Session::finish(SetResult result, const Checker &checker)
{
    result.answers = checker.answers();
    result.mismatches = checker.mismatches();
    progress_.done();
    return result;
}

} // namespace bench
