// SPDX-License-Identifier: BSD-2-Clause
/*
 * The library's whole vocabulary of shared words. Every name carries its memory order:
 *
 *   relaxed   atomic, orders nothing
 *   acquire   later accesses stay after the load
 *   release   earlier accesses stay before the store
 *   ordered   a read-modify-write that earlier accesses stay before, and later ones stay behind its load; a load
 *             that later accesses stay behind. An ordered load stays behind every ordered read-modify-write
 *             before it; any other load may overtake its store (C11's memory_order_seq_cst, and no more)
 *   full      an atomic read-modify-write and a full fence on both sides
 *
 * Three builds. On x86-64 production maps them to ck_pr. RANGEMAP_ATOMIC_CC maps them to the compiler's __atomic
 * builtins, which ThreadSanitizer understands (ck_pr is inline assembly, which it cannot see); arm64 always has them,
 * since ck_pr makes a `dmb` of every acquire and release where ldar, ldapr and stlr do, and knows no LSE, which
 * the compiler's outlined calls look for when the program starts. There `full` is two `dmb ish`, `ordered` none.
 * RANGEMAP_EXPLORER additionally calls base/explorer.h before each access, so that a scheduler can switch
 * threads there, and can keep stores back as a store buffer does. On x86-64 loads are acquire and stores release by
 * themselves, and a locked instruction is a full fence; elsewhere the fences below are real.
 */
#ifndef RANGEMAP_BASE_ATOMIC_H
#define RANGEMAP_BASE_ATOMIC_H

#include <stdbool.h>
#include <stdint.h>

#include "rangemap/base/ck.h"
#include "rangemap/base/compiler.h"
#include "rangemap/base/explorer.h"

#if (defined(RM_TSAN) || defined(__aarch64__)) && !defined(RANGEMAP_ATOMIC_CC)
#define RANGEMAP_ATOMIC_CC 1
#endif

#if !defined(RANGEMAP_ATOMIC_CC)
#define RANGEMAP_ATOMIC_CC 0
#endif

/* A shared 64-bit word. Wrapped, so that no plain access compiles. */
typedef struct {
    uint64_t unsafe_value;
} rm_word;

/* The value of a word that no other thread can see yet or any more. */
static inline uint64_t rm_word_private(const rm_word *word)
{
    return word->unsafe_value;
}

static inline void rm_word_set_private(rm_word *word, uint64_t value)
{
    word->unsafe_value = value;
}

/* A relaxed load for the sake of bits that do not change any more, whatever the others do. */
static inline uint64_t rm_load_immutable(const rm_word *word)
{
    rm_explorer_touch(word);
    return __atomic_load_n(&word->unsafe_value, __ATOMIC_RELAXED);
}

#if RANGEMAP_ATOMIC_CC

static inline uint64_t rm_load_relaxed(const rm_word *word)
{
    rm_explorer_point(word);
    return __atomic_load_n(&word->unsafe_value, __ATOMIC_RELAXED);
}

static inline uint64_t rm_load_acquire(const rm_word *word)
{
    rm_explorer_point(word);
    return __atomic_load_n(&word->unsafe_value, __ATOMIC_ACQUIRE);
}

/*
 * A load whose result is only followed as a pointer: consume, which compilers promote to acquire (the explorer's weak
 * memory does not). arm64 orders the load before accesses through the address it yields; the empty assembly keeps the
 * compiler from knowing the address from elsewhere. ThreadSanitizer knows no dependencies.
 */
static inline uint64_t rm_load_dependent(const rm_word *word)
{
#if defined(__aarch64__) && !defined(RM_TSAN)
    uint64_t value = rm_load_relaxed(word);

    __asm__("" : "+r"(value));
    return value;
#else
    rm_explorer_point(word);
    return __atomic_load_n(&word->unsafe_value, __ATOMIC_CONSUME);
#endif
}

static inline uint64_t rm_load_ordered(const rm_word *word)
{
    rm_explorer_point(word);
    return __atomic_load_n(&word->unsafe_value, __ATOMIC_SEQ_CST);
}

static inline void rm_store_relaxed(rm_word *word, uint64_t value)
{
    rm_explorer_point(word);
    rm_explorer_delay(word, sizeof *word);
    __atomic_store_n(&word->unsafe_value, value, __ATOMIC_RELAXED);
}

static inline void rm_store_release(rm_word *word, uint64_t value)
{
    rm_explorer_point(word);
    rm_explorer_delay(word, sizeof *word);
    __atomic_store_n(&word->unsafe_value, value, __ATOMIC_RELEASE);
}

static inline bool rm_cas_ordered(rm_word *word, uint64_t expected, uint64_t desired)
{
    rm_explorer_update(word);
    return __atomic_compare_exchange_n(&word->unsafe_value, &expected, desired, false, __ATOMIC_SEQ_CST,
                                       __ATOMIC_SEQ_CST);
}

static inline void rm_or_ordered(rm_word *word, uint64_t bits)
{
    rm_explorer_update(word);
    (void)__atomic_fetch_or(&word->unsafe_value, bits, __ATOMIC_SEQ_CST);
}

/* On both sides of a read-modify-write, which is a full fence itself on x86-64 only. */
static inline void rm_fence_rmw(void)
{
#if !defined(CK_MD_TSO)
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

static inline bool rm_cas_full(rm_word *word, uint64_t expected, uint64_t desired)
{
    bool done;

    rm_fence_rmw();
    done = rm_cas_ordered(word, expected, desired);
    rm_fence_rmw();
    return done;
}

static inline uint64_t rm_swap_full(rm_word *word, uint64_t value)
{
    uint64_t old;

    rm_explorer_update(word);
    rm_fence_rmw();
    old = __atomic_exchange_n(&word->unsafe_value, value, __ATOMIC_SEQ_CST);
    rm_fence_rmw();
    return old;
}

static inline void rm_or_full(rm_word *word, uint64_t bits)
{
    rm_fence_rmw();
    rm_or_ordered(word, bits);
    rm_fence_rmw();
}

static inline void rm_and_full(rm_word *word, uint64_t bits)
{
    rm_explorer_update(word);
    rm_fence_rmw();
    (void)__atomic_fetch_and(&word->unsafe_value, bits, __ATOMIC_SEQ_CST);
    rm_fence_rmw();
}

static inline bool rm_cas_relaxed(rm_word *word, uint64_t expected, uint64_t desired)
{
    rm_explorer_update(word);
    return __atomic_compare_exchange_n(&word->unsafe_value, &expected, desired, false, __ATOMIC_RELAXED,
                                       __ATOMIC_RELAXED);
}

static inline void rm_or_relaxed(rm_word *word, uint64_t bits)
{
    rm_explorer_update(word);
    (void)__atomic_fetch_or(&word->unsafe_value, bits, __ATOMIC_RELAXED);
}

static inline void rm_and_relaxed(rm_word *word, uint64_t bits)
{
    rm_explorer_update(word);
    (void)__atomic_fetch_and(&word->unsafe_value, bits, __ATOMIC_RELAXED);
}

static inline uint64_t rm_add_relaxed(rm_word *word, uint64_t addend)
{
    rm_explorer_update(word);
    return __atomic_fetch_add(&word->unsafe_value, addend, __ATOMIC_RELAXED);
}

#else

static inline uint64_t rm_load_relaxed(const rm_word *word)
{
    rm_explorer_point(word);
    return ck_pr_load_64(&word->unsafe_value);
}

static inline uint64_t rm_load_acquire(const rm_word *word)
{
    uint64_t value = rm_load_relaxed(word);

    ck_pr_fence_acquire(); /* this load before every later access */
    return value;
}

/*
 * A load whose result is only followed as a pointer. No fence: the processor orders the load before the
 * accesses through the address it yields (every architecture but Alpha), and ck_pr's volatile assembly keeps
 * the compiler from inventing the address otherwise.
 */
static inline uint64_t rm_load_dependent(const rm_word *word)
{
    return rm_load_relaxed(word);
}

static inline void rm_store_relaxed(rm_word *word, uint64_t value)
{
    rm_explorer_point(word);
    rm_explorer_delay(word, sizeof *word);
    ck_pr_store_64(&word->unsafe_value, value);
}

static inline void rm_store_release(rm_word *word, uint64_t value)
{
    ck_pr_fence_release(); /* every earlier access before this store */
    rm_store_relaxed(word, value);
}

/* On both sides of a ck_pr read-modify-write, which itself orders nothing but on x86. */
static inline void rm_fence_rmw(void)
{
#if !defined(CK_MD_TSO)
    ck_pr_fence_memory();
#endif
}

static inline bool rm_cas_full(rm_word *word, uint64_t expected, uint64_t desired)
{
    bool done;

    rm_explorer_update(word);
    rm_fence_rmw();
    done = ck_pr_cas_64(&word->unsafe_value, expected, desired);
    rm_fence_rmw();
    return done;
}

static inline uint64_t rm_swap_full(rm_word *word, uint64_t value)
{
    uint64_t old;

    rm_explorer_update(word);
    rm_fence_rmw();
    old = ck_pr_fas_64(&word->unsafe_value, value);
    rm_fence_rmw();
    return old;
}

/* No weaker than they must be, on processors that nothing here was written for. */
static inline bool rm_cas_ordered(rm_word *word, uint64_t expected, uint64_t desired)
{
    return rm_cas_full(word, expected, desired);
}

static inline void rm_or_ordered(rm_word *word, uint64_t bits)
{
    rm_explorer_update(word);
    rm_fence_rmw();
    ck_pr_or_64(&word->unsafe_value, bits);
    rm_fence_rmw();
}

static inline void rm_or_full(rm_word *word, uint64_t bits)
{
    rm_or_ordered(word, bits);
}

static inline void rm_and_full(rm_word *word, uint64_t bits)
{
    rm_explorer_update(word);
    rm_fence_rmw();
    ck_pr_and_64(&word->unsafe_value, bits);
    rm_fence_rmw();
}

static inline uint64_t rm_load_ordered(const rm_word *word)
{
    rm_fence_rmw();
    return rm_load_acquire(word);
}

static inline bool rm_cas_relaxed(rm_word *word, uint64_t expected, uint64_t desired)
{
    rm_explorer_update(word);
    return ck_pr_cas_64(&word->unsafe_value, expected, desired);
}

static inline void rm_or_relaxed(rm_word *word, uint64_t bits)
{
    rm_explorer_update(word);
    ck_pr_or_64(&word->unsafe_value, bits);
}

static inline void rm_and_relaxed(rm_word *word, uint64_t bits)
{
    rm_explorer_update(word);
    ck_pr_and_64(&word->unsafe_value, bits);
}

static inline uint64_t rm_add_relaxed(rm_word *word, uint64_t addend)
{
    rm_explorer_update(word);
    return ck_pr_faa_64(&word->unsafe_value, addend);
}

#endif

/* Counts on a word that only the calling thread writes and all may read: no read-modify-write needed. */
static inline void rm_count_own(rm_word *counter, uint64_t addend)
{
    rm_store_relaxed(counter, rm_word_private(counter) + addend);
}

/* Pointers in words. */
static inline void *rm_load_pointer(const rm_word *word)
{
    return (void *)(uintptr_t)rm_load_acquire(word);
}

/* One that is only compared, or that leads to what needs no order: why is said where it is used. */
static inline void *rm_load_pointer_relaxed(const rm_word *word)
{
    return (void *)(uintptr_t)rm_load_relaxed(word);
}

static inline uint64_t rm_pointer_bits(const void *pointer)
{
    return (uint64_t)(uintptr_t)pointer;
}

#endif
