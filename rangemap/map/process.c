// SPDX-License-Identifier: BSD-2-Clause
/* The public functions that concern the whole process. */
#include <errno.h>

#include "rangemap/base/fence.h"
#include "rangemap/base/system.h"
#include "rangemap/epoch/fork.h"
#include "rangemap/epoch/unload.h"
#include "rangemap/kernel/kernel.h"
#include "rangemap/rangemap.h"

void rangemap_after_fork_in_child(void)
{
    if (rm_process_is_copy()) {
        rm_fork_child();
    }
}

int rangemap_unload(bool others_are_done)
{
    return rm_unload(others_are_done);
}

int rangemap_forgo_membarrier(void)
{
    return rm_fence_forgo() ? 0 : -EBUSY;
}

const char *rangemap_kernel(void)
{
    return __atomic_load_n(&rm_kernel_selected, __ATOMIC_RELAXED)->name;
}

int rangemap_select_kernel(const char *name)
{
    return name == NULL ? -EINVAL : rm_kernel_select(name);
}
