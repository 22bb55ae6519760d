// SPDX-License-Identifier: BSD-2-Clause
// Repetitions are independent of what was measured before them: warm, in random order, on maps without garbage.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "bench/core/jobs.h"
#include "rangemap/rangemap.h"

namespace bench
{
namespace
{

constexpr unsigned kRepetitions = 20;

struct Call {
    std::string row;
    double seconds;
    unsigned turn;
};

// The calls that the harness makes for two jobs of one subject.
std::vector<Call> calls_for_two_jobs(const Options &options)
{
    std::vector<Call> calls;
    auto noting = [&](const std::string &row) {
        Job job;
        job.row = row;
        job.subject = kRangemap;
        job.measure = [&calls, row](double seconds, unsigned turn, Histogram &) {
            calls.push_back({row, seconds, turn});
            return Reading{seconds, {{"operations_per_second", 1}}};
        };
        return job;
    };
    Set set;
    set.name = "mixed:1";
    set.shape = "mixed";
    Progress progress;
    Results results;
    Harness(options, progress).run(set, {noting("one"), noting("other")}, {rangemap_subject()}, &results);
    EXPECT_EQ(results.size(), 2u);
    return calls;
}

Options quick_options()
{
    Options options;
    options.program = "harness_test";
    options.seconds = 0.01;
    options.synthetic_repetitions = kRepetitions;
    return options;
}

TEST(Harness, WarmsUpBeforeEachRepetition)
{
    Options options = quick_options();
    std::vector<Call> calls = calls_for_two_jobs(options);
    ASSERT_EQ(calls.size(), 4 * kRepetitions);
    for (size_t i = 0; i < calls.size(); i += 2) {
        EXPECT_DOUBLE_EQ(calls[i].seconds, options.seconds / 2);
        EXPECT_DOUBLE_EQ(calls[i + 1].seconds, options.seconds);
        EXPECT_EQ(calls[i].row, calls[i + 1].row);
        EXPECT_EQ(calls[i].turn + 1, calls[i + 1].turn) << "other keys than those that warmed it up";
    }
}

// By chance one of them comes first altogether once in 7 * 10^10 runs.
TEST(Harness, TakesRepetitionsInRandomOrder)
{
    std::vector<Call> calls = calls_for_two_jobs(quick_options());
    size_t changes = 0;
    for (size_t i = 1; i < calls.size(); i++)
        changes += calls[i].row != calls[i - 1].row;
    EXPECT_GT(changes, 1u);
}

// In the default domain, which the subject's map is of.
uint64_t pending_bytes()
{
    rangemap_domain_statistics statistics = {};
    EXPECT_EQ(rangemap_domain_stats(nullptr, &statistics), 0);
    return statistics.pending_bytes;
}

TEST(Rows, LeaveNoGarbageBehind)
{
    Options options = quick_options();
    Progress progress;
    Set set = make_set("mixed:256", options);
    for (const Row &row : synthetic_rows({1, 2}, Extent::kDefault)) {
        if (row.name.find("stalled_reader") != std::string::npos)
            set.rows.push_back(row);
    }
    Checker checker(set.name);
    Loaded loaded(set, 1, progress, checker);
    Team team(2);
    std::vector<Job> jobs = set_jobs(loaded, {rangemap_subject()}, team);
    ASSERT_EQ(jobs.size(), 1u);
    for (unsigned turn = 0; turn < 3; turn++) {
        Histogram ticks;
        jobs[0].measure(0.02, turn, ticks);
        EXPECT_GT(ticks.count(), 0u);
        EXPECT_EQ(pending_bytes(), 0u) << "for the next row to free";
    }
}

} // namespace
} // namespace bench

int main(int argc, char **argv)
{
    testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
}
