// SPDX-License-Identifier: BSD-2-Clause
/*
 * Worlds that nobody has thought of: two or three threads with calls drawn by seed, near the ends of leaves more often
 * than elsewhere, in maps of one to four levels. Few schedules of each, but all with one preemption, if the world is
 * small. Every other map tracks gaps.
 */
#include <inttypes.h>
#include <string.h>

#include "test/explorer/explore.h"
#include "test/shim/ctest.h"

#if defined(__SANITIZE_ADDRESS__)
enum { WORLDS = 30 };
#elif defined(EXPLORE_WEAK)
enum { WORLDS = 60 };
#else
enum { WORLDS = 400 };
#endif

#if defined(EXPLORE_WEAK)
static const enum threads_memory memory = THREADS_WEAK;
#else
static const enum threads_memory memory = THREADS_AT_ONCE;
#endif

/* The map has a range at every fourth key, and three in a leaf. */
enum { RANGE_KEYS = 4, LEAF_KEYS = 12, VALUES = 4, SYSTEMATIC = 400, RANDOM = 60 };

static struct prng random_numbers;

static uint64_t below(uint64_t bound)
{
    return prng_below(&random_numbers, bound);
}

/* The first keys of leaves and of ranges, and any. */
static uint64_t draw_key(uint64_t keys)
{
    uint64_t key = below(keys);

    switch (below(4)) {
    case 0:
        return key / LEAF_KEYS * LEAF_KEYS;
    case 1:
        return key / RANGE_KEYS * RANGE_KEYS;
    case 2:
        return key / RANGE_KEYS * RANGE_KEYS + 1;
    default:
        return key;
    }
}

static uint64_t draw_last(uint64_t start)
{
    return start + below(below(3) == 0 ? 2 * LEAF_KEYS : RANGE_KEYS);
}

static struct step draw_update(uint64_t keys)
{
    static const enum operation_kind windows[] = {DO_INSERT, DO_STORE,  DO_STORE,   DO_CARVE,
                                                  DO_EVICT,  DO_SPLICE, DO_COALESCE};
    uint64_t start = draw_key(keys), last = draw_last(start), value = 1 + below(VALUES);

    switch (below(8)) {
    case 0:
    case 1:
        return (struct step){.kind = DO_ERASE, .start = start};
    case 2:
        return (struct step){.kind = DO_GAP_ALLOCATE,
                             .last = keys,
                             .value = value,
                             .number = 1 + below(2 * RANGE_KEYS),
                             .downwards = below(2) != 0};
    case 3:
        start -= start % RANGE_KEYS;
        return (struct step){.kind = DO_RESIZE,
                             .start = start,
                             .last = start + 1,
                             .value = start + below(2),
                             .number = start + 1 + below(RANGE_KEYS)};
    case 4:
        return (struct step){.kind = DO_UPDATE,
                             .start = start,
                             .last = last,
                             .value = value,
                             .expected = below(2) != 0 ? HOW_GAPS : 0,
                             .number = below(CHANGE_REFUSE_ODD + 1)};
    default:
        return (struct step){.kind = windows[below(sizeof windows / sizeof windows[0])],
                             .start = start,
                             .last = last,
                             .value = value};
    }
}

static struct step draw_query(uint64_t keys)
{
    static const enum operation_kind kinds[] = {DO_FIND,       DO_NEXT,     DO_PREVIOUS,
                                                DO_IS_COVERED, DO_IS_FREE,  DO_SNAPSHOT,
                                                DO_GAP_FIND,   DO_GAP_FIND, DO_OVERLAP};
    uint64_t start = draw_key(keys);

    return (struct step){.kind = kinds[below(sizeof kinds / sizeof kinds[0])],
                         .start = start,
                         .last = draw_last(start) + LEAF_KEYS,
                         .number = 1 + below(LEAF_KEYS)};
}

static void draw_world(struct scenario *scenario, unsigned number)
{
    static const uint64_t loads[] = {3, 6, 9, 9, 12, 15, 22};
    uint64_t ranges, keys;
    unsigned threads;

    random_numbers = prng_stream(test_seed(), number);
    ranges = loads[below(sizeof loads / sizeof loads[0])];
    keys = ranges * RANGE_KEYS;
    memset(scenario, 0, sizeof *scenario);
    scenario->name = "drawn";
    scenario->memory = memory;
    scenario->light = (memory == THREADS_WEAK && below(2) != 0) ? SCENARIO_LIGHT : SCENARIO_FENCED;
    scenario->gaps = number % 2 != 0;
    scenario->before[0] = (struct step){.kind = DO_LOAD, .value = 100, .number = ranges};
    for (uint64_t i = 0, steps = below(4); i < steps; i++) {
        scenario->before[1 + i] = draw_update(keys);
    }
    threads = 2 + (unsigned)below(2);
    for (unsigned i = 0; i < threads; i++) {
        for (uint64_t j = 0, steps = 1 + below(2); j < steps; j++) {
            scenario->thread[i][j] = below(4) == 0 ? draw_query(keys) : draw_update(keys);
        }
    }
}

/* What the map was made of; the fault's text has what the threads did. */
static void print_before(const struct scenario *scenario)
{
    for (unsigned i = 0; i < WORLD_PRELUDE && scenario->before[i].kind != DO_NOTHING; i++) {
        struct operation operation = world_operation(&scenario->before[i]);

        operation_print(stdout, &operation);
    }
}

/* Of all worlds. Ends at the first fault; false: there is none. */
static bool explore_worlds(unsigned worlds, enum rm_rule broken, struct exploration *exploration)
{
    static struct scenario scenario;
    uint64_t schedules = 0;

    for (unsigned i = 0; i < worlds; i++) {
        draw_world(&scenario, i);
        *exploration =
            (struct exploration){.bound = 1, .systematic = SYSTEMATIC, .random = RANDOM, .broken = broken};
        explore(&scenario, exploration);
        schedules += exploration->schedules;
        if (exploration->fault != NULL) {
            printf("world %u, which tracks %s, of:\n", i, scenario.gaps ? "gaps" : "none");
            print_before(&scenario);
            return true;
        }
    }
    printf("%" PRIu64 " schedules of %u worlds\n", schedules, worlds);
    return false;
}

TEST_CASE(drawn, worlds_that_nobody_has_thought_of)
{
    static struct exploration exploration;
    bool is_wrong = explore_worlds(WORLDS * test_scale(), RM_NO_RULE, &exploration);

    CHECK(!is_wrong, "%s", exploration.text);
}

/* Rules that only count in places of a certain shape are missed, too: the last one in one of ten thousand worlds. */
TEST_CASE(drawn, find_rules_that_are_broken)
{
    static const enum rm_rule rules[] = {RM_G1_ERASE, RM_G1_CARVE, RM_G2_REGION, RM_G1_ERASE_AGAIN};
    static struct exploration exploration;
    unsigned count = test_scale() > 1 ? sizeof rules / sizeof rules[0] : 2;

    for (unsigned i = 0; i < count; i++) {
        CHECK(explore_worlds(100 * WORLDS, rules[i], &exploration), "rule %u", (unsigned)rules[i]);
    }
}
