// SPDX-License-Identifier: BSD-2-Clause
/*
 * Non-blocking, shown: one thread stops for ever at any of its steps, inside an operation of any kind, and all
 * others finish whatever they do. What they answer must be possible whether the operation that never ended took
 * effect or not.
 */
#include <inttypes.h>
#include <stdio.h>

#include "rangemap/base/compiler.h"
#include "test/explorer/explore.h"
#include "test/explorer/scenarios.h"
#include "test/shim/ctest.h"

#if defined(RM_ASAN)
enum { RANDOM = 1 };
#else
enum { RANDOM = 12 };
#endif

/* As in scenarios.c. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

/* clang-format off */
#define LOAD(n) {DO_LOAD, 0, 0, 100, 0, n, false}
#define ALL 0, 60

/* What the thread does that is parked, and to which map. */
static const struct victim {
    const char *name;
    struct step before[8];
    struct step step;
    bool splits;
} victims[] = {
    {"insert into a leaf", {LOAD(2)}, {DO_INSERT, 2, 2, 1}},
    {"insert that splits a leaf", {LOAD(6)}, {DO_INSERT, 2, 2, 1}},
    {"insert under which the root grows", {LOAD(9)}, {DO_INSERT, 2, 2, 1}},
    {"insert over several leaves", {LOAD(12), {DO_ERASE, 20}, {DO_ERASE, 24}}, {DO_INSERT, 18, 26, 1}},
    {"store in a leaf", {LOAD(3)}, {DO_STORE, 4, 5, 1}},
    {"store over two leaves", {LOAD(9)}, {DO_STORE, 3, 14, 1}},
    {"store over two subtrees", {LOAD(12)}, {DO_STORE, 5, 32, 1}},
    {"store that splits values", {{DO_INSERT, 0, 40, 7}, {DO_INSERT, 44, 50, 8}}, {DO_STORE, 10, 46, 1}, .splits = true},
    {"store over everything", {LOAD(12)}, {DO_STORE, ALL, 1}},
    {"carve in a leaf", {LOAD(3)}, {DO_CARVE, 4, 4}},
    {"carve over two subtrees", {LOAD(12)}, {DO_CARVE, 6, 38}},
    {"carve under which the root collapses", {LOAD(12)}, {DO_CARVE, ALL}},
    {"carve where nothing is", {LOAD(12), {DO_CARVE, 8, 35}, {DO_INSERT, 20, 20, 9}, {DO_ERASE, 20}}, {DO_CARVE, 10, 30}},
    {"erase in a leaf", {LOAD(3)}, {DO_ERASE, 4}},
    {"erase under which leaves merge", {LOAD(12), {DO_ERASE, 0}, {DO_ERASE, 4}, {DO_ERASE, 12}}, {DO_ERASE, 8}},
    {"erase under which the root collapses", {LOAD(9), {DO_CARVE, 8, 60}, {DO_ERASE, 0}}, {DO_ERASE, 4}},
    {"erase_exact", {LOAD(9)}, {DO_ERASE_EXACT, 4, 5}},
    {"replace", {LOAD(9)}, {DO_REPLACE, 4, 5, 1, 101}},
    {"coalesce over two leaves", {{DO_INSERT, 0, 3, 7}, {DO_INSERT, 4, 7, 7}, {DO_INSERT, 8, 11, 7}, {DO_INSERT, 12, 15, 7}, {DO_INSERT, 16, 19, 8}, {DO_INSERT, 20, 29, 8}},
     {DO_COALESCE, ALL}},
    {"gap_allocate", {LOAD(9)}, {DO_GAP_ALLOCATE, 0, 21, 1, .number = 2}},
    {"gap_allocate from the top", {LOAD(9)}, {DO_GAP_ALLOCATE, 4, 40, 1, .number = 2, .downwards = true}},
    {"splice in a leaf", {LOAD(2)}, {DO_SPLICE, 2, 5, 1, 0, 1}},
    {"splice that joins", {LOAD(6)}, {DO_SPLICE, 10, 11, 102, HOW_JOIN, 1}},
    {"splice over two subtrees", {LOAD(12)}, {DO_SPLICE, 14, 31, 200, 0, 4}},
    {"splice of everything", {LOAD(12)}, {DO_SPLICE, ALL, 200, 0, 15}},
    {"splice if free", {LOAD(12), {DO_ERASE, 20}, {DO_ERASE, 24}}, {DO_SPLICE, 18, 27, 300, HOW_IF_FREE, 2}},
    {"splice if the same", {LOAD(9)}, {DO_SPLICE, 8, 21, 200, HOW_IF_SAME | 102 * HOW_VALUES, 2}},
    {"update in a leaf", {LOAD(3)}, {DO_UPDATE, 4, 5, 200, 0, CHANGE_SET_ALL}},
    {"update of everything", {LOAD(12)}, {DO_UPDATE, ALL, 200, HOW_GAPS | HOW_JOIN, CHANGE_SET_ODD}},
    {"update that refuses", {LOAD(12)}, {DO_UPDATE, ALL, 200, 0, CHANGE_REFUSE_ODD}},
    {"carve by value", {LOAD(12)}, {DO_CARVE_VALUE, 6, 34, .expected = 106}},
    {"erase by value", {LOAD(9)}, {DO_ERASE_VALUE, 4, 5, .expected = 101}},
    {"evict over two subtrees", {LOAD(12)}, {DO_EVICT, 5, 25}},
    {"resize over two leaves", {LOAD(12), {DO_ERASE, 24}}, {DO_RESIZE, 20, 21, 20, .number = 26}},
    {"load", {{DO_NOTHING}}, LOAD(12)},
    {"poll", {LOAD(9), {DO_CARVE, 4, 13}, {DO_CARVE, 20, 30}}, {DO_POLL}},
    {"trim", {LOAD(9), {DO_CARVE, 4, 13}, {DO_CARVE, 20, 30}}, {DO_TRIM}},
    {"reserve", {LOAD(9)}, {DO_RESERVE, .number = 8}},
    {"snapshot", {LOAD(9)}, {DO_SNAPSHOT, ALL}},
    {"cursor", {LOAD(9)}, {DO_CURSOR, ALL}},
    {"next", {LOAD(9), {DO_CARVE, 8, 30}, {DO_INSERT, 14, 14, 9}}, {DO_NEXT, 5}},
};

/* What the others do: between them, operations of every kind. */
static const struct step others[][2][WORLD_STEPS] = {
    {{{DO_INSERT, 2, 3, 51}, {DO_STORE, 5, 30, 52}, {DO_ERASE, 5}, {DO_FIND, 4}, {DO_POLL}},
     {{DO_LOOKUP, 4}, {DO_INSERT, 34, 34, 53}, {DO_SNAPSHOT_AT, 4, 34}, {DO_GAP_ALLOCATE, 0, 60, 54, .number = 1}}},
    {{{DO_CARVE, ALL}, {DO_INSERT, 10, 20, 61}, {DO_NEXT, 0}, {DO_IS_COVERED, 0, 40}},
     {{DO_REPLACE, 4, 5, 62, 101}, {DO_ERASE_EXACT, 8, 9}, {DO_STORE, ALL, 63}, {DO_FIRST}, {DO_POLL}}},
    {{{DO_SPLICE, 3, 26, 400, 0, 5}, {DO_FIND, 3}, {DO_RESIZE, 3, 4, 2, .number = 4}, {DO_EVICT, 30, 40}},
     {{DO_UPDATE, 10, 50, 420, 0, CHANGE_SET_ODD}, {DO_CARVE_VALUE, ALL, .expected = 401}, {DO_OVERLAP_LAST, ALL}, {DO_POLL}}},
    {{{DO_COALESCE, ALL}, {DO_CARVE, 4, 25}, {DO_PREVIOUS, 60}},
     {{DO_STORE, 0, 9, 71}, {DO_STORE, 10, 19, 71}, {DO_GAP_FIND, 0, 60, .number = 2}, {DO_LOAD, 0, 0, 80, 0, 3}, {DO_POLL}}},
};
/* clang-format on */

static uint64_t parked;

static void park(const struct scenario *scenario, unsigned thread)
{
    static struct exploration exploration;

    exploration = (struct exploration){.random = (uint64_t)RANDOM * test_scale()};
    explore_parked(scenario, &exploration, thread);
    CHECK(exploration.fault == NULL, "%s: %s", scenario->name, exploration.text);
    printf("%-40s %8" PRIu64 " times parked, at %u points\n", scenario->name, exploration.parked,
           exploration.longest);
    parked += exploration.parked;
}

static void park_victim(const struct victim *victim, unsigned script)
{
    static struct scenario scenario;

    /* Histories have one coalesce at most. */
    if (victim->step.kind == DO_COALESCE && others[script][0][0].kind == DO_COALESCE) {
        return;
    }
    scenario = (struct scenario){.name = victim->name, .splits = victim->splits};
    scenario.thread[0][0] = victim->step;
    for (unsigned i = 0; i < 8; i++) {
        scenario.before[i] = victim->before[i];
    }
    for (unsigned i = 0; i < WORLD_STEPS; i++) {
        scenario.thread[1][i] = others[script][0][i];
        scenario.thread[2][i] = others[script][1][i];
    }
    park(&scenario, 0);
}

TEST_CASE(parked, in_every_kind_of_operation)
{
    parked = 0;
    for (unsigned i = 0; i < sizeof victims / sizeof victims[0]; i++) {
        for (unsigned script = 0; script < sizeof others / sizeof others[0]; script++) {
            park_victim(&victims[i], script);
        }
    }
    printf("%" PRIu64 " times parked\n", parked);
}

/* And every thread of the scenarios that are explored otherwise. */
TEST_CASE(parked, in_every_scenario)
{
    const struct scenario *scenario;

    parked = 0;
    for (unsigned i = 0; (scenario = scenario_at(i)) != NULL; i++) {
        for (unsigned thread = 0; thread < WORLD_THREADS; thread++) {
            if (scenario->thread[thread][0].kind != DO_NOTHING) {
                park(scenario, thread);
            }
        }
    }
    printf("%" PRIu64 " times parked\n", parked);
}

/* Were updates to wait for the thread that froze a node, they would wait for ever. */
TEST_CASE(parked, waiting_would_be_noticed)
{
    static struct exploration exploration;
    const struct scenario *scenario = scenario_find("store_and_leaf_updates");
    const char *fault;

    exploration = (struct exploration){.random = RANDOM, .broken = RM_R1_WAITS_NOT};
    explore_parked(scenario, &exploration, 0);
    REQUIRE(exploration.fault != NULL, "nothing noticed");
    printf("%s\n", exploration.text);
    fault = explore_replay(scenario, exploration.schedule, RM_R1_WAITS_NOT);
    REQUIRE(fault != NULL, "the replay shows nothing");
    CHECK_STR_EQ(fault, exploration.fault);
    fault = explore_replay(scenario, exploration.schedule, RM_NO_RULE);
    CHECK(fault == NULL, "the rule is kept: %s", fault);
}
