// SPDX-License-Identifier: BSD-2-Clause
/* A schedule is all that a run depends on: replayed, in a world made anew, it makes the same accesses. */
#include <string.h>

#include "test/explorer/explore.h"
#include "test/explorer/scenarios.h"
#include "test/shim/ctest.h"

enum { RUNS = 200 };

static struct schedule schedule;
static char text[16384];

static uint64_t run_randomly(uint64_t number)
{
    schedule.policy = SCHEDULE_RANDOM;
    schedule.prng = prng_stream(test_seed(), number);
    schedule.spacing = 4;
    REQUIRE(world_run(&schedule, RM_NO_RULE) == NULL);
    (void)snprintf(text, sizeof text, "%s", schedule_text(&schedule));
    return world_fingerprint();
}

static uint64_t run_again(void)
{
    REQUIRE(schedule_parse(&schedule, text), "%s", text);
    REQUIRE(world_run(&schedule, RM_NO_RULE) == NULL);
    return world_fingerprint();
}

static void check_replay(const char *name)
{
    const struct scenario *scenario = scenario_find(name);
    uint64_t first, other = 0;

    for (unsigned i = 0; i < RUNS; i++) {
        world_create(scenario);
        first = run_randomly(i);
        CHECK_NE(first, other, "two schedules do the same: the fingerprint says nothing");
        CHECK_EQ(run_again(), first, "%s", text);
        world_destroy();
        world_create(scenario_find("coalesce"));
        (void)run_randomly(i);
        world_destroy();
        world_create(scenario);
        (void)run_randomly(i + 1);
        (void)run_randomly(i);
        CHECK_EQ(run_again(), first, "%s", text);
        world_destroy();
        other = first;
    }
}

TEST_CASE(replay, splits)
{
    check_replay("splits_at_three_levels");
}

TEST_CASE(replay, stores)
{
    check_replay("store_insert_erase");
}

TEST_CASE(replay, reclamation)
{
    check_replay("reclaim_under_readers");
}

TEST_CASE(replay, text_is_checked)
{
    CHECK(!schedule_parse(&schedule, "0>1 x"));
    CHECK(!schedule_parse(&schedule, "0>9"));
    CHECK(!schedule_parse(&schedule, "5!9"));
    CHECK(!schedule_parse(&schedule, "0-1"));
    CHECK(schedule_parse(&schedule, "0>1 17>0"));
    CHECK_STR_EQ(schedule_text(&schedule), "0>1 17>0");
    CHECK(schedule_parse(&schedule, "1!23 0>1 17>0"));
    CHECK_STR_EQ(schedule_text(&schedule), "1!23 0>1 17>0");
}

/* Two threads, one preemption each way: the number of schedules is known. */
TEST_CASE(replay, systematic_schedules_are_all_different_and_all_there)
{
    static struct exploration exploration;

    exploration = (struct exploration){.bound = 0, .systematic = 1000};
    explore(scenario_find("split_under_a_root"), &exploration);
    CHECK(exploration.fault == NULL);
    CHECK_EQ(exploration.schedules, 2U, "without preemptions, only which thread is first");
    CHECK_EQ(exploration.complete, 1U);
}
