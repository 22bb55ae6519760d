// SPDX-License-Identifier: BSD-2-Clause
/*
 * Memory orders taken away on purpose, in one place at a time, so that a test can show that ThreadSanitizer
 * notices (test/order). No source includes this: one build of the library has it put in front of each of its files
 * by the compiler, so that every ordered access written there becomes a site of its own.
 *
 * Macros, since only they know where they stand.
 */
#ifndef RANGEMAP_TEST_MUTATIONS_WEAKEN_H
#define RANGEMAP_TEST_MUTATIONS_WEAKEN_H

#include "rangemap/base/atomic.h"
#include "test/mutations/site.h"

#if !RANGEMAP_ATOMIC_CC
#error "only the compiler's atomics can be weakened"
#endif

static inline uint64_t rm_load_acquire_at(struct rm_site *site, const rm_word *word)
{
    return rm_is_weak(site) ? rm_load_relaxed(word) : rm_load_acquire(word);
}

static inline uint64_t rm_load_dependent_at(struct rm_site *site, const rm_word *word)
{
    return rm_is_weak(site) ? rm_load_relaxed(word) : rm_load_dependent(word);
}

static inline void *rm_load_pointer_at(struct rm_site *site, const rm_word *word)
{
    return rm_is_weak(site) ? (void *)(uintptr_t)rm_load_relaxed(word) : rm_load_pointer(word);
}

static inline void rm_store_release_at(struct rm_site *site, rm_word *word, uint64_t value)
{
    if (rm_is_weak(site)) {
        rm_store_relaxed(word, value);
    } else {
        rm_store_release(word, value);
    }
}

static inline bool rm_cas_full_at(struct rm_site *site, rm_word *word, uint64_t expected, uint64_t desired)
{
    if (!rm_is_weak(site)) {
        return rm_cas_full(word, expected, desired);
    }
    rm_explorer_update(word);
    return __atomic_compare_exchange_n(&word->unsafe_value, &expected, desired, false, __ATOMIC_RELAXED,
                                       __ATOMIC_RELAXED);
}

static inline bool rm_cas_ordered_at(struct rm_site *site, rm_word *word, uint64_t expected, uint64_t desired)
{
    return rm_is_weak(site) ? rm_cas_full_at(site, word, expected, desired)
                            : rm_cas_ordered(word, expected, desired);
}

static inline uint64_t rm_load_ordered_at(struct rm_site *site, const rm_word *word)
{
    return rm_is_weak(site) ? rm_load_relaxed(word) : rm_load_ordered(word);
}

static inline uint64_t rm_swap_full_at(struct rm_site *site, rm_word *word, uint64_t value)
{
    if (!rm_is_weak(site)) {
        return rm_swap_full(word, value);
    }
    rm_explorer_update(word);
    return __atomic_exchange_n(&word->unsafe_value, value, __ATOMIC_RELAXED);
}

static inline void rm_or_ordered_at(struct rm_site *site, rm_word *word, uint64_t bits)
{
    if (rm_is_weak(site)) {
        rm_explorer_update(word);
        (void)__atomic_fetch_or(&word->unsafe_value, bits, __ATOMIC_RELAXED);
    } else {
        rm_or_ordered(word, bits);
    }
}

static inline void rm_or_full_at(struct rm_site *site, rm_word *word, uint64_t bits)
{
    if (rm_is_weak(site)) {
        rm_explorer_update(word);
        (void)__atomic_fetch_or(&word->unsafe_value, bits, __ATOMIC_RELAXED);
    } else {
        rm_or_full(word, bits);
    }
}

static inline void rm_and_full_at(struct rm_site *site, rm_word *word, uint64_t bits)
{
    if (rm_is_weak(site)) {
        rm_explorer_update(word);
        (void)__atomic_fetch_and(&word->unsafe_value, bits, __ATOMIC_RELAXED);
    } else {
        rm_and_full(word, bits);
    }
}

#define rm_load_acquire(word) rm_load_acquire_at(RM_SITE("load_acquire"), word)
#define rm_load_dependent(word) rm_load_dependent_at(RM_SITE("load_dependent"), word)
#define rm_load_pointer(word) rm_load_pointer_at(RM_SITE("load_pointer"), word)
#define rm_store_release(word, value) rm_store_release_at(RM_SITE("store_release"), word, value)
#define rm_cas_full(word, expected, desired) rm_cas_full_at(RM_SITE("cas_full"), word, expected, desired)
#define rm_cas_ordered(word, expected, desired)                                                              \
    rm_cas_ordered_at(RM_SITE("cas_ordered"), word, expected, desired)
#define rm_load_ordered(word) rm_load_ordered_at(RM_SITE("load_ordered"), word)
#define rm_swap_full(word, value) rm_swap_full_at(RM_SITE("swap_full"), word, value)
#define rm_or_full(word, bits) rm_or_full_at(RM_SITE("or_full"), word, bits)
#define rm_and_full(word, bits) rm_and_full_at(RM_SITE("and_full"), word, bits)
#define rm_or_ordered(word, bits) rm_or_ordered_at(RM_SITE("or_ordered"), word, bits)

#endif
