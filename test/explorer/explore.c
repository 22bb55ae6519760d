// SPDX-License-Identifier: BSD-2-Clause
#include "test/explorer/explore.h"

#include <inttypes.h>
#include <string.h>

#include "rangemap/base/compiler.h"
#include "test/shim/ctest.h"

/* The same scenarios again, with store buffers and light sections. */
#if !defined(EXPLORE_BUFFERS)
#define EXPLORE_BUFFERS 0
#endif

/* And again, in maps that track gaps. */
#if !defined(EXPLORE_GAPS)
#define EXPLORE_GAPS 0
#endif

/* And again, in weak memory, with light sections and without. */
#if !defined(EXPLORE_WEAK)
#define EXPLORE_WEAK 0
#endif

/*
 * What explores the scenarios once more, in another build, makes do with a part of the schedules; its long variant
 * does not.
 */
#if !defined(EXPLORE_PART)
#define EXPLORE_PART 1
#endif

/* AddressSanitizer is slow, and what it could find takes no million schedules. Weak memory is four times as slow. */
#if defined(RM_ASAN)
enum { BOUND = 2, SYSTEMATIC = 500, RANDOM = 500 };
#elif EXPLORE_WEAK
enum { BOUND = 2, SYSTEMATIC = 100, RANDOM = 900 };
#else
enum { BOUND = 3, SYSTEMATIC = 10000 / EXPLORE_PART, RANDOM = 15000 / EXPLORE_PART };
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
        schedule.newest = 1U << prng_below(&schedule.prng, 5);
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
        schedule.newest = 1U << prng_below(&schedule.prng, 5);
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

static void explore_in(const struct scenario *scenario, enum threads_memory memory, enum scenario_light light)
{
    static struct exploration exploration;
    static struct scenario explored;

    explored = *scenario;
    explored.memory = memory;
    explored.light = light;
    explored.gaps = explored.gaps || EXPLORE_GAPS;
    exploration = (struct exploration){.bound = BOUND,
                                       .systematic = (uint64_t)SYSTEMATIC * test_scale(),
                                       .random = (uint64_t)RANDOM * test_scale()};
    explore(&explored, &exploration);
    printf("%-40s %9" PRIu64 " schedules, complete up to %d preemptions, at most %u points\n", scenario->name,
           exploration.schedules, (int)exploration.complete - 1, exploration.longest);
    CHECK(exploration.fault == NULL, "%s: %s", scenario->name, exploration.text);
}

/* The very same schedules are explored by explorer_test. */
static bool is_repeated(const struct scenario *scenario)
{
    return (EXPLORE_BUFFERS && scenario->memory != THREADS_AT_ONCE) || (EXPLORE_GAPS && scenario->gaps);
}

/* What says nothing of memory itself is explored in that of this build. */
void explore_test(const struct scenario *scenario)
{
    enum threads_memory memory = EXPLORE_WEAK      ? THREADS_WEAK
                                 : EXPLORE_BUFFERS ? THREADS_BUFFERS
                                                   : scenario->memory;
    bool is_told = scenario->memory != THREADS_AT_ONCE;

    if (is_repeated(scenario)) {
        printf("%-40s in explorer_test\n", scenario->name);
        return;
    }
    if (is_told || memory != THREADS_BUFFERS) {
        explore_in(scenario, memory, scenario->light);
    }
    if (!is_told && memory != THREADS_AT_ONCE) {
        explore_in(scenario, memory, SCENARIO_LIGHT);
    }
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
