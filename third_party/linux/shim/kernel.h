// SPDX-License-Identifier: BSD-2-Clause
/*
 * What lib/maple_tree.c and lib/xarray.c of Linux 6.1 need of the rest of the kernel, in user space: RCU is
 * liburcu's, memory comes from slab.h, and a spin lock spins. Every <linux/...> header that those two files
 * include leads here; see linux_source.bzl.
 */
#ifndef RANGEMAP_THIRD_PARTY_LINUX_KERNEL_H
#define RANGEMAP_THIRD_PARTY_LINUX_KERNEL_H

/* Read sections are inlined, as the kernel's are. */
#define URCU_INLINE_SMALL_FUNCTIONS
#define _LGPL_SOURCE
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <urcu.h>

#include "third_party/linux/shim/slab.h"

/* The configuration of a distribution's kernel, as far as these files look at it. */
#define CONFIG_64BIT 1
#define CONFIG_XARRAY_MULTI 1
#define CONFIG_BASE_SMALL 0
#define BITS_PER_LONG 64
#define IS_ENABLED(option) IS_ENABLED_(option)
#define IS_ENABLED_(value) IS_ENABLED__(IS_ONE_##value)
#define IS_ENABLED__(pair) IS_ENABLED___(pair 1, 0)
#define IS_ENABLED___(ignored, value, ...) value
#define IS_ONE_1 0,

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;
typedef int64_t s64;

/* Compiler and annotations. */
#undef __init
#undef __exit
#define __init
#define __exit
#define __rcu
#define __bitwise
#define __force
#define __must_check
#define __must_hold(lock)
#define __acquires(lock)
#define __releases(lock)
#define EXPORT_SYMBOL(name)
#define EXPORT_SYMBOL_GPL(name)
#define fallthrough __attribute__((__fallthrough__))
#ifndef likely
#define likely(condition) __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)
#endif
#undef __always_inline
#define __always_inline inline __attribute__((__always_inline__))
#define READ_ONCE(word) (*(const volatile __typeof__(word) *)&(word))
#define WRITE_ONCE(word, value) (*(volatile __typeof__(word) *)&(word) = (value))

/* kernel.h */
#undef min
#undef max
#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))
#define ARRAY_SIZE(array) (sizeof(array) / sizeof *(array))
#define DIV_ROUND_UP(n, d) (((n) + (d)-1) / (d))
#define U8_MAX UINT8_MAX
#define MAX_ERRNO 4095
#ifndef container_of
#define container_of(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))
#endif
#define pr_err(...) fprintf(stderr, __VA_ARGS__)
#define pr_info(...) fprintf(stderr, __VA_ARGS__)
#define pr_cont(...) fprintf(stderr, __VA_ARGS__)
#define BUG_ON(condition) ((condition) ? __builtin_trap() : (void)0)
#define WARN_ON(condition)                                                                                   \
    ({                                                                                                       \
        bool warn_ = !!(condition);                                                                          \
        if (unlikely(warn_))                                                                                 \
            warn_at(__FILE__, __LINE__);                                                                     \
        warn_;                                                                                               \
    })
#define WARN_ON_ONCE(condition) WARN_ON(condition)
#define trace_ma_op(...)
#define trace_ma_read(...)
#define trace_ma_write(...)
#define might_alloc(gfp) ((void)(gfp))

static inline void warn_at(const char *file, int line)
{
    fprintf(stderr, "%s:%d: the kernel would warn here\n", file, line);
}

static inline void dump_stack(void)
{
}

/* rcupdate.h; rcu_read_lock() and its like come from urcu.h. */
#define rcu_dereference_raw(pointer) rcu_dereference(pointer)
#define rcu_dereference_check(pointer, condition) rcu_dereference(pointer)
#define rcu_dereference_protected(pointer, condition) (pointer)
#define RCU_INIT_POINTER(pointer, value) WRITE_ONCE(pointer, value)

/* x86 needs no fence for these two; elsewhere the compiler knows the instruction. */
#define smp_rmb() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define smp_wmb() __atomic_thread_fence(__ATOMIC_RELEASE)

typedef struct {
    int counter;
} atomic_t;

#define atomic_inc(word) ((void)__atomic_add_fetch(&(word)->counter, 1, __ATOMIC_RELAXED))
#define atomic_read(word) __atomic_load_n(&(word)->counter, __ATOMIC_RELAXED)

/*
 * A test-and-set lock with nothing else in it, the cheapest that a single writer can have. The kernel cannot
 * be interrupted while it holds one; here the holder may be, so a thread that waits long yields.
 */
typedef struct {
    int held;
} spinlock_t;

#define __SPIN_LOCK_UNLOCKED(name)                                                                           \
    {                                                                                                        \
        0                                                                                                    \
    }
#define lockdep_is_held(lock) 1

static inline void spin_lock_init(spinlock_t *lock)
{
    lock->held = 0;
}

static inline bool spin_trylock(spinlock_t *lock)
{
    return __atomic_exchange_n(&lock->held, 1, __ATOMIC_ACQUIRE) == 0;
}

static inline void spin_lock(spinlock_t *lock)
{
    for (unsigned turns = 1; !spin_trylock(lock);) {
        while (__atomic_load_n(&lock->held, __ATOMIC_RELAXED) != 0) {
            if (turns++ % 1024 == 0)
                sched_yield();
            caa_cpu_relax();
        }
    }
}

static inline void spin_unlock(spinlock_t *lock)
{
    __atomic_store_n(&lock->held, 0, __ATOMIC_RELEASE);
}

#define spin_lock_nested(lock, class) spin_lock(lock)
#define spin_lock_bh(lock) spin_lock(lock)
#define spin_unlock_bh(lock) spin_unlock(lock)
#define spin_lock_irq(lock) spin_lock(lock)
#define spin_unlock_irq(lock) spin_unlock(lock)
#define spin_lock_irqsave(lock, flags) ((void)(flags), spin_lock(lock))
#define spin_unlock_irqrestore(lock, flags) ((void)(flags), spin_unlock(lock))

/* bitmap.h, find.h and list.h: XArray's marks and its list of nodes to reclaim. */
#define BITS_TO_LONGS(bits) DIV_ROUND_UP(bits, BITS_PER_LONG)
#define __ffs(word) ((unsigned long)__builtin_ctzl(word))

struct list_head {
    struct list_head *next, *prev;
};

#define LIST_HEAD_INIT(name)                                                                                 \
    {                                                                                                        \
        &(name), &(name)                                                                                     \
    }

static inline void INIT_LIST_HEAD(struct list_head *list)
{
    list->next = list->prev = list;
}

static inline bool list_empty(const struct list_head *list)
{
    return list->next == list;
}

static inline bool test_bit(unsigned long bit, const unsigned long *map)
{
    return (map[bit / BITS_PER_LONG] >> (bit % BITS_PER_LONG)) & 1;
}

static inline void __set_bit(unsigned long bit, unsigned long *map)
{
    map[bit / BITS_PER_LONG] |= 1UL << (bit % BITS_PER_LONG);
}

static inline bool __test_and_set_bit(unsigned long bit, unsigned long *map)
{
    bool was = test_bit(bit, map);
    __set_bit(bit, map);
    return was;
}

static inline bool __test_and_clear_bit(unsigned long bit, unsigned long *map)
{
    bool was = test_bit(bit, map);
    map[bit / BITS_PER_LONG] &= ~(1UL << (bit % BITS_PER_LONG));
    return was;
}

static inline unsigned long find_next_bit(const unsigned long *map, unsigned long bits, unsigned long from)
{
    while (from < bits && !test_bit(from, map))
        from++;
    return from;
}

static inline bool bitmap_empty(const unsigned long *map, unsigned bits)
{
    return find_next_bit(map, bits, 0) == bits;
}

static inline void bitmap_fill(unsigned long *map, unsigned bits)
{
    memset(map, 0xff, BITS_TO_LONGS(bits) * sizeof *map);
}

static inline void bitmap_clear(unsigned long *map, unsigned from, unsigned bits)
{
    for (unsigned bit = from; bit < from + bits; bit++)
        map[bit / BITS_PER_LONG] &= ~(1UL << (bit % BITS_PER_LONG));
}

#endif
