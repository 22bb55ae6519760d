// SPDX-License-Identifier: BSD-2-Clause
/* Smaller and larger; each argument is evaluated once. */
#ifndef PAGEMAP_COMPAT_LINUX_MINMAX_H
#define PAGEMAP_COMPAT_LINUX_MINMAX_H

#include <linux/types.h>

#define PM_OF_TWO(type_a, a, type_b, b, is)                                                                  \
    ({                                                                                                       \
        type_a a_ = (a);                                                                                     \
        type_b b_ = (b);                                                                                     \
        a_ is b_ ? a_ : b_;                                                                                  \
    })
#undef min
#undef max
#define min(a, b) PM_OF_TWO(__typeof__(a), a, __typeof__(b), b, <)
#define max(a, b) PM_OF_TWO(__typeof__(a), a, __typeof__(b), b, >)
#define min_t(type, a, b) PM_OF_TWO(type, a, type, b, <)
#define max_t(type, a, b) PM_OF_TWO(type, a, type, b, >)
#define min3(a, b, c) min(min(a, b), c)
#define max3(a, b, c) max(max(a, b), c)
#define clamp(value, low, high) min(max(value, low), high)
#define clamp_t(type, value, low, high) min_t(type, max_t(type, value, low), high)
#define clamp_val(value, low, high) clamp_t(__typeof__(value), value, low, high)
#define min_not_zero(a, b)                                                                                   \
    ({                                                                                                       \
        __typeof__(a) x_ = (a);                                                                              \
        __typeof__(b) y_ = (b);                                                                              \
        x_ == 0 ? y_ : y_ == 0 ? x_ : min(x_, y_);                                                           \
    })
#define swap(a, b)                                                                                           \
    do {                                                                                                     \
        __typeof__(a) swap_ = (a);                                                                           \
        (a) = (b);                                                                                           \
        (b) = swap_;                                                                                         \
    } while (0)

#endif
