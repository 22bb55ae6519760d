// SPDX-License-Identifier: BSD-2-Clause
/* What the library asks of the compiler. */
#ifndef RANGEMAP_BASE_COMPILER_H
#define RANGEMAP_BASE_COMPILER_H

#if !defined(__GNUC__) || !defined(__STDC_VERSION__) || __STDC_VERSION__ < 201112L
#error "rangemap's sources are C11: compile them with gcc or clang, -std=c11 or later"
#endif
#if !defined(__linux__)
#error "rangemap is for Linux: it calls membarrier(2), gettid(2) and madvise(2) as Linux has them"
#endif

#include <stddef.h>
#include <stdint.h>

#include "rangemap/base/symbols.h"

#define RM_LIKELY(x) __builtin_expect(!!(x), 1)
#define RM_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define RM_NOINLINE __attribute__((noinline))
#define RM_ALWAYS_INLINE static inline __attribute__((always_inline, unused))
#define RM_CACHE_LINE 64
/* Nodes lie below 2^57, with no tag of the processor or of a tool in their addresses: slots use the bits above. */
#define RM_ADDRESS_BITS 57
#define RM_LINE_ALIGNED __attribute__((aligned(RM_CACHE_LINE)))

/* Visible to the whole library, but not outside of it. */
#define RM_INTERNAL __attribute__((visibility("hidden")))

/* The object of type T whose member M is at pointer P. */
#define RM_CONTAINER_OF(P, T, M) ((T *)((uintptr_t)(P)-offsetof(T, M)))

#if defined(RANGEMAP_CORES)
void rm_cores_prefetch(const void *address); /* bench/cores, which the compiler does not tell of it */
#endif

static inline void rm_prefetch(const void *address)
{
#if defined(RANGEMAP_CORES)
    rm_cores_prefetch(address);
#endif
    __builtin_prefetch(address, 0, 3);
}

/* Hints of the sanitizers, empty without them. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RM_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define RM_TSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define RM_ASAN 1
#endif
#if defined(RANGEMAP_CORES)
#undef RM_TSAN /* instrumented for ThreadSanitizer, but run by bench/cores */
#elif defined(__SANITIZE_THREAD__)
#define RM_TSAN 1
#endif

#endif
