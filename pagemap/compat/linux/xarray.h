// SPDX-License-Identifier: BSD-2-Clause
/* An array of pointers by index, in a rangemap. Loads take no lock; entries are pointers or values of 63 bits. */
#ifndef PAGEMAP_COMPAT_LINUX_XARRAY_H
#define PAGEMAP_COMPAT_LINUX_XARRAY_H

#include <linux/kernel.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>

struct rangemap;

struct xarray {
    spinlock_t xa_lock;
    struct rangemap *map; /* made with the first entry */
    gfp_t xa_flags;
};

struct xa_limit {
    u32 max, min;
};

#define XA_LIMIT(low, high) ((struct xa_limit){.min = (low), .max = (high)})
#define xa_limit_32b XA_LIMIT(0, UINT32_MAX)
#define xa_limit_31b XA_LIMIT(0, INT32_MAX)
#define XA_FLAGS_ALLOC 1u
#define XA_FLAGS_ALLOC1 2u
#define XA_FLAGS_LOCK_IRQ 4u
#define XARRAY_INIT(name, flags)                                                                             \
    {                                                                                                        \
        __SPIN_LOCK_UNLOCKED(name), NULL, flags                                                              \
    }
#define DEFINE_XARRAY(name) struct xarray name = XARRAY_INIT(name, 0)
#define DEFINE_XARRAY_FLAGS(name, flags) struct xarray name = XARRAY_INIT(name, flags)
#define DEFINE_XARRAY_ALLOC(name) struct xarray name = XARRAY_INIT(name, XA_FLAGS_ALLOC)

void xa_init_flags(struct xarray *xa, gfp_t flags);
void xa_destroy(struct xarray *xa);
void *xa_load(struct xarray *xa, unsigned long index);
/* The entry before, or an error for xa_is_err(): -ENOMEM. NULL erases. */
void *xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t flags);
void *xa_cmpxchg(struct xarray *xa, unsigned long index, void *old, void *entry, gfp_t flags);
/* 0; -EBUSY: there is one already; -ENOMEM. */
int xa_insert(struct xarray *xa, unsigned long index, void *entry, gfp_t flags);
void *xa_store_range(struct xarray *xa, unsigned long first, unsigned long last, void *entry, gfp_t flags);
int xa_alloc(struct xarray *xa, u32 *id, void *entry, struct xa_limit limit, gfp_t flags);
/* The lowest entry in [*index, max], and its index; NULL. */
void *xa_find(struct xarray *xa, unsigned long *index, unsigned long max, unsigned filter);
void *xa_find_after(struct xarray *xa, unsigned long *index, unsigned long max, unsigned filter);

#define XA_PRESENT 8u
#define xa_init(xa) xa_init_flags(xa, 0)

static inline void *xa_erase(struct xarray *xa, unsigned long index)
{
    return xa_store(xa, index, NULL, 0);
}

static inline bool xa_empty(struct xarray *xa)
{
    unsigned long index = 0;

    return xa_find(xa, &index, ~0UL, XA_PRESENT) == NULL;
}

#define xa_for_each_range(xa, index, entry, first, last)                                                     \
    for ((index) = (first), (entry) = xa_find(xa, &(index), last, XA_PRESENT); (entry) != NULL;              \
         (entry) = xa_find_after(xa, &(index), last, XA_PRESENT))
#define xa_for_each_start(xa, index, entry, first) xa_for_each_range(xa, index, entry, first, ~0UL)
#define xa_for_each(xa, index, entry) xa_for_each_start(xa, index, entry, 0)
#define xa_lock(xa) spin_lock(&(xa)->xa_lock)
#define xa_unlock(xa) spin_unlock(&(xa)->xa_lock)
#define xa_lock_irq xa_lock
#define xa_unlock_irq xa_unlock

static inline void *xa_mk_value(unsigned long value)
{
    return (void *)((value << 1) | 1);
}

static inline unsigned long xa_to_value(const void *entry)
{
    return (unsigned long)entry >> 1;
}

static inline bool xa_is_value(const void *entry)
{
    return ((unsigned long)entry & 1) != 0;
}

/* Errors are pointers that no object has: negative, with the last two bits 10. */
static inline void *pm_xa_error(long error)
{
    return (void *)(((unsigned long)error << 2) | 2);
}

static inline bool xa_is_err(const void *entry)
{
    return ((unsigned long)entry & 3) == 2 && (unsigned long)entry >= (unsigned long)pm_xa_error(-MAX_ERRNO);
}

static inline int xa_err(const void *entry)
{
    return xa_is_err(entry) ? (int)((long)entry >> 2) : 0;
}

/* Tags 0, 1 and 3 in the last two bits of a pointer. */
static inline void *xa_tag_pointer(void *pointer, unsigned long tag)
{
    return (void *)((unsigned long)pointer | tag);
}

static inline void *xa_untag_pointer(void *entry)
{
    return (void *)((unsigned long)entry & ~3UL);
}

static inline unsigned xa_pointer_tag(const void *entry)
{
    return (unsigned long)entry & 3;
}

#endif
