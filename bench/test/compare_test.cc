// SPDX-License-Identifier: BSD-2-Clause
// The subjects of bench/compare give right answers, and a subject that does not is found out.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "bench/core/check.h"
#include "bench/core/row.h"
#include "bench/core/targets.h"
#include "bench/subjects/java_skip_list.h"
#include "bench/subjects/std_map.h"
#include "bench/workload/keys.h"
#include "third_party/linux/shim/trees.h"

namespace bench
{
namespace
{

std::vector<Subject> of_this_process()
{
    std::vector<Subject> all = all_subjects({});
    all.erase(
        std::remove_if(all.begin(), all.end(),
                       [](const Subject &subject) { return subject.own_process || subject.make == nullptr; }),
        all.end());
    return all;
}

TEST(Peers, GiveRightAnswers)
{
    for (const Subject &subject : of_this_process()) {
        SCOPED_TRACE(subject.title);
        for (uint64_t seed = 1; seed <= 3; seed++) {
            Checker checker(subject.name);
            EXPECT_NO_THROW(check_subject(subject, *subject.make(), seed, checker));
            EXPECT_GT(checker.answers(), 1000u);
        }
    }
}

TEST(Peers, HoldPagesAndLimitsOfTheKeys)
{
    const Ranges all_limits = {{0, 0, 1},
                               {1, 7, 2},
                               {uint64_t{1} << 63, (uint64_t{1} << 63) + 9, 3},
                               {UINT64_MAX - 1, UINT64_MAX, 4}};
    for (const Subject &subject : of_this_process()) {
        SCOPED_TRACE(subject.title);
        Ranges limits = all_limits;
        auto map = subject.make();
        Checker checker(subject.name);
        map->load(page_ranges(2000, 5));
        EXPECT_NO_THROW(check_holds(subject, *map, page_ranges(2000, 5), checker));
        if (subject.only_pages)
            continue;
        map->clear();
        if (subject.name == kXArray) // xa_store_range() does not come to an end at the last key
            limits.pop_back();
        map->load(limits);
        EXPECT_NO_THROW(check_holds(subject, *map, limits, checker));
    }
}

// What each kind of threads does to a map leaves it as it was.
TEST(Peers, AreWholeAfterUpdatesByThreads)
{
    Team team(3);
    for (const Subject &subject : of_this_process()) {
        if (!subject.updates || !subject.erases)
            continue;
        Ranges ranges = subject.only_pages ? page_ranges(301, 4) : synthetic_ranges(301, 4);
        MixInput input(ranges, 3, 1);
        SCOPED_TRACE(subject.title);
        auto map = subject.make();
        map->load(ranges);
        for (Territory territory : {Territory::kSlice, Territory::kInterleaved}) {
            MixPlan plan = {LookupMode::kAlone, 3, 100, 0.003};
            plan.territory = territory;
            EXPECT_EQ(map->run_mix(team, input, plan).wrong, 0u);
            plan.writers = 1;
            plan.update_percent = 0;
            EXPECT_GT(map->run_latency(team, input, plan).ticks.count(), 0u);
            plan.writers = 0;
            plan.update_percent = 50;
            plan.mode = LookupMode::kLarge;
            if (subject.overwrites)
                plan.update = UpdateKind::kStoreCarve;
            EXPECT_EQ(map->run_mix(team, input, plan).wrong, 0u);
        }
        map->settle();
        Checker checker(subject.name);
        EXPECT_NO_THROW(check_holds(subject, *map, ranges, checker));
    }
}

TEST(Peers, KernelsMapsGiveTheirMemoryBack)
{
    for (const Subject &subject : kernel_subjects()) {
        subject.make().reset();
        size_t before = slab_bytes_in_use();
        auto map = subject.make();
        map->insert_all(shuffled(synthetic_ranges(2000, 1), 1));
        map->settle();
        EXPECT_GT(map->bytes(), 2000u * 8) << subject.title;
        EXPECT_EQ(map->bytes(), slab_bytes_in_use() - before) << subject.title;
        map.reset();
        subject.make()->settle();
        EXPECT_EQ(slab_bytes_in_use(), before) << subject.title;
    }
}

// A map with a fault that can be chosen.
enum class Fault { kNone, kValue, kGap, kInsert, kCarve, kBatch };
Fault fault;

class FaultySubject : public StdMapSubject
{
  public:
    bool insert(const Range &range)
    {
        return StdMapSubject::insert(range) || fault == Fault::kInsert;
    }
    void carve(uint64_t start, uint64_t last)
    {
        StdMapSubject::carve(start, fault == Fault::kCarve && last > start ? last - 1 : last);
    }
    bool lookup(uint64_t key, uint64_t *value) const
    {
        bool hit = StdMapSubject::lookup(key, value) || (fault == Fault::kGap && key % 64 == 0);
        *value += fault == Fault::kValue && key % 64 == 0;
        return hit;
    }
    unsigned lookup_batch(const uint64_t *keys, unsigned count, uint64_t *values) const
    {
        unsigned hits = StdMapSubject::lookup_batch(keys, count, values);
        if (fault == Fault::kBatch && count > 9)
            values[9] = values[8];
        return hits;
    }
};

TEST(Check, FindsFaults)
{
    Subject subject = {"faulty", "faulty", [] { return std::make_unique<SubjectMapOf<FaultySubject>>(); }};
    for (Fault one : {Fault::kValue, Fault::kGap, Fault::kInsert, Fault::kCarve, Fault::kBatch}) {
        fault = one;
        Checker checker("faulty");
        EXPECT_THROW(check_subject(subject, *subject.make(), 1, checker), std::runtime_error)
            << static_cast<int>(one);
    }
    fault = Fault::kNone;
    Checker checker("faulty");
    EXPECT_NO_THROW(check_subject(subject, *subject.make(), 1, checker));
}

// Which range holds the key; ranges.size() if none.
size_t holder(const Ranges &ranges, uint64_t key)
{
    for (size_t i = 0; i < ranges.size(); i++) {
        if (ranges[i].start <= key && key <= ranges[i].last)
            return i;
    }
    return ranges.size();
}

TEST(Keys, FollowTheirPattern)
{
    Ranges ranges = synthetic_ranges(100, 3);
    for (KeyPattern pattern : {KeyPattern::kRandom, KeyPattern::kZipf, KeyPattern::kLocal}) {
        SCOPED_TRACE(pattern_name(pattern));
        std::map<size_t, size_t> times;
        for (uint64_t key : draw_keys(ranges, 20, 40, {pattern, true}, 1))
            times[holder(ranges, key)]++;
        ASSERT_FALSE(times.empty());
        EXPECT_GE(times.begin()->first, 20u);
        EXPECT_LT(times.rbegin()->first, 60u);
        size_t most = 0;
        for (const auto &[range, count] : times)
            most = std::max(most, count);
        if (pattern == KeyPattern::kZipf) // the first of 40 has 1 / (1 + 1/2^.99 + 1/3^.99 ...), about 23 %
            EXPECT_GT(most, size_t{65536} / 6);
        else
            EXPECT_LT(most, size_t{65536} / 20);
        for (uint64_t key : draw_keys(ranges, 20, 40, {pattern, false}, 1))
            ASSERT_EQ(holder(ranges, key), ranges.size());
    }
    EXPECT_TRUE(draw_keys({{0, 9, 1}, {10, UINT64_MAX, 2}}, 0, 2, {KeyPattern::kRandom, false}, 1).empty());
}

TEST(Keys, LocalKeysStayNear)
{
    Ranges ranges = synthetic_ranges(5000, 3);
    std::vector<uint64_t> keys = draw_keys(ranges, 0, 5000, {KeyPattern::kLocal, true}, 1);
    for (size_t begin = 0; begin < 20 * 256; begin += 256) {
        std::set<size_t> near;
        for (size_t i = begin; i < begin + 256; i++)
            near.insert(holder(ranges, keys[i]));
        EXPECT_LE(near.size(), 64u);
    }
}

TEST(Share, OwnsEachUnitOnce)
{
    for (Territory territory : {Territory::kSlice, Territory::kInterleaved}) {
        for (size_t units : {size_t{0}, size_t{1}, size_t{2}, size_t{10}, size_t{31}}) {
            std::set<size_t> owned;
            size_t total = 0;
            for (unsigned thread = 0; thread < 3; thread++) {
                Share share(territory, units, thread, 3);
                Random random(thread);
                total += share.size();
                for (int i = 0; i < 1000 && share.size() > 0; i++)
                    owned.insert(share.pick(random));
            }
            EXPECT_EQ(total, units);
            EXPECT_EQ(owned.size(), units);
            EXPECT_TRUE(owned.empty() || *owned.rbegin() == units - 1);
        }
    }
}

Result rate(const std::string &row, const char *subject, double operations)
{
    Result result = {"mixed:65536", "mixed", 65536, row, subject, subject, 1, {}, {}};
    result.values["operations_per_second"] = {operations, operations, operations};
    return result;
}

TEST(Targets, AreJudgedByMedians)
{
    std::string alone = lookup_row("alone", {}, 1, false);
    Results results = {rate(alone, kRangemap, 30), rate(alone, kMaple, 10), rate(alone, kSkipList, 40),
                       rate(update_row(100, 1, false), kRangemap, 10),
                       rate(update_row(100, 2, true), kRangemap, 17)};
    std::map<std::string, bool> met;
    for (const Target &target : judge_targets(results))
        met[target.what] = target.met;
    std::map<std::string, bool> expected = {
        {"lookup in its own section, against maple tree", true},
        {"any mix and number of threads, against ConcurrentSkipListMap", false},
        {"2 threads in halves against 1, updates only", false},
    };
    EXPECT_EQ(met, expected);
}

} // namespace
} // namespace bench

int main(int argc, char **argv)
{
    testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
}
