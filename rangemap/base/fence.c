// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/base/fence.h"

#include <errno.h>

#include "rangemap/base/system.h"

/*
 * membarrier(2)'s commands, numbers of the kernel's ABI. Their header belongs to the kernel: musl's compilers do not
 * find it, and that of an old distribution may lack them.
 */
enum {
    MEMBARRIER_CMD_PRIVATE_EXPEDITED = 1 << 3,
    MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED = 1 << 4,
};

/*
 * Relaxed everywhere: the word alone is looked at, and no other access depends on when it changed. That the process
 * is registered is the kernel's own state, which membarrier(2) looks at itself; a thread that reads ASYMMETRIC late
 * asks in vain, and one that reads it after it was refused is light once more, which pollers find out like any other.
 */
rm_word rm_fence_kind;

/* 0 or a negative errno. */
static int membarrier(int command)
{
#if defined(RANGEMAP_EXPLORER)
    return command != MEMBARRIER_CMD_PRIVATE_EXPEDITED || rm_explorer_membarrier() ? 0 : -EPERM;
#else
    return rm_membarrier(command);
#endif
}

void rm_fence_prepare(void)
{
    bool registered;

    if (rm_load_relaxed(&rm_fence_kind) != RM_FENCE_UNKNOWN) {
        return;
    }
    registered = membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0;
    /* Racing first callers agree on the first answer. */
    (void)rm_cas_relaxed(&rm_fence_kind, RM_FENCE_UNKNOWN,
                         registered ? RM_FENCE_ASYMMETRIC : RM_FENCE_SYMMETRIC);
}

bool rm_fence_forgo(void)
{
    (void)rm_cas_relaxed(&rm_fence_kind, RM_FENCE_UNKNOWN, RM_FENCE_SYMMETRIC);
    return !rm_fence_is_asymmetric();
}

bool rm_fence_heavy(void)
{
    int result;
    uint64_t kind = rm_load_relaxed(&rm_fence_kind);

    if (kind != RM_FENCE_ASYMMETRIC) {
        return kind == RM_FENCE_SYMMETRIC;
    }
    result = membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
    if (result == -EPERM && membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0) {
        /* A child that was made without our fork handler was not registered yet. */
        result = membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
    }
    if (result != 0 && result != -ENOMEM) {
        (void)rm_cas_relaxed(&rm_fence_kind, RM_FENCE_ASYMMETRIC, RM_FENCE_REFUSED);
    }
    return result == 0;
}
