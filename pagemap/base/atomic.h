// SPDX-License-Identifier: BSD-2-Clause
/*
 * Shared words. Every name carries its memory order:
 *
 *   relaxed   atomic, orders nothing
 *   acquire   later accesses stay after the load
 *   release   earlier accesses stay before the store
 *   full      sequentially consistent; of a read-modify-write the old value is returned
 *
 * The compiler's builtins rather than ck_pr, whose instructions they compile to on x86-64: public structures
 * (struct page, struct percpu_ref) hold plain words, and ThreadSanitizer sees the builtins.
 */
#ifndef PAGEMAP_BASE_ATOMIC_H
#define PAGEMAP_BASE_ATOMIC_H

#include <stdbool.h>
#include <stdint.h>

static inline uint64_t pm_load_relaxed(const uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static inline uint64_t pm_load_acquire(const uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

/* One half of the store-then-load pairs in docs/pagemap.md, section 9. */
static inline uint64_t pm_load_full(const uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static inline void pm_store_relaxed(uint64_t *word, uint64_t value)
{
    __atomic_store_n(word, value, __ATOMIC_RELAXED);
}

static inline void pm_store_release(uint64_t *word, uint64_t value)
{
    __atomic_store_n(word, value, __ATOMIC_RELEASE);
}

static inline uint64_t pm_add_full(uint64_t *word, uint64_t addend)
{
    return __atomic_fetch_add(word, addend, __ATOMIC_SEQ_CST);
}

static inline uint64_t pm_sub_full(uint64_t *word, uint64_t subtrahend)
{
    return __atomic_fetch_sub(word, subtrahend, __ATOMIC_SEQ_CST);
}

static inline uint64_t pm_or_full(uint64_t *word, uint64_t bits)
{
    return __atomic_fetch_or(word, bits, __ATOMIC_SEQ_CST);
}

static inline uint64_t pm_and_full(uint64_t *word, uint64_t bits)
{
    return __atomic_fetch_and(word, bits, __ATOMIC_SEQ_CST);
}

static inline uint64_t pm_swap_full(uint64_t *word, uint64_t value)
{
    return __atomic_exchange_n(word, value, __ATOMIC_SEQ_CST);
}

static inline bool pm_cas_full(uint64_t *word, uint64_t *expected, uint64_t desired)
{
    return __atomic_compare_exchange_n(word, expected, desired, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* Adds `addend` unless the word is 0; false if it was. */
static inline bool pm_add_unless_zero(uint64_t *word, uint64_t addend)
{
    uint64_t old = pm_load_relaxed(word);

    do {
        if (old == 0) {
            return false;
        }
    } while (!pm_cas_full(word, &old, old + addend));
    return true;
}

#endif
