// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/checked/value.h"
#include "rangemap/checked/callbacks.h"
#include "rangemap/checked/known.h"

#if defined(RM_IS_CHECKED)
#include <pthread.h>
#include <signal.h>

/* AddressSanitizer's, in whatever program this is preloaded. */
void __asan_poison_memory_region(const volatile void *address, size_t bytes) __attribute__((weak));
void __asan_unpoison_memory_region(const volatile void *address, size_t bytes) __attribute__((weak));
int __sanitizer_get_ownership(const volatile void *address) __attribute__((weak));
size_t __sanitizer_get_allocated_size(const volatile void *address) __attribute__((weak));

/* How many threads have seen the value in sections that are open. A place stays that of its value for ever. */
struct rm_checked_value {
    _Atomic(void *) value;
    atomic_bool locked;
    bool is_excused; /* for ever: it was seen in a map that is not known, whose sections are not told */
    unsigned holders;
};

enum { VALUE_BITS = 14, VALUE_PROBES = 32 };
static struct rm_checked_value seen_values[1U << VALUE_BITS];

static bool poisons(void)
{
    return rm_checked_settings.poison && __asan_poison_memory_region != NULL;
}

/* Its place, which is made if there is none; NULL: no room. */
static struct rm_checked_value *place_of(void *value)
{
    size_t first = (uintptr_t)value * 0x9E3779B97F4A7C15U >> (64 - VALUE_BITS);

    for (size_t i = 0; i < VALUE_PROBES; i++) {
        struct rm_checked_value *place = &seen_values[(first + i) & ((1U << VALUE_BITS) - 1)];
        void *there = NULL;

        if (atomic_compare_exchange_strong(&place->value, &there, value) || there == value) {
            return place;
        }
    }
    return NULL;
}

static void block_signals(sigset_t *before)
{
    sigset_t all;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, before);
}

/* Without signals meanwhile: a handler may look up the same value. */
static void lock(struct rm_checked_value *place, sigset_t *before)
{
    block_signals(before);
    while (atomic_exchange(&place->locked, true)) {
    }
}

/* The place of a value that can be poisoned, locked; or NULL. */
static struct rm_checked_value *lock_place(void *value, sigset_t *before)
{
    struct rm_checked_value *place =
        value != NULL && __sanitizer_get_ownership(value) != 0 ? place_of(value) : NULL;

    if (place != NULL) {
        lock(place, before);
    }
    return place;
}

/* To be touched only while it has holders. */
static void unlock_place(struct rm_checked_value *place, void *value, const sigset_t *before)
{
    if (place->holders == 0 && !place->is_excused) {
        __asan_poison_memory_region(value, __sanitizer_get_allocated_size(value));
    } else {
        __asan_unpoison_memory_region(value, __sanitizer_get_allocated_size(value));
    }
    atomic_store(&place->locked, false);
    (void)pthread_sigmask(SIG_SETMASK, before, NULL);
}

void rm_checked_value_seen(struct rm_checked_thread *thread, const struct rangemap *map, void *value)
{
    const struct rm_checked_kept *callbacks;
    const struct rangemap_domain *domain;
    struct rm_checked_value *place;
    sigset_t before;

    if (!poisons()) {
        return;
    }
    callbacks = rm_checked_callbacks(map);
    if (callbacks != NULL && callbacks->theirs.release == NULL) {
        return;
    }
    domain = rm_checked_domain(rangemap_domain_of(map));
    place = lock_place(value, &before);
    if (place == NULL) {
        return;
    }
    if (callbacks == NULL) {
        place->is_excused = true;
    } else if (rm_checked_holds(thread, domain)) {
        place->holders++; /* one that finds no room is never taken back */
        if (thread->seen_count < RM_CHECKED_SEEN) {
            thread->seen[thread->seen_count++] = (struct rm_checked_seen){domain, value};
        }
    }
    unlock_place(place, value, &before);
}

/* A handler that looks something up meanwhile, and ends its section, would take the same ones back again. */
void rm_checked_values_end(struct rm_checked_thread *thread, const struct rangemap_domain *domain)
{
    unsigned kept = 0;
    sigset_t signals;

    if (thread->seen_count == 0) {
        return;
    }
    block_signals(&signals);
    for (unsigned i = 0; i < thread->seen_count; i++) {
        struct rm_checked_value *place;
        sigset_t before;

        if (thread->seen[i].domain != domain) {
            thread->seen[kept++] = thread->seen[i];
        } else if ((place = lock_place(thread->seen[i].value, &before)) != NULL) {
            place->holders--;
            unlock_place(place, thread->seen[i].value, &before);
        }
    }
    thread->seen_count = kept;
    (void)pthread_sigmask(SIG_SETMASK, &signals, NULL);
}

struct rm_checked_value *rm_checked_value_hold(bool is_owned, void *value)
{
    struct rm_checked_value *place = NULL;
    sigset_t before;

    if (is_owned && poisons()) {
        place = lock_place(value, &before);
    }
    if (place != NULL) {
        place->holders++;
        unlock_place(place, value, &before);
    } else {
        rm_checked_value_open(value);
    }
    return place;
}

void rm_checked_value_drop(struct rm_checked_value *place)
{
    sigset_t before;

    if (place != NULL) {
        lock(place, &before);
        place->holders--;
        atomic_store(&place->locked, false);
        (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
}

void rm_checked_value_open(void *value)
{
    if (poisons() && value != NULL && __sanitizer_get_ownership(value) != 0) {
        __asan_unpoison_memory_region(value, __sanitizer_get_allocated_size(value));
    }
}

void rm_checked_values_fork_child(void)
{
    for (size_t i = 0; i < sizeof seen_values / sizeof seen_values[0]; i++) {
        atomic_store(&seen_values[i].locked, false);
    }
}
#endif
