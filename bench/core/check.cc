// SPDX-License-Identifier: BSD-2-Clause
#include "bench/core/check.h"

#include <algorithm>

#include "bench/check/oracle.h"
#include "bench/workload/keys.h"

namespace bench
{

// Of another process, whose answers take longer, and of any.
constexpr size_t kMostAsked = 65536, kMostChecked = 1000000;

static std::vector<uint64_t> bounds(const Ranges &ranges, size_t most)
{
    std::vector<uint64_t> keys;
    size_t step = ranges.size() / most + 1;
    for (size_t i = 0; i < ranges.size(); i += step) {
        for (uint64_t key : {ranges[i].start - 1, ranges[i].start, ranges[i].last, ranges[i].last + 1})
            keys.push_back(key);
    }
    return keys;
}

static void check_lookups(const SubjectMap &map, const Oracle &oracle, const std::vector<uint64_t> &keys,
                          LookupMode mode, Checker &checker)
{
    std::vector<uint64_t> values;
    std::string call = std::string("lookup, ") + mode_name(mode);
    size_t hits = map.answers(mode, keys, &values), expected_hits = 0;
    for (size_t i = 0; i < keys.size(); i++) {
        const Range *expected = oracle.find(keys[i]);
        expected_hits += expected != nullptr;
        checker.number(call.c_str(), keys[i], expected == nullptr ? 0 : static_cast<int64_t>(expected->value),
                       static_cast<int64_t>(values[i]));
    }
    checker.number((call + ", number of hits").c_str(), 0, static_cast<int64_t>(expected_hits),
                   static_cast<int64_t>(hits));
}

void check_holds(const Subject &subject, const SubjectMap &map, const Ranges &sorted, Checker &checker)
{
    checker.phase(subject.title);
    checker.contents("contents", sorted, map.contents());
    Oracle oracle(sorted);
    std::vector<uint64_t> keys = bounds(sorted, subject.own_process ? kMostAsked : kMostChecked);
    for (LookupMode mode : {LookupMode::kAlone, LookupMode::kHeld, LookupMode::kBatch, LookupMode::kLarge})
        check_lookups(map, oracle, keys, mode, checker);
    checker.expect_right();
}

namespace
{

// Random updates of a map beside an oracle.
class UpdateCheck
{
  public:
    UpdateCheck(const Subject &subject, SubjectMap &map, const Ranges &set, uint64_t seed, Checker &checker)
        : subject_(subject), map_(map), set_(set), oracle_(set), random_(seed), checker_(checker)
    {
    }

    void run(unsigned steps)
    {
        for (unsigned i = 0; i < steps && checker_.mismatches() == 0; i++) {
            step();
            if (i % 64 == 0)
                checker_.contents("contents", oracle_.ranges(), map_.contents());
        }
        check_holds(subject_, map_, oracle_.ranges(), checker_);
    }

  private:
    void step()
    {
        const Range &range = set_[random_.below(set_.size())];
        uint64_t kind = random_.below(subject_.overwrites ? 8 : 4);
        if (kind < 4)
            toggle(range);
        else if (kind < 6)
            store(range);
        else
            carve(range);
    }

    // Erases a range of the set that the map holds whole, inserts one that is free or in the way.
    void toggle(const Range &range)
    {
        const Range *held = oracle_.overlap(range.start, range.last);
        if (held != nullptr && *held == range) {
            checker_.number("insert of what is held", range.start, false, map_.insert(range));
            checker_.number("erase", range.start, true, map_.erase(range));
            oracle_.carve(range.start, range.last);
        } else if (held == nullptr) {
            checker_.number("erase of what is not held", range.start, false, map_.erase(range));
            checker_.number("insert", range.start, true, map_.insert(range));
            oracle_.store(range);
        } else if (subject_.overwrites) {
            checker_.number("insert over a part", range.start, false, map_.insert(range));
        }
    }

    Range window(const Range &range)
    {
        uint64_t start = random_.between(range.start, range.last);
        return {start, start + random_.below(uint64_t{1} << random_.below(22)), 1000000 + next_value_++};
    }

    void store(const Range &range)
    {
        Range over = window(range);
        map_.store(over);
        oracle_.store(over);
    }

    void carve(const Range &range)
    {
        Range over = window(range);
        map_.carve(over.start, over.last);
        oracle_.carve(over.start, over.last);
    }

    const Subject &subject_;
    SubjectMap &map_;
    const Ranges &set_;
    Oracle oracle_;
    Random random_;
    Checker &checker_;
    uint64_t next_value_ = 0;
};

} // namespace

void check_subject(const Subject &subject, SubjectMap &map, uint64_t seed, Checker &checker)
{
    for (size_t count : {size_t{1}, size_t{15}, size_t{700}}) {
        Ranges ranges = subject.only_pages ? page_ranges(count, seed) : synthetic_ranges(count, seed);
        map.clear();
        map.load(ranges);
        check_holds(subject, map, ranges, checker);
        if (!subject.updates)
            continue;
        map.clear();
        map.insert_all(shuffled(ranges, seed));
        check_holds(subject, map, ranges, checker);
        if (subject.erases)
            UpdateCheck(subject, map, ranges, seed, checker).run(2000);
    }
    map.clear();
}

void check_replayed(const Subject &subject, SubjectMap &map, const std::vector<Action> &actions,
                    const Ranges &sorted, Checker &checker)
{
    checker.phase(subject.title + ", replayed");
    map.clear();
    for (const Action &action : actions) {
        if (action.kind == Action::kStore)
            map.store(action.range);
        else
            map.carve(action.range.start, action.range.last);
    }
    checker.contents("contents", sorted, map.contents());
    map.clear();
}

} // namespace bench
