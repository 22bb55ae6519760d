// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE /* CLOCK_MONOTONIC_COARSE */
#include "rangemap/base/clock.h"

#include <time.h>

uint64_t rm_coarse_ns(void)
{
#if defined(RANGEMAP_EXPLORER)
    return rm_explorer_tick();
#else
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
#endif
}
