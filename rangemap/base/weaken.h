// SPDX-License-Identifier: BSD-2-Clause
/*
 * Memory orders taken away on purpose, in one place at a time, so that a test can show that ThreadSanitizer
 * notices (test/order). No source includes this: one build of the library has it put in front of each of its files
 * by the compiler, so that every ordered access written there becomes a site of its own.
 *
 * Macros, since only they know where they stand.
 */
#ifndef RANGEMAP_BASE_WEAKEN_H
#define RANGEMAP_BASE_WEAKEN_H

#include "rangemap/base/atomic.h"

#if !RANGEMAP_ATOMIC_CC
#error "only the compiler's atomics can be weakened"
#endif

struct rm_site {
    const char *file, *function, *access;
    uint64_t is_weak; /* else with the order that its name says */
} __attribute__((aligned(32)));

/* In a section of their own, where a program finds all of them. */
#define RM_SITE(name)                                                                                        \
    __extension__({                                                                                          \
        static struct rm_site site                                                                           \
            __attribute__((section("rm_sites"), used)) = {__FILE__, __func__, name, 0};                      \
        &site;                                                                                               \
    })

static inline uint64_t rm_load_acquire_at(const struct rm_site *site, const rm_word *word)
{
    return site->is_weak ? rm_load_relaxed(word) : rm_load_acquire(word);
}

static inline uint64_t rm_load_dependent_at(const struct rm_site *site, const rm_word *word)
{
    return site->is_weak ? rm_load_relaxed(word) : rm_load_dependent(word);
}

static inline void *rm_load_pointer_at(const struct rm_site *site, const rm_word *word)
{
    return site->is_weak ? (void *)(uintptr_t)rm_load_relaxed(word) : rm_load_pointer(word);
}

static inline void rm_store_release_at(const struct rm_site *site, rm_word *word, uint64_t value)
{
    if (site->is_weak) {
        rm_store_relaxed(word, value);
    } else {
        rm_store_release(word, value);
    }
}

static inline bool rm_cas_full_at(const struct rm_site *site, rm_word *word, uint64_t expected,
                                  uint64_t desired)
{
    return site->is_weak ? __atomic_compare_exchange_n(&word->unsafe_value, &expected, desired, false,
                                                       __ATOMIC_RELAXED, __ATOMIC_RELAXED)
                         : rm_cas_full(word, expected, desired);
}

static inline uint64_t rm_swap_full_at(const struct rm_site *site, rm_word *word, uint64_t value)
{
    return site->is_weak ? __atomic_exchange_n(&word->unsafe_value, value, __ATOMIC_RELAXED)
                         : rm_swap_full(word, value);
}

static inline void rm_or_full_at(const struct rm_site *site, rm_word *word, uint64_t bits)
{
    if (site->is_weak) {
        (void)__atomic_fetch_or(&word->unsafe_value, bits, __ATOMIC_RELAXED);
    } else {
        rm_or_full(word, bits);
    }
}

#define rm_load_acquire(word) rm_load_acquire_at(RM_SITE("load_acquire"), word)
#define rm_load_dependent(word) rm_load_dependent_at(RM_SITE("load_dependent"), word)
#define rm_load_pointer(word) rm_load_pointer_at(RM_SITE("load_pointer"), word)
#define rm_store_release(word, value) rm_store_release_at(RM_SITE("store_release"), word, value)
#define rm_cas_full(word, expected, desired) rm_cas_full_at(RM_SITE("cas_full"), word, expected, desired)
#define rm_swap_full(word, value) rm_swap_full_at(RM_SITE("swap_full"), word, value)
#define rm_or_full(word, bits) rm_or_full_at(RM_SITE("or_full"), word, bits)

#endif
