// SPDX-License-Identifier: BSD-2-Clause
#include "examples/vmwatch/arena.h"

#include <linux/mman.h>
#include <sys/resource.h>

#include "examples/preload/sys.h"

static char *base;
static size_t capacity;
static size_t used; /* any thread adds */

enum { SHARE = 16, LEAST = 4 << 20 };

/* A small part of what the program is allowed, which is the program's. */
static size_t wanted_bytes(void)
{
    static const int limits[] = {RLIMIT_AS, RLIMIT_DATA};
    size_t bytes = (size_t)1 << 30;

    for (unsigned i = 0; i < sizeof limits / sizeof *limits; i++) {
        struct rlimit limit;

        while (getrlimit((__rlimit_resource_t)limits[i], &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
               bytes > LEAST && bytes > limit.rlim_cur / SHARE) {
            bytes /= 2;
        }
    }
    return bytes;
}

bool arena_reserve(void)
{
    for (size_t bytes = wanted_bytes(); bytes >= LEAST; bytes /= 2) {
        struct sys_args args = {
            {0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, (uint64_t)-1, 0}};
        long result = sys_call(SYS_mmap, &args);

        if (!sys_failed(result)) {
            base = (char *)result;
            capacity = bytes;
            used = SYS_PAGE; /* offset 0 stands for nothing */
            return true;
        }
    }
    return false;
}

void *arena_alloc(size_t bytes, size_t alignment)
{
    size_t before = __atomic_load_n(&used, __ATOMIC_RELAXED);
    size_t start;

    do {
        /* The arena is aligned to pages only, and chunks want more. */
        start = (size_t)(-(sys_bits(base) + before) & (alignment - 1)) + before;
        if (start > capacity || capacity - start < bytes) {
            return NULL;
        }
    } while (!__atomic_compare_exchange_n(&used, &before, start + bytes, true, __ATOMIC_RELAXED,
                                          __ATOMIC_RELAXED));
    return base + start;
}

uint32_t arena_offset(const void *object)
{
    return (uint32_t)((const char *)object - base);
}

void *arena_at(uint32_t offset)
{
    return base + offset;
}

static void *chunk_alloc(size_t bytes, size_t alignment, void *context)
{
    (void)context;
    return arena_alloc(bytes, alignment);
}

static void chunk_free(void *chunk, size_t bytes, void *context)
{
    (void)chunk; /* the map lives as long as the process */
    (void)bytes;
    (void)context;
}

const struct rangemap_chunk_allocator arena_chunks = {chunk_alloc, chunk_free, NULL};
