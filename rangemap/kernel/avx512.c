// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/kernel/instantiate.h"
#include "rangemap/node/vector.h"

#if defined(RM_RANK_AVX512)

static bool avx512_is_supported(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
}

RM_KERNEL_UPDATES(avx512, RM_TARGET_AVX512, rm_rank_avx512, rm_splice_avx512)
RM_KERNEL(avx512, RM_TARGET_AVX512, rm_rank_avx512, avx512_rank, avx512_descend, avx512_splice,
          avx512_short_update);

#else

typedef int rm_kernel_avx512_is_for_another_processor;

#endif
