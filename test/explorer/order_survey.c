// SPDX-License-Identifier: BSD-2-Clause
/*
 * Which memory orders of the library are missed in weak memory: takes each away in turn, explores all scenarios, and
 * prints the place and the scenario that shows it first; or a dash; or that no scenario comes by. By hand, for
 * test/order/weak.txt:
 *
 *     bazelw run -c opt //test/explorer:order_survey -- --scale=10
 */
#include <inttypes.h>
#include <stdio.h>

#include "test/explorer/explore.h"
#include "test/explorer/scenarios.h"
#include "test/explorer/sites.h"
#include "test/shim/ctest.h"

enum { SCHEDULES = 60, LOOKS = 30 };

static char names[SITES][SITE_NAME];

/* Whether a fault is found in the scenario. */
static bool is_missed(const struct scenario *scenario, enum scenario_light light, uint64_t schedules,
                      struct exploration *exploration)
{
    static struct scenario explored;

    explored = *scenario;
    explored.memory = THREADS_WEAK;
    explored.light = light;
    *exploration = (struct exploration){.bound = 0, .systematic = 10, .random = schedules};
    explore(&explored, exploration);
    return exploration->fault != NULL;
}

static void survey(const char *name)
{
    static struct exploration exploration;
    const struct scenario *scenario;

    (void)sites_weaken(name, true);
    for (unsigned i = 0; (scenario = scenario_at(i)) != NULL; i++) {
        bool is_told = scenario->memory != THREADS_AT_ONCE;

        if (is_missed(scenario, scenario->light, (uint64_t)SCHEDULES * test_scale(), &exploration) ||
            (!is_told &&
             is_missed(scenario, SCENARIO_LIGHT, (uint64_t)SCHEDULES * test_scale(), &exploration))) {
            break;
        }
    }
    (void)sites_weaken(name, false);
    if (scenario != NULL) {
        printf("%s\t%s\t# %" PRIu64 ": %s\n", name, scenario->name, exploration.schedules, exploration.fault);
    } else {
        printf("%s\t-\n", name);
    }
    (void)fflush(stdout);
}

/* Which places the scenarios reach at all. */
static void look_for_all(void)
{
    static struct exploration exploration;
    const struct scenario *scenario;

    for (unsigned i = 0; (scenario = scenario_at(i)) != NULL; i++) {
        (void)is_missed(scenario, scenario->light, LOOKS, &exploration);
        (void)is_missed(scenario, SCENARIO_LIGHT, LOOKS, &exploration);
    }
}

TEST_CASE(order, survey)
{
    unsigned count = sites_list(names);

    sites_forget();
    look_for_all();
    for (unsigned i = 0; i < count; i++) {
        if (sites_is_reached(names[i])) {
            survey(names[i]);
        } else {
            printf("%s\tnot reached\n", names[i]);
        }
    }
}
