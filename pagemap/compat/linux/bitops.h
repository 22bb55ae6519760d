// SPDX-License-Identifier: BSD-2-Clause
/* Bits of words, of arrays of unsigned long, and how many there are. */
#ifndef PAGEMAP_COMPAT_LINUX_BITOPS_H
#define PAGEMAP_COMPAT_LINUX_BITOPS_H

#include <linux/bits.h>
#include <linux/types.h>

#define BITS_PER_TYPE(type) (sizeof(type) * 8)
#define BITS_TO_LONGS(bits) (((bits) + BITS_PER_LONG - 1) / BITS_PER_LONG)
#define DECLARE_BITMAP(name, bits) unsigned long name[BITS_TO_LONGS(bits)]

#define PM_BIT_WORD(nr, address) ((unsigned long *)(uintptr_t)(address) + (unsigned long)(nr) / BITS_PER_LONG)
#define PM_BIT_MASK(nr) (1UL << ((unsigned long)(nr) % BITS_PER_LONG))

static inline bool test_bit(long nr, const volatile void *address)
{
    return (__atomic_load_n(PM_BIT_WORD(nr, address), __ATOMIC_ACQUIRE) & PM_BIT_MASK(nr)) != 0;
}

static inline void set_bit(long nr, volatile void *address)
{
    (void)__atomic_fetch_or(PM_BIT_WORD(nr, address), PM_BIT_MASK(nr), __ATOMIC_SEQ_CST);
}

static inline void clear_bit(long nr, volatile void *address)
{
    (void)__atomic_fetch_and(PM_BIT_WORD(nr, address), ~PM_BIT_MASK(nr), __ATOMIC_SEQ_CST);
}

static inline void change_bit(long nr, volatile void *address)
{
    (void)__atomic_fetch_xor(PM_BIT_WORD(nr, address), PM_BIT_MASK(nr), __ATOMIC_SEQ_CST);
}

static inline bool test_and_set_bit(long nr, volatile void *address)
{
    return (__atomic_fetch_or(PM_BIT_WORD(nr, address), PM_BIT_MASK(nr), __ATOMIC_SEQ_CST) &
            PM_BIT_MASK(nr)) != 0;
}

static inline bool test_and_clear_bit(long nr, volatile void *address)
{
    return (__atomic_fetch_and(PM_BIT_WORD(nr, address), ~PM_BIT_MASK(nr), __ATOMIC_SEQ_CST) &
            PM_BIT_MASK(nr)) != 0;
}

#define __set_bit set_bit
#define __clear_bit clear_bit
#define __test_and_set_bit test_and_set_bit
#define __test_and_clear_bit test_and_clear_bit
#define clear_bit_unlock clear_bit
#define test_and_set_bit_lock test_and_set_bit
#define assign_bit(nr, address, value) ((value) ? set_bit(nr, address) : clear_bit(nr, address))

static inline int fls64(u64 x)
{
    return x == 0 ? 0 : 64 - __builtin_clzll(x);
}

static inline int fls(unsigned x)
{
    return fls64(x);
}

static inline unsigned long __fls(unsigned long x)
{
    return 63UL - (unsigned long)__builtin_clzl(x);
}

static inline unsigned long __ffs(unsigned long x)
{
    return (unsigned long)__builtin_ctzl(x);
}

#define ffz(x) __ffs(~(x))
#define fls_long(x) fls64(x)
#define hweight8(x) ((unsigned)__builtin_popcount((u8)(x)))
#define hweight16(x) ((unsigned)__builtin_popcount((u16)(x)))
#define hweight32(x) ((unsigned)__builtin_popcount(x))
#define hweight64(x) ((unsigned long)__builtin_popcountll(x))
#define hweight_long(x) ((unsigned long)__builtin_popcountl(x))

/* The first bit that is set (or clear) from `from` on, or `bits`. */
unsigned long find_next_bit(const unsigned long *map, unsigned long bits, unsigned long from);
unsigned long find_next_zero_bit(const unsigned long *map, unsigned long bits, unsigned long from);

#define find_first_bit(map, bits) find_next_bit(map, bits, 0)
#define find_first_zero_bit(map, bits) find_next_zero_bit(map, bits, 0)
#define for_each_set_bit(bit, map, bits)                                                                     \
    for ((bit) = find_first_bit(map, bits); (bit) < (bits); (bit) = find_next_bit(map, bits, (bit) + 1))
#define for_each_clear_bit(bit, map, bits)                                                                   \
    for ((bit) = find_first_zero_bit(map, bits); (bit) < (bits);                                             \
         (bit) = find_next_zero_bit(map, bits, (bit) + 1))

#endif
