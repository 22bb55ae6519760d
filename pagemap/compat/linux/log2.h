// SPDX-License-Identifier: BSD-2-Clause
/* Powers of two. */
#ifndef PAGEMAP_COMPAT_LINUX_LOG2_H
#define PAGEMAP_COMPAT_LINUX_LOG2_H

#include <linux/bitops.h>

static inline bool is_power_of_2(unsigned long n)
{
    return n != 0 && (n & (n - 1)) == 0;
}

#define ilog2(n) (fls64(n) - 1)
#define order_base_2(n) ((n) > 1 ? ilog2((n)-1) + 1 : 0)
#define roundup_pow_of_two(n) (1UL << order_base_2(n))
#define rounddown_pow_of_two(n) (1UL << ilog2(n))

#endif
