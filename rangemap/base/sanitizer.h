// SPDX-License-Identifier: BSD-2-Clause
/* Tells the sanitizers what the pool and the epochs mean; everything here is empty without them. */
#ifndef RANGEMAP_BASE_SANITIZER_H
#define RANGEMAP_BASE_SANITIZER_H

#include <stddef.h>

#include "rangemap/base/compiler.h"
#include "rangemap/base/explorer.h"

#if defined(RM_ASAN)
#include <sanitizer/asan_interface.h>
#include <sanitizer/lsan_interface.h>
#endif

#if defined(RM_TSAN)
void __tsan_acquire(void *address);
void __tsan_release(void *address);
#endif

/* For functions that read in free nodes, which are poisoned: there is the link to the next one. */
#if defined(RM_ASAN)
#define RM_READS_POISONED __attribute__((no_sanitize("address")))
#else
#define RM_READS_POISONED
#endif

/* [address, address + bytes) must not be touched until it is made usable again. */
static inline void rm_poison(void *address, size_t bytes)
{
#if defined(RANGEMAP_EXPLORER)
    rm_explorer_poison(address, bytes);
#elif defined(RM_ASAN)
    __asan_poison_memory_region(address, bytes);
#endif
    (void)address;
    (void)bytes;
}

static inline void rm_unpoison(void *address, size_t bytes)
{
#if defined(RANGEMAP_EXPLORER)
    rm_explorer_unpoison(address, bytes);
#elif defined(RM_ASAN)
    __asan_unpoison_memory_region(address, bytes);
#endif
    (void)address;
    (void)bytes;
}

/* Memory in which the pool keeps its books, from here on; and no more. */
static inline void rm_books_open(void *address, size_t bytes)
{
#if defined(RANGEMAP_EXPLORER)
    rm_explorer_books(address, bytes, true);
#elif defined(RM_ASAN)
    __asan_unpoison_memory_region(address, bytes);
#endif
    (void)address;
    (void)bytes;
}

static inline void rm_books_close(void *address, size_t bytes)
{
#if defined(RANGEMAP_EXPLORER)
    rm_explorer_books(address, bytes, false);
#elif defined(RM_ASAN)
    __asan_poison_memory_region(address, bytes);
#endif
    (void)address;
    (void)bytes;
}

/* Values in nodes, and garbage in shards, keep the caller's objects alive: the leak checker must look there. */
static inline void rm_leak_root_add(void *address, size_t bytes)
{
#if defined(RM_ASAN)
    __lsan_register_root_region(address, bytes);
#endif
    (void)address;
    (void)bytes;
}

static inline void rm_leak_root_remove(void *address, size_t bytes)
{
#if defined(RM_ASAN)
    __lsan_unregister_root_region(address, bytes);
#endif
    (void)address;
    (void)bytes;
}

/* What happened before a release of `object` happens-before what follows a later acquire of it. */
static inline void rm_happens_release(void *object)
{
#if defined(RM_TSAN)
    __tsan_release(object);
#endif
    (void)object;
}

static inline void rm_happens_acquire(void *object)
{
#if defined(RM_TSAN)
    __tsan_acquire(object);
#endif
    (void)object;
}

#endif
