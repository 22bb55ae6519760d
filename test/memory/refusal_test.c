// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is given back where the system takes more than it is told to, or nothing: larger pages, locked memory, as many
 * mappings as there may be; and a fork while a chunk is given back. The system calls are the test's.
 */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/memory/pool_rig.h"

enum { SLABS = 600 };

static struct rm_slab *slab[SLABS];
static unsigned slabs;
static struct rm_pool *pool;

static size_t page_bytes = 4096; /* the library's belief, and what madvise() does */
static bool refuses_advice, refuses_unmapping;
static unsigned advised, unmapped; /* calls */

unsigned long getauxval(unsigned long type)
{
    unsigned long (*real)(unsigned long) = (unsigned long (*)(unsigned long))dlsym(RTLD_NEXT, "getauxval");

    return type == AT_PAGESZ ? page_bytes : real(type);
}

/* As the kernel does with the length that it is given. */
static long advise(uintptr_t pages, size_t bytes, long advice)
{
    if (advice != MADV_DONTNEED) {
        return madvise((void *)pages, bytes, (int)advice);
    }
    advised++;
    if (refuses_advice || pages % page_bytes != 0) {
        errno = EINVAL;
        return -1;
    }
    return madvise((void *)pages, (bytes + page_bytes - 1) & ~(page_bytes - 1), MADV_DONTNEED);
}

long syscall(long number, ...)
{
    long (*real)(long, ...) = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
    va_list list;
    long a[6];

    va_start(list, number);
    for (unsigned i = 0; i < 6; i++) {
        a[i] = va_arg(list, long);
    }
    va_end(list);
    if (number == SYS_madvise) {
        return advise((uintptr_t)a[0], (size_t)a[1], a[2]);
    }
    if (number == SYS_munmap && refuses_unmapping) {
        unmapped++;
        errno = ENOMEM;
        return -1;
    }
    return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static void begin(void)
{
    page_bytes = 4096;
    refuses_advice = refuses_unmapping = false;
    pool = new_pool(NULL);
    for (slabs = 0; slabs < SLABS; slabs++) {
        slab[slabs] = rm_pool_take_slab(pool, 0);
        REQUIRE(slab[slabs] != NULL);
    }
    (void)rm_pool_trim(pool);
}

static char *middle_of(struct rm_slab *of)
{
    char *middle = (char *)of + RM_SLAB_BYTES / 2;

    rm_unpoison(middle, 1);
    return middle;
}

static void give_each(unsigned each)
{
    for (unsigned i = 0; i < SLABS; i++) {
        *middle_of(slab[i]) = 1;
        if (i % each == 0) {
            rm_pool_give_slab(pool, slab[i]);
            slab[i] = NULL;
        }
    }
}

static void end(void)
{
    page_bytes = 4096;
    refuses_advice = refuses_unmapping = false;
    for (unsigned i = 0; i < SLABS; i++) {
        if (slab[i] != NULL) {
            rm_pool_give_slab(pool, slab[i]);
        }
    }
    finish(pool, NULL);
}

/* ---- larger pages ---- */

/* What is beside them stays; and if all of a page is idle, it goes. */
static void discard_with(size_t bytes, unsigned stay_each)
{
    struct rm_pool_usage usage;

    begin();
    page_bytes = bytes;
    advised = 0;
    for (unsigned i = 0; i < SLABS; i++) {
        *middle_of(slab[i]) = 1;
        if (i % stay_each != 0) {
            rm_pool_give_slab(pool, slab[i]);
            slab[i] = NULL;
        }
    }
    (void)rm_pool_trim(pool);
    for (unsigned i = 0; i < SLABS; i += stay_each) {
        REQUIRE_EQ(*middle_of(slab[i]), 1, "pages of %zu, one of %u in use: slab %u", bytes, stay_each, i);
    }
    CHECK(advised > 0 || stay_each < 2 * bytes / RM_SLAB_BYTES, "pages of %zu, one of %u in use", bytes,
          stay_each);
    check_counts(pool);
    for (unsigned i = 0; i < SLABS; i += stay_each) {
        rm_pool_give_slab(pool, slab[i]);
        slab[i] = NULL;
    }
    (void)rm_pool_trim(pool);
    usage = rm_pool_measure(pool);
    CHECK_LE(usage.idle_bytes - usage.discarded_bytes, bytes, "all goes but what is beside the books");
    page_bytes = 4096;
    rm_pool_destroy(pool);
}

TEST_CASE(refusal, larger_pages_are_given_whole)
{
    for (size_t bytes = 4096; bytes <= 65536; bytes *= 2) {
        for (unsigned stay_each = 2; stay_each <= 64; stay_each *= 2) {
            discard_with(bytes, stay_each);
        }
        discard_with(bytes, 19);
    }
}

/* ---- locked memory ---- */

/* What was in use is no longer kept for that. */
static void let_time_pass(void)
{
    rm_store_relaxed(&pool->peak_ns, 0);
}

/* A look asks no more often than for what it may give. */
TEST_CASE(refusal, locked_memory_is_left)
{
    uint64_t before;

    begin();
    before = rm_pool_measure(pool).discarded_bytes; /* never touched */
    refuses_advice = true;
    give_each(2);
    let_time_pass();
    advised = 0;
    rm_pool_settle(pool, 8);
    CHECK_GE(advised, 1u);
    CHECK_LE(advised, 8u);
    advised = 0;
    CHECK(!rm_pool_trim(pool));
    CHECK_LE(advised, 64u, "an extent is asked for once");
    CHECK_EQ(rm_pool_measure(pool).discarded_bytes, before);
    check_counts(pool);
    refuses_advice = false;
    CHECK(rm_pool_trim(pool));
    CHECK_EQ(rm_pool_measure(pool).discarded_bytes, rm_pool_measure(pool).idle_bytes);
    end();
}

/* Whatever lies below it: chunks that are all idle go, little by little. */
TEST_CASE(refusal, locked_memory_keeps_no_chunk)
{
    uint64_t before;

    begin();
    before = rm_pool_measure(pool).chunk_bytes;
    refuses_advice = refuses_unmapping = true;
    for (unsigned i = 0; i < SLABS; i++) {
        if (i % 2 == 0 || i >= SLABS / 2) {
            *middle_of(slab[i]) = 1;
            rm_pool_give_slab(pool, slab[i]);
            slab[i] = NULL;
        }
    }
    CHECK_EQ(rm_pool_measure(pool).chunk_bytes, before);
    refuses_unmapping = false;
    let_time_pass();
    for (unsigned i = 0; i < 100; i++) {
        rm_pool_settle(pool, 2);
    }
    CHECK_LT(rm_pool_measure(pool).chunk_bytes, before);
    check_counts(pool);
    end();
}

/* ---- as many mappings as there may be ---- */

/* A chunk that cannot go is empty, and in the books: it goes when it can. */
TEST_CASE(refusal, chunks_that_stay_are_known)
{
    struct rm_pool_usage before, after;

    begin();
    before = rm_pool_measure(pool);
    refuses_unmapping = true;
    unmapped = 0;
    give_each(1);
    (void)rm_pool_trim(pool);
    CHECK_GE(unmapped, 1u);
    after = rm_pool_measure(pool);
    CHECK_EQ(after.chunk_bytes, before.chunk_bytes);
    CHECK_EQ(after.discarded_bytes, after.idle_bytes, "without pages");
    check_counts(pool);
    refuses_unmapping = false;
    (void)rm_pool_trim(pool);
    CHECK_LT(rm_pool_measure(pool).chunk_bytes, before.chunk_bytes);
    end();
}

/* ---- a fork while a chunk is given back ---- */

static struct chunk_source source;
static const void *given; /* the chunk that its allocator has just freed, in the child */
static bool forks, is_freed_twice;

static void free_and_fork(void *chunk, size_t bytes, void *context)
{
    is_freed_twice |= chunk == given;
    if (forks) {
        int status = 0;
        pid_t child;

        forks = false;
        child = fork();
        if (child == 0) {
            given = chunk;
            rm_pool_destroy(pool);
            _exit(is_freed_twice ? 1 : 0);
        }
        CHECK_EQ(waitpid(child, &status, 0), child);
        CHECK_EQ(status, 0, "the child's pool has given a chunk back that was gone");
    }
    source.allocator.free(chunk, bytes, context);
}

TEST_CASE(refusal, a_fork_meanwhile)
{
    struct rangemap_chunk_allocator allocator;

    chunk_source_init(&source);
    allocator = source.allocator;
    allocator.free = free_and_fork;
    pool = new_pool(&allocator);
    for (slabs = 0; slabs < 100; slabs++) {
        slab[slabs] = rm_pool_take_slab(pool, 0);
        REQUIRE(slab[slabs] != NULL);
    }
    while (slabs > 0) {
        rm_pool_give_slab(pool, slab[--slabs]);
    }
    forks = true;
    CHECK(rm_pool_trim(pool));
    CHECK(!forks, "a chunk was freed");
    rm_pool_destroy(pool);
    CHECK_EQ(source.live, 0u);
}
