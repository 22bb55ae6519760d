// SPDX-License-Identifier: BSD-2-Clause
#include "bench/compare/check.h"

#include <algorithm>
#include <stdexcept>

#include "bench/replay/oracle.h"
#include "bench/workload/keys.h"

namespace bench
{

constexpr size_t kMostChecked = 65536;

[[noreturn]] static void wrong(const Peer &peer, const std::string &what, uint64_t key,
                               const std::string &expected, const std::string &got)
{
    throw std::runtime_error(peer.title + ": WRONG ANSWER: " + what + ", key " + std::to_string(key) +
                             ": expected " + expected + ", got " + got);
}

static std::string text(const Range &range)
{
    return "[" + std::to_string(range.start) + ", " + std::to_string(range.last) + "] -> " +
           std::to_string(range.value);
}

static void check_contents(const Peer &peer, const Contender &map, const Ranges &expected)
{
    Ranges got = map.contents();
    for (size_t i = 0; i < std::max(expected.size(), got.size()); i++) {
        bool same = i < expected.size() && i < got.size() && expected[i] == got[i];
        if (!same)
            wrong(peer, "contents", i < expected.size() ? expected[i].start : got[i].start,
                  i < expected.size() ? text(expected[i]) : "nothing",
                  i < got.size() ? text(got[i]) : "nothing");
    }
}

static std::vector<uint64_t> bounds(const Ranges &ranges)
{
    std::vector<uint64_t> keys;
    size_t step = ranges.size() / kMostChecked + 1;
    for (size_t i = 0; i < ranges.size(); i += step) {
        for (uint64_t key : {ranges[i].start - 1, ranges[i].start, ranges[i].last, ranges[i].last + 1})
            keys.push_back(key);
    }
    return keys;
}

static void check_lookups(const Peer &peer, const Contender &map, const Oracle &oracle, LookupMode mode)
{
    std::vector<uint64_t> keys = bounds(oracle.ranges()), values;
    size_t hits = map.answers(mode, keys, &values), expected_hits = 0;
    for (size_t i = 0; i < keys.size(); i++) {
        const Range *expected = oracle.find(keys[i]);
        expected_hits += expected != nullptr;
        uint64_t value = expected == nullptr ? 0 : expected->value;
        if (values[i] != value)
            wrong(peer, std::string("lookup, ") + mode_name(mode), keys[i], std::to_string(value),
                  std::to_string(values[i]));
    }
    if (hits != expected_hits)
        wrong(peer, std::string("number of hits, ") + mode_name(mode), 0, std::to_string(expected_hits),
              std::to_string(hits));
}

void check_holds(const Peer &peer, const Contender &map, const Ranges &sorted)
{
    check_contents(peer, map, sorted);
    Oracle oracle(sorted);
    for (LookupMode mode : {LookupMode::kAlone, LookupMode::kHeld, LookupMode::kBatch, LookupMode::kLarge})
        check_lookups(peer, map, oracle, mode);
}

namespace
{

// Random updates of a map beside an oracle.
class UpdateCheck
{
  public:
    UpdateCheck(const Peer &peer, Contender &map, const Ranges &set, uint64_t seed)
        : peer_(peer), map_(map), set_(set), oracle_(set), random_(seed)
    {
    }

    void run(unsigned steps)
    {
        for (unsigned i = 0; i < steps; i++) {
            step();
            if (i % 64 == 0)
                check_contents(peer_, map_, oracle_.ranges());
        }
        check_holds(peer_, map_, oracle_.ranges());
    }

  private:
    void step()
    {
        const Range &range = set_[random_.below(set_.size())];
        uint64_t kind = random_.below(peer_.overwrites ? 8 : 4);
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
            expect("insert of what is held", range, map_.insert(range), false);
            expect("erase", range, map_.erase(range), true);
            oracle_.carve(range.start, range.last);
        } else if (held == nullptr) {
            expect("erase of what is not held", range, map_.erase(range), false);
            expect("insert", range, map_.insert(range), true);
            oracle_.store(range);
        } else if (peer_.overwrites) {
            expect("insert over a part", range, map_.insert(range), false);
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

    void expect(const char *what, const Range &range, bool got, bool expected)
    {
        if (got != expected)
            wrong(peer_, what, range.start, expected ? "success" : "failure", got ? "success" : "failure");
    }

    const Peer &peer_;
    Contender &map_;
    const Ranges &set_;
    Oracle oracle_;
    Random random_;
    uint64_t next_value_ = 0;
};

} // namespace

void check_peer(const Peer &peer, Contender &map, uint64_t seed)
{
    for (size_t count : {size_t{1}, size_t{15}, size_t{700}}) {
        Ranges ranges = synthetic_ranges(count, seed);
        map.clear();
        map.load(ranges);
        check_holds(peer, map, ranges);
        if (!peer.updates)
            continue;
        map.clear();
        map.insert_all(shuffled(ranges, seed));
        check_holds(peer, map, ranges);
        UpdateCheck(peer, map, ranges, seed).run(2000);
    }
    map.clear();
}

} // namespace bench
