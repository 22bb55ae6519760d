// SPDX-License-Identifier: BSD-2-Clause
/* Small numbers: the lowest free one. */
#ifndef PAGEMAP_COMPAT_LINUX_IDR_H
#define PAGEMAP_COMPAT_LINUX_IDR_H

#include <linux/spinlock.h>
#include <linux/xarray.h>

struct ida {
    spinlock_t lock;
    unsigned long *bits;
    unsigned nr_bits;
};

#define IDA_INIT(name)                                                                                       \
    {                                                                                                        \
        __SPIN_LOCK_UNLOCKED(name), NULL, 0                                                                  \
    }
#define DEFINE_IDA(name) struct ida name = IDA_INIT(name)

void ida_init(struct ida *ida);
void ida_destroy(struct ida *ida);
/* The lowest free number in [min, max], both below 2^20 here; -ENOSPC, -ENOMEM. */
int ida_alloc_range(struct ida *ida, unsigned min, unsigned max, gfp_t flags);
void ida_free(struct ida *ida, unsigned id);

#define ida_alloc(ida, flags) ida_alloc_range(ida, 0, (1u << 20) - 1, flags)
#define ida_alloc_min(ida, min, flags) ida_alloc_range(ida, min, (1u << 20) - 1, flags)
#define ida_alloc_max(ida, max, flags) ida_alloc_range(ida, 0, max, flags)
#define ida_simple_get(ida, start, end, flags)                                                               \
    ida_alloc_range(ida, start, (end) == 0 ? (1u << 20) - 1 : (end)-1, flags)
#define ida_simple_remove(ida, id) ida_free(ida, id)

static inline bool ida_is_empty(struct ida *ida)
{
    return ida->bits == NULL || find_first_bit(ida->bits, ida->nr_bits) >= ida->nr_bits;
}

#endif
