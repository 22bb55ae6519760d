// SPDX-License-Identifier: BSD-2-Clause
/* Annotations of the kernel, and words that are read and written once. */
#ifndef PAGEMAP_COMPAT_LINUX_COMPILER_H
#define PAGEMAP_COMPAT_LINUX_COMPILER_H

#include <stddef.h>

/* Names of the kernel that mean nothing to a program, or that the compiler has under another name. */
#define __user
#define __iomem
#define __kernel
#define __percpu
#define __rcu
#define __force
#define __nocast
#define __safe
#define __private
#define __chk_user_ptr(pointer) ((void)0)
#undef __init
#define __init
#undef __exit
#define __exit
#define __initdata
#define __initconst
#define __exitdata
#define __ref
#define __meminit
#define __read_mostly
#define __ro_after_init
#define __cold
#define __visible
#define __latent_entropy
#define __acquires(lock)
#define __releases(lock)
#define __must_hold(lock)
#define __cacheline_aligned __attribute__((aligned(64)))
#define ____cacheline_aligned __attribute__((aligned(64)))
#define ____cacheline_aligned_in_smp __attribute__((aligned(64)))
#ifndef __weak
#define __weak __attribute__((weak))
#endif
#ifndef __packed
#define __packed __attribute__((packed))
#endif
#ifndef __aligned
#define __aligned(bytes) __attribute__((aligned(bytes)))
#endif
#define __must_check __attribute__((warn_unused_result))
#define __maybe_unused __attribute__((unused))
#define __always_unused __attribute__((unused))
#define __printf(format_at, first) __attribute__((format(printf, format_at, first)))
#define __scanf(format_at, first) __attribute__((format(scanf, format_at, first)))
#define __malloc __attribute__((malloc))
#ifndef __counted_by
#define __counted_by(member)
#endif
#undef __always_inline
#define __always_inline inline __attribute__((always_inline))
#define noinline __attribute__((noinline))
#define asmlinkage
#define fallthrough __attribute__((fallthrough))
#define typeof __typeof__

#ifndef likely
#define likely(condition) __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)
#endif
#define barrier() __asm__ volatile("" ::: "memory")
#define prefetch(address) __builtin_prefetch(address)

/* Atomic, so that sanitizers see that a race is meant; no order, as in the kernel. */
#define READ_ONCE(word)                                                                                      \
    ({                                                                                                       \
        __typeof__(word) once_;                                                                              \
        __atomic_load(&(word), &once_, __ATOMIC_RELAXED);                                                    \
        once_;                                                                                               \
    })
#define WRITE_ONCE(word, value)                                                                              \
    do {                                                                                                     \
        __typeof__(word) once_ = (value);                                                                    \
        __atomic_store(&(word), &once_, __ATOMIC_RELAXED);                                                   \
    } while (0)
#define data_race(expression) (expression)

#define __stringify_1(...) #__VA_ARGS__
#define __stringify(...) __stringify_1(__VA_ARGS__)
#define __PASTE_1(a, b) a##b
#define __PASTE(a, b) __PASTE_1(a, b)
#define __UNIQUE_ID(prefix) __PASTE(__PASTE(unique_, prefix), __COUNTER__)
#define static_assert _Static_assert

#endif
