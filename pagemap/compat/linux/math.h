// SPDX-License-Identifier: BSD-2-Clause
/* Rounding and dividing. */
#ifndef PAGEMAP_COMPAT_LINUX_MATH_H
#define PAGEMAP_COMPAT_LINUX_MATH_H

#include <linux/types.h>

/* round_ for powers of two, round for any number. */
#define __round_mask(x, y) ((__typeof__(x))((y)-1))
#define round_up(x, y) ((((x)-1) | __round_mask(x, y)) + 1)
#define round_down(x, y) ((x) & ~__round_mask(x, y))
#define roundup(x, y) ((((x) + ((y)-1)) / (y)) * (y))
#define rounddown(x, y) ((x) - (x) % (y))
#define DIV_ROUND_UP(n, d) (((n) + (d)-1) / (d))
#define DIV_ROUND_UP_ULL(n, d) DIV_ROUND_UP((u64)(n), d)
#define DIV_ROUND_CLOSEST(n, d) (((n) + (d) / 2) / (d))
#define mult_frac(x, n, d) ((x) / (d) * (n) + (x) % (d) * (n) / (d))

static inline u64 div_u64_rem(u64 dividend, u32 divisor, u32 *remainder)
{
    *remainder = (u32)(dividend % divisor);
    return dividend / divisor;
}

static inline u64 div_u64(u64 dividend, u32 divisor)
{
    return dividend / divisor;
}

static inline u64 div64_u64(u64 dividend, u64 divisor)
{
    return dividend / divisor;
}

#define do_div(n, base)                                                                                      \
    ({                                                                                                       \
        u32 rest_ = (u32)((n) % (base));                                                                     \
        (n) /= (base);                                                                                       \
        rest_;                                                                                               \
    })

#endif
