// SPDX-License-Identifier: BSD-2-Clause
/* Arrays of bits. */
#ifndef PAGEMAP_COMPAT_LINUX_BITMAP_H
#define PAGEMAP_COMPAT_LINUX_BITMAP_H

#include <linux/bitops.h>
#include <linux/slab.h>
#include <linux/string.h>

static inline void bitmap_zero(unsigned long *map, unsigned bits)
{
    memset(map, 0, BITS_TO_LONGS(bits) * sizeof *map);
}

static inline void bitmap_fill(unsigned long *map, unsigned bits)
{
    memset(map, 0xff, BITS_TO_LONGS(bits) * sizeof *map);
}

static inline void bitmap_set(unsigned long *map, unsigned start, unsigned bits)
{
    for (unsigned bit = start; bit < start + bits; bit++) {
        set_bit(bit, map);
    }
}

static inline void bitmap_clear(unsigned long *map, unsigned start, unsigned bits)
{
    for (unsigned bit = start; bit < start + bits; bit++) {
        clear_bit(bit, map);
    }
}

static inline unsigned long *bitmap_zalloc(unsigned bits, gfp_t flags)
{
    return kcalloc(BITS_TO_LONGS(bits), sizeof(unsigned long), flags);
}

static inline void bitmap_free(unsigned long *map)
{
    kfree(map);
}

/*
 * The first of `count` clear bits in a row at a multiple of mask + 1, from `start` on; beyond `bits` if there are
 * none.
 */
unsigned long bitmap_find_next_zero_area(unsigned long *map, unsigned long bits, unsigned long start,
                                         unsigned count, unsigned long mask);

#define bitmap_empty(map, bits) (find_first_bit(map, bits) >= (bits))
#define bitmap_full(map, bits) (find_first_zero_bit(map, bits) >= (bits))

#endif
