// SPDX-License-Identifier: BSD-2-Clause
/*
 * xarray.h in a rangemap, and ida in a map of bits. A rangemap cannot hold NULL apart from nothing, nor need it here.
 */
#include <linux/bitmap.h>
#include <linux/idr.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "rangemap/rangemap.h"

void xa_init_flags(struct xarray *xa, gfp_t flags)
{
    spin_lock_init(&xa->xa_lock);
    xa->map = NULL;
    xa->xa_flags = flags;
}

static struct rangemap *map_of(struct xarray *xa)
{
    return __atomic_load_n(&xa->map, __ATOMIC_ACQUIRE);
}

/* pre: locked. */
static int need_map(struct xarray *xa)
{
    struct rangemap_options options = {.domain = NULL};
    struct rangemap *made;
    int error = xa->map != NULL ? 0 : rangemap_create(&options, &made);

    if (error == 0 && xa->map == NULL) {
        __atomic_store_n(&xa->map, made, __ATOMIC_RELEASE);
    }
    return error;
}

void xa_destroy(struct xarray *xa)
{
    struct rangemap *map = map_of(xa);

    if (map != NULL) {
        __atomic_store_n(&xa->map, NULL, __ATOMIC_RELEASE);
        (void)rangemap_destroy(map);
    }
}

void *xa_load(struct xarray *xa, unsigned long index)
{
    struct rangemap *map = map_of(xa);
    void *entry = NULL;

    return map != NULL && rangemap_lookup(map, index, &entry) == 0 ? entry : NULL;
}

/* pre: locked. */
static int put(struct xarray *xa, unsigned long first, unsigned long last, void *entry)
{
    if (entry == NULL) {
        return xa->map == NULL ? 0 : rangemap_carve(xa->map, first, last, NULL, NULL);
    }
    return need_map(xa) != 0 ? -ENOMEM : rangemap_store(xa->map, first, last, entry, NULL, NULL);
}

void *xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t flags)
{
    void *before;
    int error;

    (void)flags;
    spin_lock(&xa->xa_lock);
    before = xa_load(xa, index);
    error = put(xa, index, index, entry);
    spin_unlock(&xa->xa_lock);
    return error != 0 ? pm_xa_error(error) : before;
}

void *xa_cmpxchg(struct xarray *xa, unsigned long index, void *old, void *entry, gfp_t flags)
{
    void *before;
    int error = 0;

    (void)flags;
    spin_lock(&xa->xa_lock);
    before = xa_load(xa, index);
    if (before == old) {
        error = put(xa, index, index, entry);
    }
    spin_unlock(&xa->xa_lock);
    return error != 0 ? pm_xa_error(error) : before;
}

int xa_insert(struct xarray *xa, unsigned long index, void *entry, gfp_t flags)
{
    void *before = xa_cmpxchg(xa, index, NULL, entry, flags);

    return xa_is_err(before) ? xa_err(before) : before != NULL ? -EBUSY : 0;
}

void *xa_store_range(struct xarray *xa, unsigned long first, unsigned long last, void *entry, gfp_t flags)
{
    int error;

    (void)flags;
    if (last < first) {
        return pm_xa_error(-EINVAL);
    }
    spin_lock(&xa->xa_lock);
    error = put(xa, first, last, entry);
    spin_unlock(&xa->xa_lock);
    return error != 0 ? pm_xa_error(error) : NULL;
}

int xa_alloc(struct xarray *xa, u32 *id, void *entry, struct xa_limit limit, gfp_t flags)
{
    int error = -EBUSY;

    (void)flags;
    spin_lock(&xa->xa_lock);
    for (u64 at = limit.min; at <= limit.max && error == -EBUSY; at++) {
        if (xa_load(xa, at) == NULL) {
            error = put(xa, at, at, entry);
            *id = (u32)at;
        }
    }
    spin_unlock(&xa->xa_lock);
    return error;
}

void *xa_find(struct xarray *xa, unsigned long *index, unsigned long max, unsigned filter)
{
    struct rangemap *map = map_of(xa);
    struct rangemap_entry entry;

    (void)filter;
    if (map == NULL || *index > max || rangemap_overlap(map, *index, max, &entry) != 0) {
        return NULL;
    }
    *index = entry.start > *index ? entry.start : *index;
    return entry.value;
}

void *xa_find_after(struct xarray *xa, unsigned long *index, unsigned long max, unsigned filter)
{
    unsigned long next = *index + 1;
    void *entry = next == 0 ? NULL : xa_find(xa, &next, max, filter);

    if (entry != NULL) {
        *index = next;
    }
    return entry;
}

/* ---- ida ---- */

enum { IDA_STEP = 1024 };

void ida_init(struct ida *ida)
{
    spin_lock_init(&ida->lock);
    ida->bits = NULL;
    ida->nr_bits = 0;
}

void ida_destroy(struct ida *ida)
{
    kfree(ida->bits);
    ida->bits = NULL;
    ida->nr_bits = 0;
}

/* pre: locked. */
static int grow(struct ida *ida, unsigned nr_bits)
{
    unsigned long *bits;

    nr_bits = round_up(nr_bits, IDA_STEP);
    bits = krealloc(ida->bits, nr_bits / 8, GFP_KERNEL);
    if (bits == NULL) {
        return -ENOMEM;
    }
    bitmap_zero(bits + ida->nr_bits / BITS_PER_LONG, nr_bits - ida->nr_bits);
    ida->bits = bits;
    ida->nr_bits = nr_bits;
    return 0;
}

int ida_alloc_range(struct ida *ida, unsigned min, unsigned max, gfp_t flags)
{
    unsigned id;
    int error = 0;

    (void)flags;
    spin_lock(&ida->lock);
    id = ida->bits == NULL || min >= ida->nr_bits
             ? min
             : (unsigned)find_next_zero_bit(ida->bits, ida->nr_bits, min);
    if (id > max || id >= 1u << 20) {
        error = -ENOSPC;
    } else if (id >= ida->nr_bits) {
        error = grow(ida, id + 1);
    }
    if (error == 0) {
        set_bit(id, ida->bits);
    }
    spin_unlock(&ida->lock);
    return error != 0 ? error : (int)id;
}

void ida_free(struct ida *ida, unsigned id)
{
    spin_lock(&ida->lock);
    WARN_ON(id >= ida->nr_bits || !test_and_clear_bit(id, ida->bits));
    /* As in the kernel, an empty one needs no ida_destroy(). */
    if (ida_is_empty(ida)) {
        ida_destroy(ida);
    }
    spin_unlock(&ida->lock);
}
