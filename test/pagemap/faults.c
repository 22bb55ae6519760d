// SPDX-License-Identifier: BSD-2-Clause
#include "test/pagemap/faults.h"

#include "pagemap/base/fault.h"

static _Thread_local unsigned steps_to_go;
static _Thread_local bool all_fail, has_failed;

unsigned pm_fault_arm(unsigned steps)
{
    unsigned before = has_failed ? 0 : steps_to_go;

    steps_to_go = steps;
    all_fail = has_failed = false;
    return before;
}

void pm_fault_arm_from(unsigned steps)
{
    (void)pm_fault_arm(steps);
    all_fail = true;
}

bool pm_fault_here(void)
{
    if (PM_LIKELY(steps_to_go == 0)) {
        return false;
    }
    has_failed = --steps_to_go == 0;
    steps_to_go += has_failed && all_fail;
    return has_failed;
}
