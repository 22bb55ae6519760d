// SPDX-License-Identifier: BSD-2-Clause
// The measuring instruments: histogram, keys, threads, and the subjects that rangemap is compared with.
#include <gtest/gtest.h>

#include <set>
#include <stdexcept>

#include "bench/subjects/btree.h"
#include "bench/subjects/rangemap.h"
#include "bench/subjects/std_map.h"
#include "bench/workload/keys.h"
#include "bench/workload/subject_map.h"

namespace bench
{
namespace
{

TEST(Histogram, ExactBelow128)
{
    Histogram histogram;
    EXPECT_EQ(histogram.percentile(0.5), 0u);
    for (uint64_t i = 1; i <= 100; i++)
        histogram.record(i);
    EXPECT_EQ(histogram.count(), 100u);
    EXPECT_EQ(histogram.percentile(0.5), 50u);
    EXPECT_EQ(histogram.percentile(0.99), 99u);
    EXPECT_EQ(histogram.percentile(1), 100u);
}

TEST(Histogram, LargeValuesWithinTwoPercent)
{
    for (uint64_t value = 128; value < UINT64_MAX / 3; value = value * 3 / 2 + 1) {
        Histogram histogram;
        histogram.record(value);
        EXPECT_GE(histogram.percentile(0.5), value);
        EXPECT_LE(histogram.percentile(0.5) - value, value / 64);
    }
    Histogram histogram;
    histogram.record(UINT64_MAX);
    EXPECT_EQ(histogram.percentile(0.5), UINT64_MAX);
}

TEST(Keys, SyntheticRangesAreDisjointAndHit)
{
    Ranges ranges = synthetic_ranges(1000, 7);
    ASSERT_EQ(ranges.size(), 1000u);
    std::set<uint64_t> starts;
    for (size_t i = 0; i < ranges.size(); i++) {
        EXPECT_LE(ranges[i].start, ranges[i].last);
        if (i > 0) {
            EXPECT_GT(ranges[i].start, ranges[i - 1].last);
        }
        starts.insert(ranges[i].start);
    }
    for (const Range &range : shuffled(ranges, 1))
        starts.erase(range.start);
    EXPECT_TRUE(starts.empty());
    StdMapSubject subject;
    subject.load(ranges);
    for (uint64_t key : random_hits(ranges, 3)) {
        uint64_t value;
        ASSERT_TRUE(subject.lookup(key, &value));
    }
}

TEST(Team, RunsAllThreadsAndStops)
{
    Team team(3);
    for (unsigned threads = 1; threads <= 3; threads++) {
        std::atomic<unsigned> ran{0};
        team.run(threads, 0.001, [&](unsigned, const std::atomic<bool> &stop) {
            while (!stop.load())
                std::this_thread::yield();
            ran++;
        });
        EXPECT_EQ(ran, threads);
    }
}

TEST(Team, PassesOnWhatAJobThrows)
{
    Team team(2);
    auto job = [](unsigned thread, const std::atomic<bool> &) {
        if (thread == 1)
            throw std::runtime_error("wrong");
    };
    EXPECT_THROW(team.run(2, 0.001, job), std::runtime_error);
    EXPECT_NO_THROW(team.run(1, 0.001, job));
}

template <class Subject> class SubjectTest : public testing::Test
{
};

class SubjectNames
{
  public:
    template <class Subject> static std::string GetName(int)
    {
        return Subject::name();
    }
};

using Subjects = testing::Types<RangemapSubject, StdMapSubject, BtreeSubject>;
TYPED_TEST_SUITE(SubjectTest, Subjects, SubjectNames);

TYPED_TEST(SubjectTest, InsertEraseStoreCarve)
{
    TypeParam subject;
    EXPECT_TRUE(subject.insert({10, 19, 1}));
    EXPECT_TRUE(subject.insert({30, 39, 2}));
    EXPECT_FALSE(subject.insert({19, 20, 3}));
    EXPECT_FALSE(subject.insert({0, 100, 3}));
    EXPECT_FALSE(subject.erase({10, 18, 1}));
    EXPECT_TRUE(subject.insert({20, 29, 3}));
    subject.store({15, 34, 4});
    EXPECT_EQ(subject.contents(), (Ranges{{10, 14, 1}, {15, 34, 4}, {35, 39, 2}}));
    subject.carve(20, 22);
    EXPECT_EQ(subject.contents(), (Ranges{{10, 14, 1}, {15, 19, 4}, {23, 34, 4}, {35, 39, 2}}));
    EXPECT_TRUE(subject.erase({10, 14, 1}));
    subject.carve(0, UINT64_MAX);
    EXPECT_TRUE(subject.contents().empty());
}

TYPED_TEST(SubjectTest, EveryMixLeavesTheMapAsItWas)
{
    Ranges ranges = synthetic_ranges(500, 1);
    SubjectMapOf<TypeParam> map;
    map.load(ranges);
    Team team(2);
    MixInput input(ranges, 2, 1);
    for (LookupMode mode : {LookupMode::kAlone, LookupMode::kBatch, LookupMode::kHeld}) {
        for (unsigned percent : {0u, 1u, 50u, 100u}) {
            MixResult result = map.run_mix(team, input, {mode, 2, percent, 0.003});
            EXPECT_EQ(result.wrong, 0u);
            EXPECT_EQ(result.lookups_per_second > 0, percent < 100);
        }
    }
    LatencyResult latency = map.run_latency(team, input, {LookupMode::kAlone, 2, 10, 0.003});
    EXPECT_EQ(latency.wrong, 0u);
    EXPECT_GT(latency.ticks.count(), 0u);
    EXPECT_EQ(map.contents(), ranges);
}

// Three threads, two ranges: one thread has nothing to update.
TYPED_TEST(SubjectTest, FewerRangesThanThreads)
{
    Ranges ranges = {{1, 2, 3}, {5, 6, 7}};
    SubjectMapOf<TypeParam> map;
    map.load(ranges);
    Team team(3);
    MixInput input(ranges, 3, 1);
    EXPECT_EQ(map.run_mix(team, input, {LookupMode::kAlone, 3, 50, 0.003}).wrong, 0u);
    EXPECT_EQ(map.run_mix(team, input, {LookupMode::kAlone, 3, 100, 0.003}).wrong, 0u);
    EXPECT_EQ(map.contents(), ranges);
}

} // namespace
} // namespace bench

int main(int argc, char **argv)
{
    testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
}
