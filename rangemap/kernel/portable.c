// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/kernel/instantiate.h"

static bool portable_is_supported(void)
{
    return true;
}

RM_KERNEL(portable, , rm_rank_portable, rm_portable_rank, rm_portable_descend, rm_portable_splice,
          rm_portable_short_update);
