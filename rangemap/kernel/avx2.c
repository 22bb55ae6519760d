// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/kernel/instantiate.h"
#include "rangemap/node/vector.h"

#if defined(RM_RANK_AVX2)

static bool avx2_is_supported(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") &&
           __builtin_cpu_supports("popcnt");
}

RM_KERNEL_UPDATES(avx2, RM_TARGET_AVX2, rm_rank_avx2, rm_splice_roundly)
RM_KERNEL(avx2, RM_TARGET_AVX2, rm_rank_avx2, avx2_rank, avx2_descend, avx2_splice, avx2_short_update);

#else

typedef int rm_kernel_avx2_is_for_another_processor;

#endif
