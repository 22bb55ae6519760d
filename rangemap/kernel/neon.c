// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/kernel/instantiate.h"
#include "rangemap/node/vector.h"

#if defined(RM_RANK_NEON)

static bool neon_is_supported(void)
{
    return true;
}

RM_KERNEL_UPDATES(neon, RM_TARGET_NEON, rm_rank_neon, rm_splice_exactly)
RM_KERNEL(neon, RM_TARGET_NEON, rm_rank_neon, neon_rank, neon_descend, neon_splice, neon_short_update);

#else

typedef int rm_kernel_neon_is_for_another_processor;

#endif
