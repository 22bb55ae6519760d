// SPDX-License-Identifier: BSD-2-Clause
/*
 * That weak memory would notice: each memory order of test/order/weak.txt is taken away, and a fault must be found in
 * the scenario named there. Replayed with the order in its place, the same schedule must lead to none.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "test/explorer/explore.h"
#include "test/explorer/scenarios.h"
#include "test/explorer/sites.h"
#include "test/shim/ctest.h"

enum { SCHEDULES = 20000, LINE = 512 };

/* Several places, with a plus in between: where one of them does what the other is for, too. */
static void weaken_all(const char *places, bool is_weak)
{
    char copy[LINE], *name, *rest = copy;

    (void)snprintf(copy, sizeof copy, "%s", places);
    while ((name = strsep(&rest, "+")) != NULL) {
        REQUIRE(sites_weaken(name, is_weak), "no such place: %s", name);
    }
}

/* Some are missed with light sections only, some without. */
static void must_be_missed(const char *site, const char *scenario_name)
{
    static struct exploration exploration;
    static struct scenario scenario;
    const char *fault;

    for (unsigned light = 0; light < 2; light++) {
        scenario = scenario_in_weak_memory(scenario_name, light != 0);
        exploration = (struct exploration){.systematic = 100, .random = SCHEDULES};
        weaken_all(site, true);
        explore(&scenario, &exploration);
        weaken_all(site, false);
        if (exploration.fault != NULL) {
            printf("%s, %s, schedule %" PRIu64 ": %s\n", site, scenario_name, exploration.schedules,
                   exploration.fault);
            fault = explore_replay(&scenario, exploration.schedule, RM_NO_RULE);
            CHECK(fault == NULL, "%s is in its place: %s", site, fault);
            return;
        }
    }
    CHECK(false, "%s is weak, and %s shows nothing", site, scenario_name);
}

TEST_CASE(weak_order, each_is_missed)
{
    FILE *list = fopen("test/order/weak.txt", "r");
    char line[LINE];
    unsigned count = 0;

    REQUIRE(list != NULL);
    while (fgets(line, sizeof line, list) != NULL) {
        char *scenario = strchr(line, '\t');

        if (line[0] != '#' && scenario != NULL) {
            *scenario++ = '\0';
            scenario[strcspn(scenario, "\t\n")] = '\0';
            must_be_missed(line, scenario);
            count++;
        }
    }
    (void)fclose(list);
    CHECK_GT(count, 0U);
    printf("%u places\n", count);
}
