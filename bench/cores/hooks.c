/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The callbacks of -fsanitize=thread, in the place of libtsan's, for a library compiled with it: each access of memory
 * whose address the compiler could not prove to be its own. ck's inline assembly is no access to the compiler: the
 * library tells of it (base/explorer.h). What the library asks of the kernel is asked of the simulator, by the
 * linker's --wrap.
 */
#include "bench/cores/library.h"
#include "rangemap/base/system.h"
#include "rangemap/epoch/section.h"

/* ---- plain accesses ---- */

#define PLAIN(BYTES)                                                                                         \
    void __tsan_read##BYTES(void *address);                                                                  \
    void __tsan_read##BYTES(void *address)                                                                   \
    {                                                                                                        \
        cores_access(address, BYTES, CORES_READ);                                                            \
    }                                                                                                        \
    void __tsan_write##BYTES(void *address);                                                                 \
    void __tsan_write##BYTES(void *address)                                                                  \
    {                                                                                                        \
        cores_access(address, BYTES, CORES_WRITE);                                                           \
    }                                                                                                        \
    void __tsan_unaligned_read##BYTES(void *address);                                                        \
    void __tsan_unaligned_read##BYTES(void *address)                                                         \
    {                                                                                                        \
        cores_access(address, BYTES, CORES_READ);                                                            \
    }                                                                                                        \
    void __tsan_unaligned_write##BYTES(void *address);                                                       \
    void __tsan_unaligned_write##BYTES(void *address)                                                        \
    {                                                                                                        \
        cores_access(address, BYTES, CORES_WRITE);                                                           \
    }

PLAIN(1)
PLAIN(2)
PLAIN(4)
PLAIN(8)
PLAIN(16)

void __tsan_read_range(void *address, size_t bytes);
void __tsan_read_range(void *address, size_t bytes)
{
    cores_access(address, bytes, CORES_READ);
}

void __tsan_write_range(void *address, size_t bytes);
void __tsan_write_range(void *address, size_t bytes)
{
    cores_access(address, bytes, CORES_WRITE);
}

void __tsan_init(void);
void __tsan_init(void)
{
}

void __tsan_func_entry(void *caller);
void __tsan_func_entry(void *caller)
{
    (void)caller;
    cores_call();
}

void __tsan_func_exit(void);
void __tsan_func_exit(void)
{
}

/* ---- atomic ones; orders cost what the instructions for them cost on x86-64 ---- */

#define READ_WRITE(BITS, TYPE)                                                                               \
    TYPE __tsan_atomic##BITS##_load(const volatile TYPE *address, int order);                                \
    TYPE __tsan_atomic##BITS##_load(const volatile TYPE *address, int order)                                 \
    {                                                                                                        \
        (void)order;                                                                                         \
        cores_access((const void *)(uintptr_t)address, sizeof(TYPE), CORES_READ);                            \
        return __atomic_load_n(address, __ATOMIC_SEQ_CST);                                                   \
    }                                                                                                        \
    void __tsan_atomic##BITS##_store(volatile TYPE *address, TYPE value, int order);                         \
    void __tsan_atomic##BITS##_store(volatile TYPE *address, TYPE value, int order)                          \
    {                                                                                                        \
        cores_access((const void *)(uintptr_t)address, sizeof(TYPE),                                         \
                     order == __ATOMIC_SEQ_CST ? CORES_UPDATE : CORES_WRITE);                                \
        __atomic_store_n(address, value, __ATOMIC_SEQ_CST);                                                  \
    }                                                                                                        \
    int __tsan_atomic##BITS##_compare_exchange_strong(volatile TYPE *address, TYPE *expected, TYPE desired,  \
                                                      int order, int failure);                               \
    int __tsan_atomic##BITS##_compare_exchange_strong(volatile TYPE *address, TYPE *expected, TYPE desired,  \
                                                      int order, int failure)                                \
    {                                                                                                        \
        (void)order;                                                                                         \
        (void)failure;                                                                                       \
        cores_access((const void *)(uintptr_t)address, sizeof(TYPE), CORES_UPDATE);                          \
        return __atomic_compare_exchange_n(address, expected, desired, 0, __ATOMIC_SEQ_CST,                  \
                                           __ATOMIC_SEQ_CST);                                                \
    }                                                                                                        \
    TYPE __tsan_atomic##BITS##_compare_exchange_val(volatile TYPE *address, TYPE expected, TYPE desired,     \
                                                    int order, int failure);                                 \
    TYPE __tsan_atomic##BITS##_compare_exchange_val(volatile TYPE *address, TYPE expected, TYPE desired,     \
                                                    int order, int failure)                                  \
    {                                                                                                        \
        (void)__tsan_atomic##BITS##_compare_exchange_strong(address, &expected, desired, order, failure);    \
        return expected; /* clang's */                                                                       \
    }

#define CHANGE(BITS, TYPE, NAME, BUILTIN)                                                                    \
    TYPE __tsan_atomic##BITS##_##NAME(volatile TYPE *address, TYPE value, int order);                        \
    TYPE __tsan_atomic##BITS##_##NAME(volatile TYPE *address, TYPE value, int order)                         \
    {                                                                                                        \
        (void)order;                                                                                         \
        cores_access((const void *)(uintptr_t)address, sizeof(TYPE), CORES_UPDATE);                          \
        return BUILTIN(address, value, __ATOMIC_SEQ_CST);                                                    \
    }

#define ATOMIC(BITS, TYPE)                                                                                   \
    READ_WRITE(BITS, TYPE)                                                                                   \
    CHANGE(BITS, TYPE, exchange, __atomic_exchange_n)                                                        \
    CHANGE(BITS, TYPE, fetch_add, __atomic_fetch_add)                                                        \
    CHANGE(BITS, TYPE, fetch_sub, __atomic_fetch_sub)                                                        \
    CHANGE(BITS, TYPE, fetch_and, __atomic_fetch_and)                                                        \
    CHANGE(BITS, TYPE, fetch_or, __atomic_fetch_or)

ATOMIC(8, uint8_t)
ATOMIC(32, uint32_t)
ATOMIC(64, uint64_t)

void __tsan_atomic_thread_fence(int order);
void __tsan_atomic_thread_fence(int order)
{
    if (order == __ATOMIC_SEQ_CST) {
        cores_fence();
    }
}

void __tsan_atomic_signal_fence(int order);
void __tsan_atomic_signal_fence(int order)
{
    (void)order;
}

/* ---- what ck's inline assembly does ---- */

/*
 * A 4-byte word is `active` or `epoch` of a record; 8-byte words are the vocabulary's, whose stores the compiler
 * instruments.
 */
void rm_explorer_delay(const void *address, size_t bytes)
{
    if (bytes == sizeof(unsigned)) {
        cores_access(address, bytes, CORES_WRITE);
    }
}

/* Behind the store of `active`; both together are ck's locked exchange. */
void rm_explorer_fence(void)
{
    cores_fence();
}

/* A section has noted the epoch. */
void rm_explorer_section(bool begins)
{
    if (begins) {
        cores_access(&rm_thread_last->section.global->epoch, sizeof(unsigned), CORES_READ);
        cores_access(&rm_thread_last->section.epoch, sizeof(unsigned), CORES_WRITE);
    }
}

void rm_cores_prefetch(const void *address)
{
    cores_prefetch(address);
}

/* ---- the kernel ---- */

int __wrap_rm_thread_number(void);
int __wrap_rm_thread_number(void)
{
    return cores_thread_number();
}

bool __wrap_rm_thread_is_gone(int number, bool had_list);
bool __wrap_rm_thread_is_gone(int number, bool had_list)
{
    (void)number;
    (void)had_list;
    return false;
}

uint64_t __wrap_rm_thread_cpu_ns(int number);
uint64_t __wrap_rm_thread_cpu_ns(int number)
{
    (void)number;
    return cores_now_ns();
}

uint64_t __wrap_rm_coarse_ns(void);
uint64_t __wrap_rm_coarse_ns(void)
{
    return cores_tick_ns();
}

int __wrap_rm_membarrier(int command);
int __wrap_rm_membarrier(int command)
{
    (void)command;
    cores_barrier();
    return 0;
}

void __wrap_rm_back_off(unsigned *attempts);
void __wrap_rm_back_off(unsigned *attempts)
{
    (*attempts)++;
    cores_pause(1000);
}

void *__wrap_rm_pages_map(size_t bytes, bool accounted);
void *__wrap_rm_pages_map(size_t bytes, bool accounted)
{
    (void)accounted;
    return cores_map(bytes);
}

void __wrap_rm_pages_unmap(void *pages, size_t bytes);
void __wrap_rm_pages_unmap(void *pages, size_t bytes)
{
    cores_unmap(pages, bytes);
}
