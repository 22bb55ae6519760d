// SPDX-License-Identifier: BSD-2-Clause
/* An object with a count of references. */
#ifndef PAGEMAP_COMPAT_LINUX_KREF_H
#define PAGEMAP_COMPAT_LINUX_KREF_H

#include <linux/refcount.h>

struct kref {
    refcount_t refcount;
};

#define KREF_INIT(n)                                                                                         \
    {                                                                                                        \
        .refcount = REFCOUNT_INIT(n)                                                                         \
    }

static inline void kref_init(struct kref *kref)
{
    refcount_set(&kref->refcount, 1);
}

static inline unsigned kref_read(const struct kref *kref)
{
    return refcount_read(&kref->refcount);
}

static inline void kref_get(struct kref *kref)
{
    refcount_inc(&kref->refcount);
}

static inline int kref_get_unless_zero(struct kref *kref)
{
    return refcount_inc_not_zero(&kref->refcount);
}

/* The last put calls release(kref); 1 then. */
static inline int kref_put(struct kref *kref, void (*release)(struct kref *kref))
{
    bool last = refcount_dec_and_test(&kref->refcount);

    if (last) {
        release(kref);
    }
    return last;
}

#endif
