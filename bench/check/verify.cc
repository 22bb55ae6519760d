// SPDX-License-Identifier: BSD-2-Clause
#include "bench/check/verify.h"

#include <algorithm>

#include "bench/workload/mix.h"
#include "bench/workload/random.h"

namespace bench
{

static std::vector<uint64_t> boundary_keys(const Ranges &ranges)
{
    std::vector<uint64_t> keys = {0, UINT64_MAX};
    for (const Range &range : ranges) {
        keys.push_back(range.start);
        keys.push_back(range.last);
        if (range.start > 0)
            keys.push_back(range.start - 1);
        if (range.last < UINT64_MAX)
            keys.push_back(range.last + 1);
    }
    return keys;
}

static std::vector<uint64_t> random_keys(const Ranges &ranges, uint64_t seed)
{
    Random random(seed);
    uint64_t highest = ranges.empty() ? 1 : ranges.back().last;
    size_t count = std::clamp<size_t>(ranges.size(), 1000, 100000);
    std::vector<uint64_t> keys(count);
    for (uint64_t &key : keys)
        key = random.between(0, highest > UINT64_MAX / 2 ? UINT64_MAX : highest * 2);
    return keys;
}

// An entry as the checker wants it: NULL where the call found nothing, a copy in *range where it did.
static const Range *answer(int rc, const rangemap_entry &entry, Range *range)
{
    if (rc != 0)
        return nullptr;
    *range = RangemapSubject::range(entry);
    return range;
}

using KeyQuery = int(const rangemap *, uint64_t, rangemap_entry *);

static void check_entry(const char *call, KeyQuery *query, const rangemap *map, uint64_t key,
                        const Range *expected, Checker &checker)
{
    rangemap_entry entry = {};
    Range got;
    checker.range(call, key, expected, answer(query(map, key, &entry), entry, &got));
}

static void check_lookup(const char *call, int (*lookup)(const rangemap *, uint64_t, void **),
                         const rangemap *map, uint64_t key, const Range *expected, Checker &checker)
{
    void *word = nullptr;
    bool hit = lookup(map, key, &word) == 0;
    checker.value(call, key, expected, hit, RangemapSubject::number(word));
}

static void check_key(const rangemap *map, uint64_t key, const Oracle &oracle, Checker &checker)
{
    const Range *expected = oracle.find(key);
    check_lookup("rangemap_lookup", rangemap_lookup, map, key, expected, checker);
    check_entry("rangemap_find", rangemap_find, map, key, expected, checker);
    check_entry("rangemap_next", rangemap_next, map, key, oracle.next(key), checker);
    check_entry("rangemap_previous", rangemap_previous, map, key, oracle.previous(key), checker);
    {
        RangemapSubject::Section section(map);
        check_lookup("rangemap_lookup_held", rangemap_lookup_held, map, key, expected, checker);
        check_entry("rangemap_find_held", rangemap_find_held, map, key, expected, checker);
    }
    checker.number("rangemap_is_covered", key, expected != nullptr, rangemap_is_covered(map, key, key));
    checker.number("rangemap_is_free", key, expected == nullptr, rangemap_is_free(map, key, key));
}

// One batch of each kind.
static void check_batch(const rangemap *map, const uint64_t *keys, size_t count, const Oracle &oracle,
                        Checker &checker)
{
    std::vector<void *> values(count);
    std::vector<rangemap_entry> entries(count);
    std::vector<char> hit_value(count), hit_entry(count);
    static_assert(sizeof(bool) == sizeof(char), "hits are read as bytes");
    int hits =
        rangemap_lookup_batch(map, keys, count, values.data(), reinterpret_cast<bool *>(hit_value.data()));
    int found =
        rangemap_find_batch(map, keys, count, entries.data(), reinterpret_cast<bool *>(hit_entry.data()));
    int64_t expected_hits = 0;
    for (size_t i = 0; i < count; i++) {
        const Range *expected = oracle.find(keys[i]);
        expected_hits += expected != nullptr;
        Range got;
        checker.value("rangemap_lookup_batch", keys[i], expected, hit_value[i] != 0,
                      RangemapSubject::number(values[i]));
        checker.range("rangemap_find_batch", keys[i], expected,
                      answer(hit_entry[i] != 0 ? 0 : -ENOENT, entries[i], &got));
    }
    checker.number("hits of rangemap_lookup_batch", keys[0], expected_hits, hits);
    checker.number("hits of rangemap_find_batch", keys[0], expected_hits, found);
}

static void check_batches(const rangemap *map, const std::vector<uint64_t> &keys, const Oracle &oracle,
                          Checker &checker)
{
    constexpr size_t kSizes[] = {1, 7, 16, 33, 100};
    size_t turn = 0;
    for (size_t i = 0; i < keys.size(); turn++) {
        size_t count = std::min(kSizes[turn % std::size(kSizes)], keys.size() - i);
        check_batch(map, &keys[i], count, oracle, checker);
        i += count;
    }
}

static Ranges collect(rangemap_cursor *cursor, int (*step)(rangemap_cursor *, rangemap_entry *))
{
    Ranges ranges;
    rangemap_entry entry;
    while (step(cursor, &entry) == 0)
        ranges.push_back(RangemapSubject::range(entry));
    return ranges;
}

static void check_iteration(const rangemap *map, const Oracle &oracle, Checker &checker)
{
    rangemap_cursor cursor;
    checker.number("rangemap_cursor_init", 0, 0, rangemap_cursor_init(&cursor, map, 0, UINT64_MAX));
    checker.contents("rangemap_cursor_next", oracle.ranges(), collect(&cursor, rangemap_cursor_next));
    Ranges backward = collect(&cursor, rangemap_cursor_previous);
    std::reverse(backward.begin(), backward.end());
    checker.contents("rangemap_cursor_previous", oracle.ranges(), backward);

    rangemap_snapshot snapshot;
    checker.number("rangemap_snapshot_begin", 0, 0, rangemap_snapshot_begin(map, &snapshot));
    checker.number("rangemap_cursor_init_at", 0, 0,
                   rangemap_cursor_init_at(&cursor, &snapshot, 0, UINT64_MAX));
    checker.contents("cursor in a snapshot", oracle.ranges(), collect(&cursor, rangemap_cursor_next));
    rangemap_snapshot_end(&snapshot);

    const Ranges &ranges = oracle.ranges();
    rangemap_entry entry = {};
    Range got;
    checker.range("rangemap_first", 0, ranges.empty() ? nullptr : &ranges.front(),
                  answer(rangemap_first(map, &entry), entry, &got));
    checker.range("rangemap_last", 0, ranges.empty() ? nullptr : &ranges.back(),
                  answer(rangemap_last(map, &entry), entry, &got));
}

// A window whose ends lie near bounds of the set or anywhere.
static void draw_window(Random &random, const std::vector<uint64_t> &keys, uint64_t *start, uint64_t *last)
{
    size_t at = random.below(keys.size());
    size_t width = random.below(2) == 0 ? random.below(40) : random.below(keys.size());
    *start = keys[at];
    *last = keys[std::min(at + width, keys.size() - 1)];
    if (*start > *last)
        std::swap(*start, *last);
}

static void check_window(const rangemap *map, uint64_t start, uint64_t last, const Oracle &oracle,
                         Checker &checker)
{
    rangemap_entry entry = {};
    Range got;
    const Range *lowest = oracle.overlap(start, last);
    checker.range("rangemap_overlap", start, lowest,
                  answer(rangemap_overlap(map, start, last, &entry), entry, &got));
    checker.number("rangemap_is_free", start, lowest == nullptr, rangemap_is_free(map, start, last));
    checker.number("rangemap_is_covered", start, oracle.covered(start, last),
                   rangemap_is_covered(map, start, last));

    rangemap_cursor cursor;
    checker.number("rangemap_cursor_init", start, 0, rangemap_cursor_init(&cursor, map, start, last));
    const Range *expected = lowest;
    for (int i = 0; i < 40; i++) {
        int rc = rangemap_cursor_next(&cursor, &entry);
        checker.range("rangemap_cursor_next", start, expected, answer(rc, entry, &got));
        if (expected == nullptr || rc != 0)
            break;
        expected = oracle.next(expected->last);
        if (expected != nullptr && expected->start > last)
            expected = nullptr;
    }
}

static void check_gap(const rangemap *map, Random &random, uint64_t low, uint64_t high, const Oracle &oracle,
                      Checker &checker)
{
    rangemap_gap_request request = {};
    request.length = 1 + (random() >> (24 + random.below(40)));
    request.alignment = random.below(2) == 0 ? 0 : uint64_t{1} << random.below(24);
    request.low = low;
    request.high = high;
    request.from_top = random.below(2) == 0;
    auto expected =
        oracle.gap(request.length, std::max<uint64_t>(request.alignment, 1), low, high, request.from_top);
    uint64_t start = 0;
    int rc = rangemap_gap_find(map, &request, &start);
    checker.number("rangemap_gap_find", low, expected ? 0 : -ENOSPC, rc);
    if (expected && rc == 0)
        checker.number("start of rangemap_gap_find", low, static_cast<int64_t>(*expected),
                       static_cast<int64_t>(start));
}

static void check_windows(const rangemap *map, const std::vector<uint64_t> &keys, const Oracle &oracle,
                          uint64_t seed, Checker &checker)
{
    Random random(seed);
    for (int i = 0; i < 2000; i++) {
        uint64_t start, last;
        draw_window(random, keys, &start, &last);
        check_window(map, start, last, oracle, checker);
        if (i % 10 == 0)
            check_gap(map, random, start, last, oracle, checker);
    }
}

void verify_structure(const rangemap *map, size_t ranges, Checker &checker)
{
    rangemap_statistics statistics = {};
    checker.number("rangemap_stats", 0, 0, rangemap_stats(map, &statistics));
    checker.number("ranges of rangemap_stats", 0, static_cast<int64_t>(ranges),
                   static_cast<int64_t>(statistics.ranges));
    char message[256] = "";
    if (int rc = rangemap_validate(map, message, sizeof message))
        checker.report("rangemap_validate", 0, "0", std::to_string(rc) + " " + message);
}

void verify_queries(const rangemap *map, const Oracle &oracle, uint64_t seed, Checker &checker)
{
    verify_structure(map, oracle.ranges().size(), checker);
    check_iteration(map, oracle, checker);
    std::vector<uint64_t> keys = boundary_keys(oracle.ranges());
    for (uint64_t key : keys)
        check_key(map, key, oracle, checker);
    check_batches(map, keys, oracle, checker);
    check_windows(map, keys, oracle, seed, checker);
    std::vector<uint64_t> random = random_keys(oracle.ranges(), seed);
    for (uint64_t key : random)
        check_key(map, key, oracle, checker);
    check_batches(map, random, oracle, checker);
}

static void collect_displaced(const rangemap_entry *entry, void *context)
{
    static_cast<Ranges *>(context)->push_back(RangemapSubject::range(*entry));
}

void verify_actions(const std::vector<Action> &actions, Checker &checker)
{
    RangemapSubject subject;
    Oracle oracle;
    size_t every = std::max<size_t>(1, actions.size() / 32);
    for (size_t i = 0; i < actions.size(); i++) {
        const Range &range = actions[i].range;
        bool stores = actions[i].kind == Action::kStore;
        Ranges expected = stores ? oracle.store(range) : oracle.carve(range.start, range.last);
        Ranges displaced;
        int rc = stores
                     ? rangemap_store(subject.map(), range.start, range.last,
                                      RangemapSubject::pointer(range.value), collect_displaced, &displaced)
                     : rangemap_carve(subject.map(), range.start, range.last, collect_displaced, &displaced);
        checker.number(stores ? "rangemap_store" : "rangemap_carve", range.start, 0, rc);
        checker.contents("displaced ranges", expected, displaced);
        if (i % every == 0 || i + 1 == actions.size())
            checker.contents("contents between actions", oracle.ranges(), subject.contents());
        if (checker.mismatches() > 10)
            return;
    }
}

// What one thread of verify_under_updates() looks up; even ranges may be missing at times.
static void check_under_updates(const RangemapSubject &subject, const Ranges &ranges, Random &random,
                                Checker &checker)
{
    uint64_t keys[kBatchKeys];
    const Range *expected[kBatchKeys];
    for (unsigned i = 0; i < kBatchKeys; i++) {
        expected[i] = &ranges[random.below(ranges.size())];
        keys[i] = random.between(expected[i]->start, expected[i]->last);
    }
    rangemap_entry entries[kBatchKeys] = {};
    bool hit[kBatchKeys] = {};
    const int missed =
        rangemap_find_batch(subject.map(), keys, kBatchKeys, entries, hit) < 0 ? -EINVAL : -ENOENT;
    for (unsigned i = 0; i < kBatchKeys; i++) {
        bool may_miss = (expected[i] - ranges.data()) % 2 == 0;
        Range got;
        if (hit[i] || !may_miss)
            checker.range("rangemap_find_batch beside updates", keys[i], expected[i],
                          answer(hit[i] ? 0 : missed, entries[i], &got));
        rangemap_entry entry = {};
        int rc = rangemap_find(subject.map(), keys[i], &entry);
        if (rc == 0 || !may_miss)
            checker.range("rangemap_find beside updates", keys[i], expected[i], answer(rc, entry, &got));
    }
}

void verify_under_updates(RangemapSubject &subject, const Ranges &ranges, Team &team, unsigned threads,
                          double seconds, Checker &checker)
{
    Ranges even;
    for (size_t i = 0; i < ranges.size(); i += 2)
        even.push_back(ranges[i]);
    team.run(threads, seconds, [&](unsigned thread, const std::atomic<bool> &stop) {
        Random random(thread);
        MixTally tally;
        Updater<RangemapSubject> updater(subject, even, MixPlan{LookupMode::kAlone, threads, 100, 0}, thread,
                                         threads);
        do {
            check_under_updates(subject, ranges, random, checker);
            for (int i = 0; i < 16 && updater.can_update(); i++)
                updater.update(tally);
        } while (!stop.load(std::memory_order_relaxed));
        updater.finish(tally);
        checker.number("updates that found the map other than it must be", 0, 0,
                       static_cast<int64_t>(tally.failed_updates));
    });
}

} // namespace bench
