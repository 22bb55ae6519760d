// SPDX-License-Identifier: BSD-2-Clause
#include "test/explorer/explore.h"

#include <inttypes.h>
#include <string.h>

#include "rangemap/base/compiler.h"
#include "test/shim/ctest.h"

/* AddressSanitizer is slow, and what it could find takes no million schedules. */
#if defined(RM_ASAN)
enum { BOUND = 2, SYSTEMATIC = 500, RANDOM = 500 };
#else
enum { BOUND = 3, SYSTEMATIC = 10000, RANDOM = 15000 };
#endif

/* The same scenarios again, with store buffers and light sections. */
#if !defined(EXPLORE_BUFFERS)
#define EXPLORE_BUFFERS 0
#endif

static struct schedule schedule;

static bool run(struct exploration *exploration)
{
    exploration->schedules++;
    exploration->fault = world_run(&schedule, exploration->broken);
    exploration->parked += schedule_has_parked(&schedule);
    return exploration->fault == NULL;
}

/* Every schedule of at most `bound` preemptions, up to the limit. False: a fault. */
static bool explore_bound(struct exploration *exploration, unsigned bound)
{
    bool more = true;

    schedule.policy = SCHEDULE_SYSTEMATIC;
    schedule.bound = bound;
    schedule.given = 0;
    for (uint64_t i = 0; more && i < exploration->systematic; i++) {
        if (!run(exploration)) {
            return false;
        }
        more = schedule_advance(&schedule);
    }
    if (!more && exploration->complete == bound) {
        exploration->complete = bound + 1;
    }
    return true;
}

static bool explore_random(struct exploration *exploration)
{
    schedule.policy = SCHEDULE_RANDOM;
    for (uint64_t i = 0; i < exploration->random; i++) {
        schedule.prng = prng_stream(test_seed(), i);
        schedule.spacing = 2U << prng_below(&schedule.prng, 6);
        if (!run(exploration)) {
            return false;
        }
    }
    return true;
}

static void describe(struct exploration *exploration)
{
    FILE *out = fmemopen(exploration->text, sizeof exploration->text - 1, "w");

    (void)snprintf(exploration->schedule, sizeof exploration->schedule, "%s", schedule_text(&schedule));
    if (out != NULL) {
        (void)fprintf(out, "%s\n  schedule: %s\n", exploration->fault, exploration->schedule);
        world_print(out);
        (void)fclose(out);
    }
}

static void begin(const struct scenario *scenario, struct exploration *exploration)
{
    world_create(scenario);
    schedule.park.at = 0;
    exploration->schedules = 0;
    exploration->parked = 0;
    exploration->complete = 0;
    exploration->fault = NULL;
    memset(exploration->text, 0, sizeof exploration->text);
}

void explore(const struct scenario *scenario, struct exploration *exploration)
{
    bool good = true;

    begin(scenario, exploration);
    for (unsigned bound = 0; good && bound <= exploration->bound; bound++) {
        good = explore_bound(exploration, bound);
    }
    if (!good || !explore_random(exploration)) {
        describe(exploration);
    }
    exploration->longest = world_longest();
    world_destroy();
}

/* Alone up to where it is parked. Then the others, one after the other. */
static bool park_first(struct exploration *exploration)
{
    schedule.policy = SCHEDULE_REPLAY;
    schedule.switches = 1;
    schedule.at[0] = (struct schedule_switch){0, schedule.park.thread};
    return run(exploration);
}

static bool park_at(struct exploration *exploration, unsigned point)
{
    bool good;

    schedule.park.at = point;
    good = park_first(exploration);
    for (uint64_t i = 0; good && i < exploration->random; i++) {
        schedule.policy = SCHEDULE_RANDOM;
        schedule.prng = prng_stream(test_seed(), point * exploration->random + i);
        schedule.spacing = 2U << prng_below(&schedule.prng, 8);
        good = run(exploration);
    }
    return good;
}

void explore_parked(const struct scenario *scenario, struct exploration *exploration, unsigned thread)
{
    uint64_t before;
    unsigned point = 1;
    bool good;

    begin(scenario, exploration);
    schedule.park.thread = thread;
    do {
        before = exploration->parked;
        good = park_at(exploration, point++);
    } while (good && exploration->parked != before);
    if (!good) {
        describe(exploration);
    }
    exploration->longest = point - 2;
    world_destroy();
}

void explore_test(const struct scenario *scenario)
{
    static struct exploration exploration;
    static struct scenario explored;

    explored = *scenario;
    if (EXPLORE_BUFFERS && !explored.buffers) {
        explored.buffers = true;
        explored.light = SCENARIO_LIGHT;
    }
    exploration = (struct exploration){.bound = BOUND,
                                       .systematic = (uint64_t)SYSTEMATIC * test_scale(),
                                       .random = (uint64_t)RANDOM * test_scale()};
    explore(&explored, &exploration);
    printf("%-40s %9" PRIu64 " schedules, complete up to %d preemptions, at most %u points\n", scenario->name,
           exploration.schedules, (int)exploration.complete - 1, exploration.longest);
    CHECK(exploration.fault == NULL, "%s: %s", scenario->name, exploration.text);
}

const char *explore_replay(const struct scenario *scenario, const char *text, enum rm_rule broken)
{
    const char *fault;

    REQUIRE(schedule_parse(&schedule, text), "%s", text);
    world_create(scenario);
    fault = world_run(&schedule, broken);
    world_destroy();
    return fault;
}

unsigned explore_adversary(const struct scenario *scenario, enum rm_rule broken, const char **fault)
{
    schedule.policy = SCHEDULE_ADVERSARY;
    schedule.park.at = 0;
    world_create(scenario);
    *fault = world_run(&schedule, broken);
    world_destroy();
    return schedule.attempts_max;
}
