// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE /* syscall */
#include "rangemap/base/fence.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rangemap/rangemap.h"

rm_word rm_fence_kind;

static bool membarrier_does(int command)
{
#if defined(RANGEMAP_EXPLORER)
    return command != MEMBARRIER_CMD_PRIVATE_EXPEDITED || rm_explorer_membarrier();
#else
    return syscall(SYS_membarrier, command, 0, 0) == 0;
#endif
}

void rm_fence_prepare(void)
{
    bool registered;

    if (rm_load_acquire(&rm_fence_kind) != RM_FENCE_UNKNOWN) {
        return;
    }
    registered = membarrier_does(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
    /* Racing first callers agree on the first answer. */
    (void)rm_cas_full(&rm_fence_kind, RM_FENCE_UNKNOWN,
                      registered ? RM_FENCE_ASYMMETRIC : RM_FENCE_SYMMETRIC);
}

int rangemap_forgo_membarrier(void)
{
    (void)rm_cas_full(&rm_fence_kind, RM_FENCE_UNKNOWN, RM_FENCE_SYMMETRIC);
    return rm_fence_is_asymmetric() ? -EBUSY : 0;
}

bool rm_fence_heavy(void)
{
    if (!rm_fence_is_asymmetric()) {
        return true;
    }
    /* A child that was made without our fork handler may not be registered yet. */
    return membarrier_does(MEMBARRIER_CMD_PRIVATE_EXPEDITED) ||
           (membarrier_does(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) &&
            membarrier_does(MEMBARRIER_CMD_PRIVATE_EXPEDITED));
}
