// SPDX-License-Identifier: BSD-2-Clause
/* What long runs in weak memory have found: the schedules, which lead to no fault any more. */
#include <stdbool.h>

#include "test/explorer/explore.h"
#include "test/explorer/scenarios.h"
#include "test/shim/ctest.h"

/* With fence-free sections and without: which of both it was is not in the schedule. */
static void replay(const char *name, const char *schedule)
{
    for (unsigned light = 0; light < 2; light++) {
        struct scenario scenario = scenario_in_weak_memory(name, light != 0);
        const char *fault = explore_replay(&scenario, schedule, RM_NO_RULE);

        CHECK(fault == NULL, "%s, %s: %s", name, light != 0 ? "fence-free" : "fenced", fault);
    }
}

TEST_CASE(weak_found, leaves_merge)
{
    replay("leaves_merge", "0>2 1>1 2>0 7>1 46>0 51>2 54>0 76>1 1=1 89>2 3=1 99>0 5=1");
}

TEST_CASE(weak_found, inner_nodes_merge)
{
    replay(
        "inner_nodes_merge",
        "0>0 3>2 5>0 6>1 24>0 40>2 42>0 68>1 87>0 91>2 98>0 112>1 115>0 117>1 118>0 128>1 130>2 132>0 133>1 "
        "136>0 139>1 141>0 143>2 146>0 148>1 156>2 6=1");
}
