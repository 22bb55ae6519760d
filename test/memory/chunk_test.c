// SPDX-License-Identifier: BSD-2-Clause
/*
 * Chunks and the first one's layout: what is asked of the system and given back to it, byte by byte; what becomes of an
 * address that slots cannot hold; and a home in which nothing lies on top of anything else, whatever its owner's size.
 */
#define _GNU_SOURCE /* MADV_HUGEPAGE */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "test/memory/pool_rig.h"

#if defined(__SANITIZE_THREAD__)
enum { SEES_MAPPINGS = 0 }; /* mappings are made by libc's functions there */
#else
enum { SEES_MAPPINGS = 1 };
#endif

/* ---- what the library asks of the kernel ---- */

static struct {
    uint64_t mapped, unmapped, first_bytes; /* of the first mapping */
    unsigned maps, unmaps, huge, accounted;
    size_t huge_bytes;
    void *huge_at;
    size_t shift; /* of what mappings are made next, from a multiple of the largest alignment */
    bool shifts, refuses;
} seen;

long real_syscall(long number, ...) __asm__("__real_syscall");
long seen_syscall(long number, ...) __asm__("__wrap_syscall");

static long map_shifted(size_t bytes)
{
    char *wide = mmap(NULL, bytes + (size_t)2 * RM_CHUNK_MAX_BYTES, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    char *at = wide + (-(uintptr_t)wide & (RM_CHUNK_MAX_BYTES - 1)) + seen.shift;

    if (wide == MAP_FAILED) {
        return -1;
    }
    if (at != wide) {
        (void)munmap(wide, (size_t)(at - wide));
    }
    (void)munmap(at + bytes, (size_t)(wide + bytes + (size_t)2 * RM_CHUNK_MAX_BYTES - (at + bytes)));
    return (long)at;
}

long seen_syscall(long number, ...)
{
    long argument[6];
    va_list list;

    va_start(list, number);
    for (unsigned i = 0; i < 6; i++) {
        argument[i] = va_arg(list, long);
    }
    va_end(list);
    if (number == SYS_mmap) {
        seen.first_bytes = seen.maps++ == 0 ? (uint64_t)argument[1] : seen.first_bytes;
        seen.mapped += (uint64_t)argument[1];
        seen.accounted += (argument[3] & MAP_NORESERVE) == 0;
        if (seen.refuses) {
            errno = ENOMEM;
            return -1;
        }
        if (seen.shifts) {
            return map_shifted((size_t)argument[1]);
        }
    } else if (number == SYS_munmap) {
        seen.unmaps++;
        seen.unmapped += (uint64_t)argument[1];
    } else if (number == SYS_madvise && argument[2] == MADV_HUGEPAGE) {
        seen.huge++;
        seen.huge_at = (void *)argument[0];
        seen.huge_bytes = (size_t)argument[1];
    }
    return real_syscall(number, argument[0], argument[1], argument[2], argument[3], argument[4], argument[5]);
}

/* ---- mappings ---- */

/* Wherever the system puts it: what is left is the chunk, aligned, and all of it. */
static void map_and_free(size_t bytes, size_t shift)
{
    size_t alignment = bytes < RM_CHUNK_MAX_BYTES ? RM_CHUNK_MIN_BYTES : RM_CHUNK_MAX_BYTES;
    char *chunk;

    memset(&seen, 0, sizeof seen);
    seen.shifts = true;
    seen.shift = shift;
    chunk = rm_chunk_alloc(&rm_chunk_mmap, bytes);
    REQUIRE(chunk != NULL);
    CHECK_EQ((uintptr_t)chunk % alignment, 0u);
    CHECK_EQ(seen.mapped - seen.unmapped, SEES_MAPPINGS ? bytes : 0, "%zu bytes, %zu", bytes, shift);
    CHECK_EQ(seen.unmaps, SEES_MAPPINGS ? 1u + (shift % alignment != 0) : 0u);
    CHECK_EQ(seen.accounted, 0u, "memory is had when it is touched");
    CHECK_EQ(seen.huge, bytes >= RM_CHUNK_MAX_BYTES);
    CHECK(seen.huge == 0 || (seen.huge_at == chunk && seen.huge_bytes == bytes));
    rm_unpoison(chunk, bytes);
    for (size_t i = 0; i < bytes; i += 4096) {
        CHECK_EQ(chunk[i], 0);
        chunk[i] = 1;
    }
    rm_chunk_free(&rm_chunk_mmap, chunk, bytes);
    CHECK_EQ(seen.mapped, seen.unmapped, "%zu bytes, %zu", bytes, shift);
}

TEST_CASE(chunk, nothing_but_the_chunk_stays_mapped)
{
    static const size_t size[] = {RM_CHUNK_MIN_BYTES, 2 * RM_CHUNK_MIN_BYTES, RM_CHUNK_MAX_BYTES / 2,
                                  RM_CHUNK_MAX_BYTES, 2 * RM_CHUNK_MAX_BYTES};

    for (unsigned i = 0; i < sizeof size / sizeof *size; i++) {
        map_and_free(size[i], 0);
        map_and_free(size[i], RM_CHUNK_MIN_BYTES);
        map_and_free(size[i], RM_CHUNK_MIN_BYTES / 4);
        map_and_free(size[i], RM_CHUNK_MAX_BYTES - RM_CHUNK_MIN_BYTES / 4);
    }
}

TEST_CASE(chunk, none_if_the_system_has_none)
{
    if (!SEES_MAPPINGS) {
        TEST_SKIP("mappings are made by libc's functions");
    }
    memset(&seen, 0, sizeof seen);
    seen.refuses = true;
    errno = 77;
    CHECK(rm_chunk_alloc(&rm_chunk_mmap, RM_CHUNK_MIN_BYTES) == NULL);
    CHECK(rm_pool_home(NULL, OWNER_BYTES) == NULL);
    CHECK(!rm_chunk_is_plausible(&rm_chunk_mmap, RM_CHUNK_MIN_BYTES));
    CHECK_EQ(errno, 77);
    CHECK_EQ(seen.unmaps, 0u);
    seen.refuses = false;
}

/* It is tried, and nothing stays of that. A caller's allocator is not asked. */
TEST_CASE(chunk, plausible_is_what_the_system_would_give)
{
    static struct chunk_source source;

    memset(&seen, 0, sizeof seen);
    CHECK(rm_chunk_is_plausible(&rm_chunk_mmap, 3 * RM_CHUNK_MIN_BYTES));
    CHECK_EQ(seen.mapped, SEES_MAPPINGS ? 3u * RM_CHUNK_MIN_BYTES : 0u);
    CHECK_EQ(seen.accounted, SEES_MAPPINGS ? 1u : 0u, "else the system would promise anything");
    CHECK_EQ(seen.unmapped, seen.mapped);
    CHECK(!rm_chunk_is_plausible(&rm_chunk_mmap, SIZE_MAX / 2 - RM_CHUNK_MIN_BYTES + 1));
    chunk_source_init(&source);
    source.fail_all = true;
    CHECK(rm_chunk_is_plausible(&source.allocator, SIZE_MAX / 2));
    CHECK_EQ(source.calls, 0u);
}

/* Of a reservation what is missing is tried, before anything is taken. */
TEST_CASE(chunk, what_is_missing_is_tried)
{
    enum { USED_BYTES = (RM_SLAB_LINES - (RM_LINES_MAX - 1)) * RM_CACHE_LINE };
    struct rm_pool *pool = new_pool(NULL);
    static struct rm_cache cache;

    if (!SEES_MAPPINGS) {
        TEST_SKIP("mappings are made by libc's functions");
    }
    for (unsigned slabs = RM_SIZES; slabs < 60; slabs = slabs * 3 / 2) {
        unsigned before = cache.reserved_slabs;

        memset(&seen, 0, sizeof seen);
        REQUIRE(rm_cache_reserve(&cache, pool, (uint64_t)(slabs - RM_SIZES) * USED_BYTES));
        CHECK_EQ(seen.first_bytes, (uint64_t)(slabs - before) * RM_SLAB_BYTES, "%u slabs", slabs);
        CHECK_EQ(cache.reserved_slabs, slabs);
    }
    rm_cache_flush(&cache, pool);
    rm_pool_destroy(pool);
}

/* The pages are zero afterwards, and those beside them are not. */
TEST_CASE(chunk, discards_just_these_pages)
{
    enum { AT = RM_CHUNK_MIN_BYTES, BYTES = RM_CHUNK_MIN_BYTES };
    char *chunk = rm_chunk_alloc(&rm_chunk_mmap, 4 * RM_CHUNK_MIN_BYTES);

    REQUIRE(chunk != NULL);
    rm_unpoison(chunk, 4 * RM_CHUNK_MIN_BYTES);
    memset(chunk, 1, 4 * RM_CHUNK_MIN_BYTES);
    CHECK(rm_chunk_discard(chunk + AT, BYTES));
    CHECK(chunk[AT - 1] == 1 && chunk[AT] == 0 && chunk[AT + BYTES - 1] == 0 && chunk[AT + BYTES] == 1);
    CHECK(!rm_chunk_discard(chunk + AT + 64, BYTES), "no page begins there");
    rm_chunk_free(&rm_chunk_mmap, chunk, 4 * RM_CHUNK_MIN_BYTES);
}

/* ---- addresses ---- */

static struct {
    uintptr_t address;
    size_t bytes, alignment;
    unsigned given;
} far_away;

static void *take_far_away(size_t bytes, size_t alignment, void *context)
{
    CHECK_EQ(context, &far_away);
    far_away.bytes = bytes;
    far_away.alignment = alignment;
    return (void *)far_away.address;
}

static void give_far_away(void *chunk, size_t bytes, void *context)
{
    CHECK_EQ(context, &far_away);
    CHECK_EQ((uintptr_t)chunk, far_away.address);
    CHECK_EQ(bytes, far_away.bytes);
    far_away.given++;
}

/* Of what a slot cannot hold the address of any byte is given back. */
TEST_CASE(chunk, addresses_that_fit_no_slot_are_refused)
{
    const struct rangemap_chunk_allocator allocator = {take_far_away, give_far_away, &far_away};
    const uintptr_t end = UINT64_C(1) << RM_ADDRESS_BITS;
    const uintptr_t bad[] = {end, end - RM_CHUNK_MIN_BYTES, end * 2, 0 - (uintptr_t)RM_CHUNK_MAX_BYTES};

    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        far_away.address = bad[i];
        far_away.given = 0;
        CHECK(rm_chunk_alloc(&allocator, 2 * RM_CHUNK_MIN_BYTES) == NULL, "%#llx",
              (unsigned long long)bad[i]);
        CHECK_EQ(far_away.given, 1u);
    }
#if !defined(RM_ASAN)
    far_away.address = end - 2 * RM_CHUNK_MIN_BYTES;
    far_away.given = 0;
    CHECK_EQ((uintptr_t)rm_chunk_alloc(&allocator, 2 * RM_CHUNK_MIN_BYTES), far_away.address,
             "the last that fits");
    CHECK_EQ(far_away.given, 0u);
    rm_chunk_free(&allocator, (void *)far_away.address, 2 * RM_CHUNK_MIN_BYTES);
    CHECK_EQ(far_away.given, 1u);
#endif
}

/* Smaller ones by their unit, larger ones by a huge page. */
TEST_CASE(chunk, are_asked_for_with_their_alignment)
{
    const struct rangemap_chunk_allocator allocator = {take_far_away, give_far_away, &far_away};

    far_away.address = 0;
    for (size_t bytes = RM_CHUNK_MIN_BYTES; bytes <= 2 * RM_CHUNK_MAX_BYTES; bytes += RM_CHUNK_MIN_BYTES) {
        far_away.given = 0;
        CHECK(rm_chunk_alloc(&allocator, bytes) == NULL);
        CHECK_EQ(far_away.bytes, bytes);
        CHECK_EQ(far_away.alignment,
                 bytes < RM_CHUNK_MAX_BYTES ? (size_t)RM_CHUNK_MIN_BYTES : RM_CHUNK_MAX_BYTES);
        CHECK_EQ(far_away.given, 0u, "nothing was had");
    }
}

/* ---- the home ---- */

static size_t dirty_bytes;

/* What a caller's memory is at first: not zero. */
static void *take_dirty(size_t bytes, size_t alignment, void *context)
{
    void *chunk = aligned_alloc(alignment, bytes);

    (void)context;
    REQUIRE(chunk != NULL);
    dirty_bytes = bytes;
    return memset(chunk, 0xa5, bytes);
}

static void give_dirty(void *chunk, size_t bytes, void *context)
{
    (void)context;
    CHECK_EQ(bytes, dirty_bytes);
    dirty_bytes = 0;
    free(chunk);
}

/* Everything that the pool has to give, written to: to the last byte of the chunk, as it must fit. */
static void fill_home(struct rm_pool *pool, const char *home, size_t bytes)
{
    static struct rm_slab *slab[64];
    unsigned slabs = 0;
    void *line;

    while ((line = rm_pool_take_starter(pool, 1)) != NULL) {
        CHECK_GE((const char *)line, home + bytes);
        CHECK_LE((const char *)line + RM_CACHE_LINE, (const char *)pool->tables);
        rm_unpoison(line, RM_CACHE_LINE);
        memset(line, 0xff, RM_CACHE_LINE);
    }
    while ((slab[slabs] = rm_pool_take_idle(pool)) != NULL) {
        const char *at = (const char *)slab[slabs];

        CHECK_GE(at, (const char *)pool->tables + rm_table_bytes(pool->tables->extents));
        CHECK_LE(at + RM_SLAB_BYTES, home + dirty_bytes);
        rm_unpoison(slab[slabs] + 1, RM_SLAB_BYTES - sizeof **slab);
        memset(slab[slabs] + 1, 0xff, RM_SLAB_BYTES - sizeof **slab);
        slabs++;
    }
    CHECK_GE(slabs, 2u, "two at least");
    CHECK_LE(slabs, 9u, "and no whole unit more");
    CHECK_EQ(rm_load_relaxed(&pool->busy_slabs), slabs);
    CHECK_EQ(rm_load_relaxed(&pool->dirty_slabs), 0u);
    while (slabs-- > 0) {
        rm_pool_give_slab(pool, slab[slabs]);
    }
}

/* What is left of the owner's first slab's worth beside the first table is for nodes of any size: 64 lines at most. */
static unsigned starter_lines(size_t bytes)
{
    size_t first = rm_table_bytes(1),
           left = bytes + first < RM_SLAB_BYTES ? RM_SLAB_BYTES - first - bytes : 0;

    return left / RM_CACHE_LINE < 64 ? (unsigned)(left / RM_CACHE_LINE) : 64;
}

static void try_home(size_t bytes)
{
    const struct rangemap_chunk_allocator allocator = {take_dirty, give_dirty, NULL};
    char *home = rm_pool_home(&allocator, bytes);
    struct rm_pool *pool = (struct rm_pool *)(void *)home;

    REQUIRE(home != NULL);
    for (size_t i = 0; i < bytes; i++) {
        REQUIRE_EQ(home[i], 0, "%zu of %zu", i, bytes);
    }
    rm_pool_init(pool, &allocator, home, bytes);
    CHECK_EQ(rm_pool_measure(pool).chunk_bytes, dirty_bytes);
    CHECK_EQ(rm_pool_measure(pool).discarded_bytes, 0u, "a caller's are not known to be clean");
    CHECK_EQ(rm_bits_count(rm_load_relaxed(&pool->starter)), starter_lines(bytes), "%zu", bytes);
    CHECK_EQ(rm_pool_measure(pool).node_bytes, (uint64_t)starter_lines(bytes) * RM_CACHE_LINE);
    CHECK_EQ(rm_load_relaxed(&pool->dirty_slabs),
             rm_bits_count(rm_load_relaxed(&pool->tables->extent[0].set[RM_SET_IDLE])));
    fill_home(pool, home, bytes);
    rm_pool_destroy(pool);
    CHECK_EQ(dirty_bytes, 0u);
}

TEST_CASE(chunk, a_home_for_every_owner)
{
    for (size_t bytes = (sizeof(struct rm_pool) + RM_CACHE_LINE - 1) / RM_CACHE_LINE * RM_CACHE_LINE;
         bytes <= RM_CHUNK_MIN_BYTES; bytes += RM_CACHE_LINE) {
        try_home(bytes);
    }
}
