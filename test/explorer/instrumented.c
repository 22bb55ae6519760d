// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a compiler's -fsanitize=thread makes of the library's accesses are calls, of atomics with their orders. Here
 * they come to views.h instead of ThreadSanitizer's library: so no access is missed, and the sources need not know of
 * it.
 *
 * The names are the compiler's, and it has its own idea of their types, hence the labels.
 */
#include <string.h>

#include "test/explorer/shadow.h"
#include "test/explorer/threads.h"
#include "test/explorer/views.h"
#include "test/explorer/words.h"

/* Macros, as the functions differ in names and types only. */
#define CALL(name) __asm__("__tsan_" name)

/* ---- plain accesses ---- */

static void plain_read(const void *address, size_t bytes)
{
    unsigned thread;

    if (threads_is_weak(&thread) && (shadow_holds(address) || threads_is_record(address))) {
        views_read(thread, address, bytes);
        threads_have_accessed();
    }
}

static void plain_write(const void *address, size_t bytes)
{
    unsigned thread;

    if (threads_is_weak(&thread) && (shadow_holds(address) || threads_is_record(address))) {
        views_write(thread, address, bytes);
        threads_have_accessed();
    }
}

#define PLAIN(bytes)                                                                                         \
    void instrumented_read##bytes(const void *address) CALL("read" #bytes);                                  \
    void instrumented_write##bytes(const void *address) CALL("write" #bytes);                                \
    void instrumented_read##bytes(const void *address)                                                       \
    {                                                                                                        \
        plain_read(address, bytes);                                                                          \
    }                                                                                                        \
    void instrumented_write##bytes(const void *address)                                                      \
    {                                                                                                        \
        plain_write(address, bytes);                                                                         \
    }

PLAIN(1)
PLAIN(2)
PLAIN(4)
PLAIN(8)
PLAIN(16)

#define UNALIGNED(bytes)                                                                                     \
    void instrumented_unaligned_read##bytes(const void *address) CALL("unaligned_read" #bytes);              \
    void instrumented_unaligned_write##bytes(const void *address) CALL("unaligned_write" #bytes);            \
    void instrumented_unaligned_read##bytes(const void *address)                                             \
    {                                                                                                        \
        plain_read(address, bytes);                                                                          \
    }                                                                                                        \
    void instrumented_unaligned_write##bytes(const void *address)                                            \
    {                                                                                                        \
        plain_write(address, bytes);                                                                         \
    }

UNALIGNED(2)
UNALIGNED(4)
UNALIGNED(8)
UNALIGNED(16)

void instrumented_read_range(const void *address, size_t bytes) CALL("read_range");
void instrumented_read_range(const void *address, size_t bytes)
{
    plain_read(address, bytes);
}

void instrumented_write_range(const void *address, size_t bytes) CALL("write_range");
void instrumented_write_range(const void *address, size_t bytes)
{
    plain_write(address, bytes);
}

/* clang calls the first three; gcc the C library's, which the linker renames (--wrap). */
void *instrumented_memcpy(void *to, const void *from, size_t bytes) CALL("memcpy");
void *instrumented_memmove(void *to, const void *from, size_t bytes) CALL("memmove");
void *instrumented_memset(void *to, int byte, size_t bytes) CALL("memset");
void *wrapped_memcpy(void *to, const void *from, size_t bytes) __asm__("__wrap_memcpy");
void *wrapped_memmove(void *to, const void *from, size_t bytes) __asm__("__wrap_memmove");
void *wrapped_memset(void *to, int byte, size_t bytes) __asm__("__wrap_memset");
void *real_memmove(void *to, const void *from, size_t bytes) __asm__("__real_memmove");
void *real_memset(void *to, int byte, size_t bytes) __asm__("__real_memset");

void *wrapped_memmove(void *to, const void *from, size_t bytes)
{
    plain_read(from, bytes);
    plain_write(to, bytes);
    return real_memmove(to, from, bytes);
}

void *wrapped_memset(void *to, int byte, size_t bytes)
{
    plain_write(to, bytes);
    return real_memset(to, byte, bytes);
}

void *wrapped_memcpy(void *to, const void *from, size_t bytes)
{
    return wrapped_memmove(to, from, bytes);
}

void *instrumented_memcpy(void *to, const void *from, size_t bytes)
{
    return wrapped_memmove(to, from, bytes);
}

void *instrumented_memmove(void *to, const void *from, size_t bytes)
{
    return wrapped_memmove(to, from, bytes);
}

void *instrumented_memset(void *to, int byte, size_t bytes)
{
    return wrapped_memset(to, byte, bytes);
}

/* ---- atomic ones ---- */

static uint64_t atomic_load(const void *address, unsigned bytes, int order)
{
    unsigned thread;
    uint64_t value;

    if (!threads_is_weak(&thread)) {
        return words_value(address, bytes);
    }
    threads_will_access(address);
    value = views_load(thread, address, bytes, order);
    threads_have_accessed();
    return value;
}

static void atomic_store(void *address, unsigned bytes, uint64_t value, int order)
{
    unsigned thread;

    if (!threads_is_weak(&thread)) {
        words_set_value(address, bytes, value);
        return;
    }
    threads_will_access(address);
    views_store(thread, address, bytes, value, order);
    threads_have_accessed();
}

static uint64_t atomic_update(void *address, unsigned bytes, enum views_update kind, uint64_t operand,
                              int order)
{
    unsigned thread;
    uint64_t before = words_value(address, bytes);

    if (!threads_is_weak(&thread)) {
        words_set_value(address, bytes, views_updated(kind, before, operand));
        return before;
    }
    threads_will_access(address);
    before = views_update(thread, address, bytes, kind, operand, order);
    threads_have_accessed();
    return before;
}

static int atomic_exchange(void *address, unsigned bytes, uint64_t *expected, uint64_t desired, int order,
                           int failed_order)
{
    unsigned thread;
    uint64_t wanted = *expected;
    bool done;

    if (!threads_is_weak(&thread)) {
        *expected = words_value(address, bytes);
        if (*expected == wanted) {
            words_set_value(address, bytes, desired);
        }
        return *expected == wanted;
    }
    threads_will_access(address);
    done = views_exchange(thread, address, bytes, expected, desired, order, failed_order);
    threads_have_accessed();
    return done;
}

#define UPDATE(bits, name, kind)                                                                             \
    uint##bits##_t instrumented_##name##bits(volatile void *address, uint##bits##_t operand, int order)      \
        CALL("atomic" #bits "_" #name);                                                                      \
    uint##bits##_t instrumented_##name##bits(volatile void *address, uint##bits##_t operand, int order)      \
    {                                                                                                        \
        return (uint##bits##_t)atomic_update((void *)(uintptr_t)address, bits / 8, kind, operand, order);    \
    }

/* clang's, which returns what was there. */
#define EXCHANGE_VALUE(bits)                                                                                 \
    uint##bits##_t instrumented_cas_value##bits(volatile void *address, uint##bits##_t expected,             \
                                                uint##bits##_t desired, int order, int failed_order)         \
        CALL("atomic" #bits "_compare_exchange_val");                                                        \
    uint##bits##_t instrumented_cas_value##bits(volatile void *address, uint##bits##_t expected,             \
                                                uint##bits##_t desired, int order, int failed_order)         \
    {                                                                                                        \
        uint64_t value = expected;                                                                           \
                                                                                                             \
        (void)atomic_exchange((void *)(uintptr_t)address, bits / 8, &value, desired, order, failed_order);   \
        return (uint##bits##_t)value;                                                                        \
    }

#define ATOMIC(bits)                                                                                         \
    uint##bits##_t instrumented_load##bits(const volatile void *address, int order)                          \
        CALL("atomic" #bits "_load");                                                                        \
    void instrumented_store##bits(volatile void *address, uint##bits##_t value, int order)                   \
        CALL("atomic" #bits "_store");                                                                       \
    int instrumented_cas##bits(volatile void *address, void *expected, uint##bits##_t desired, int order,    \
                               int failed_order) CALL("atomic" #bits "_compare_exchange_strong");            \
    uint##bits##_t instrumented_load##bits(const volatile void *address, int order)                          \
    {                                                                                                        \
        return (uint##bits##_t)atomic_load((const void *)(uintptr_t)address, bits / 8, order);               \
    }                                                                                                        \
    void instrumented_store##bits(volatile void *address, uint##bits##_t value, int order)                   \
    {                                                                                                        \
        atomic_store((void *)(uintptr_t)address, bits / 8, value, order);                                    \
    }                                                                                                        \
    int instrumented_cas##bits(volatile void *address, void *expected, uint##bits##_t desired, int order,    \
                               int failed_order)                                                             \
    {                                                                                                        \
        uint64_t value = words_value(expected, bits / 8);                                                    \
        int done =                                                                                           \
            atomic_exchange((void *)(uintptr_t)address, bits / 8, &value, desired, order, failed_order);     \
                                                                                                             \
        words_set_value(expected, bits / 8, value);                                                          \
        return done;                                                                                         \
    }                                                                                                        \
    EXCHANGE_VALUE(bits)                                                                                     \
    UPDATE(bits, exchange, VIEWS_SWAP)                                                                       \
    UPDATE(bits, fetch_add, VIEWS_ADD)                                                                       \
    UPDATE(bits, fetch_and, VIEWS_AND)                                                                       \
    UPDATE(bits, fetch_or, VIEWS_OR)

ATOMIC(32)
ATOMIC(64)

void instrumented_fence(int order) CALL("atomic_thread_fence");
void instrumented_fence(int order)
{
    unsigned thread;

    if (threads_is_weak(&thread)) {
        views_fence(thread, order);
    }
}

/* ---- what says nothing here ---- */

void instrumented_signal_fence(int order) CALL("atomic_signal_fence");
void instrumented_signal_fence(int order)
{
    (void)order;
}

void instrumented_init(void) CALL("init");
void instrumented_init(void)
{
}

void instrumented_entry(void *caller) CALL("func_entry");
void instrumented_entry(void *caller)
{
    (void)caller;
}

void instrumented_exit(void) CALL("func_exit");
void instrumented_exit(void)
{
}

/* rm_happens_acquire() and _release(): what these tell ThreadSanitizer the orders themselves must show here. */
void instrumented_acquire(void *object) CALL("acquire");
void instrumented_acquire(void *object)
{
    (void)object;
}

void instrumented_release(void *object) CALL("release");
void instrumented_release(void *object)
{
    (void)object;
}
