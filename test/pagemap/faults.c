// SPDX-License-Identifier: BSD-2-Clause
#include "test/pagemap/faults.h"

#include "pagemap/base/fault.h"

static _Thread_local unsigned steps_to_go;

unsigned pm_fault_arm(unsigned steps)
{
    unsigned before = steps_to_go;

    steps_to_go = steps;
    return before;
}

bool pm_fault_here(void)
{
    return PM_UNLIKELY(steps_to_go > 0) && --steps_to_go == 0;
}
