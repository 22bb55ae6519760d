// SPDX-License-Identifier: BSD-2-Clause
/* Shared words. All read-modify-writes are sequentially consistent. */
#ifndef PAGEMAP_COMPAT_LINUX_ATOMIC_H
#define PAGEMAP_COMPAT_LINUX_ATOMIC_H

#include <linux/compiler.h>
#include <linux/types.h>

#define ATOMIC_INIT(value)                                                                                   \
    {                                                                                                        \
        (value)                                                                                              \
    }
#define ATOMIC64_INIT(value)                                                                                 \
    {                                                                                                        \
        (value)                                                                                              \
    }
#define ATOMIC_LONG_INIT(value)                                                                              \
    {                                                                                                        \
        (value)                                                                                              \
    }
#define smp_mb() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define smp_rmb() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define smp_wmb() __atomic_thread_fence(__ATOMIC_RELEASE)
#define mb() smp_mb()
#define rmb() smp_rmb()
#define wmb() smp_wmb()
#define smp_mb__before_atomic() smp_mb()
#define smp_mb__after_atomic() smp_mb()
#define smp_load_acquire(pointer) __atomic_load_n(pointer, __ATOMIC_ACQUIRE)
#define smp_store_release(pointer, value) __atomic_store_n(pointer, value, __ATOMIC_RELEASE)
#define smp_store_mb(word, value) __atomic_store_n(&(word), value, __ATOMIC_SEQ_CST)
#define cpu_relax() barrier()

#define xchg(pointer, value) __atomic_exchange_n(pointer, value, __ATOMIC_SEQ_CST)
#define cmpxchg(pointer, old, new_value)                                                                     \
    ({                                                                                                       \
        __typeof__(*(pointer)) expected_ = (old);                                                            \
        (void)__atomic_compare_exchange_n(pointer, &expected_, new_value, false, __ATOMIC_SEQ_CST,           \
                                          __ATOMIC_SEQ_CST);                                                 \
        expected_;                                                                                           \
    })
#define try_cmpxchg(pointer, old, new_value)                                                                 \
    __atomic_compare_exchange_n(pointer, old, new_value, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)

#define PM_ATOMIC(prefix, type, number)                                                                      \
    static inline number prefix##_read(const type *word)                                                     \
    {                                                                                                        \
        return (number)__atomic_load_n(&word->counter, __ATOMIC_ACQUIRE);                                    \
    }                                                                                                        \
    static inline void prefix##_set(type *word, number value)                                                \
    {                                                                                                        \
        __atomic_store_n(&word->counter, value, __ATOMIC_RELEASE);                                           \
    }                                                                                                        \
    static inline number prefix##_add_return(number value, type *word)                                       \
    {                                                                                                        \
        return (number)__atomic_add_fetch(&word->counter, value, __ATOMIC_SEQ_CST);                          \
    }                                                                                                        \
    static inline number prefix##_sub_return(number value, type *word)                                       \
    {                                                                                                        \
        return (number)__atomic_sub_fetch(&word->counter, value, __ATOMIC_SEQ_CST);                          \
    }                                                                                                        \
    static inline number prefix##_fetch_add(number value, type *word)                                        \
    {                                                                                                        \
        return prefix##_add_return(value, word) - value;                                                     \
    }                                                                                                        \
    static inline void prefix##_add(number value, type *word)                                                \
    {                                                                                                        \
        (void)prefix##_add_return(value, word);                                                              \
    }                                                                                                        \
    static inline void prefix##_sub(number value, type *word)                                                \
    {                                                                                                        \
        (void)prefix##_sub_return(value, word);                                                              \
    }                                                                                                        \
    static inline void prefix##_inc(type *word)                                                              \
    {                                                                                                        \
        (void)prefix##_add_return(1, word);                                                                  \
    }                                                                                                        \
    static inline void prefix##_dec(type *word)                                                              \
    {                                                                                                        \
        (void)prefix##_sub_return(1, word);                                                                  \
    }                                                                                                        \
    static inline number prefix##_inc_return(type *word)                                                     \
    {                                                                                                        \
        return prefix##_add_return(1, word);                                                                 \
    }                                                                                                        \
    static inline number prefix##_dec_return(type *word)                                                     \
    {                                                                                                        \
        return prefix##_sub_return(1, word);                                                                 \
    }                                                                                                        \
    static inline bool prefix##_dec_and_test(type *word)                                                     \
    {                                                                                                        \
        return prefix##_sub_return(1, word) == 0;                                                            \
    }                                                                                                        \
    static inline bool prefix##_inc_and_test(type *word)                                                     \
    {                                                                                                        \
        return prefix##_add_return(1, word) == 0;                                                            \
    }                                                                                                        \
    static inline bool prefix##_sub_and_test(number value, type *word)                                       \
    {                                                                                                        \
        return prefix##_sub_return(value, word) == 0;                                                        \
    }                                                                                                        \
    static inline number prefix##_xchg(type *word, number value)                                             \
    {                                                                                                        \
        return (number)__atomic_exchange_n(&word->counter, value, __ATOMIC_SEQ_CST);                         \
    }                                                                                                        \
    static inline number prefix##_cmpxchg(type *word, number old, number value)                              \
    {                                                                                                        \
        return (number)cmpxchg(&word->counter, old, value);                                                  \
    }                                                                                                        \
    static inline bool prefix##_add_unless(type *word, number value, number unless)                          \
    {                                                                                                        \
        number old = prefix##_read(word), seen;                                                              \
        for (; old != unless; old = seen) {                                                                  \
            seen = prefix##_cmpxchg(word, old, old + value);                                                 \
            if (seen == old) {                                                                               \
                return true;                                                                                 \
            }                                                                                                \
        }                                                                                                    \
        return false;                                                                                        \
    }                                                                                                        \
    static inline bool prefix##_inc_not_zero(type *word)                                                     \
    {                                                                                                        \
        return prefix##_add_unless(word, 1, 0);                                                              \
    }
PM_ATOMIC(atomic, atomic_t, int)
PM_ATOMIC(atomic64, atomic64_t, s64)
PM_ATOMIC(atomic_long, atomic_long_t, long)
#undef PM_ATOMIC

#endif
