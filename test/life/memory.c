// SPDX-License-Identifier: BSD-2-Clause
/*
 * Where memory comes from: a chunk allocator for domains, and mmap as the library asks the kernel for it. Both count,
 * and both refuse now and then if they are told to.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rangemap/base/compiler.h"
#include "test/life/life.h"

static atomic_uint one_in; /* of so many requests one is refused; 0: none */
static atomic_ullong asked, refused;
static atomic_llong chunk_bytes, mapped_bytes;
static uint64_t refusal_seed;

void life_refuse(uint64_t seed, unsigned one_of)
{
    refusal_seed = seed;
    one_in = one_of;
}

uint64_t life_refusals(void)
{
    return refused;
}

static bool is_refused(void)
{
    unsigned one_of = one_in;
    bool is;

    life_note_peak();
    is = one_of != 0 && prng_mix(refusal_seed ^ asked++) % one_of == 0;

    refused += is;
    return is;
}

/* ---- chunks ---- */

static void *take_chunk(size_t bytes, size_t alignment, void *context)
{
    char *pages, *chunk;
    size_t before;

    (void)context;
    if (is_refused()) {
        return NULL;
    }
    pages = mmap(NULL, bytes + alignment, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                 -1, 0);
    if (pages == MAP_FAILED) {
        return NULL;
    }
    before = (0 - (uintptr_t)pages) & (alignment - 1);
    chunk = pages + before;
    if (before != 0) {
        (void)munmap(pages, before);
    }
    (void)munmap(chunk + bytes, alignment - before);
    chunk_bytes += (long long)bytes;
    return chunk;
}

static void give_chunk(void *chunk, size_t bytes, void *context)
{
    (void)context;
    (void)munmap(chunk, bytes);
    chunk_bytes -= (long long)bytes;
}

const struct rangemap_chunk_allocator life_chunks = {take_chunk, give_chunk, NULL};

uint64_t life_chunk_bytes(void)
{
    return (uint64_t)chunk_bytes;
}

/* ---- the kernel ---- */

#if !defined(RM_ASAN) && !defined(RM_TSAN) && defined(__GLIBC__)
typedef long syscall_fn(long number, ...);

static void count_mapped(long number, long bytes)
{
    if (number == SYS_mmap) {
        mapped_bytes += bytes;
    } else if (number == SYS_munmap) {
        mapped_bytes -= bytes;
    }
}

/* In the place of libc's, by which the library asks; plugins find it, too. */
long syscall(long number, ...)
{
    static _Atomic(syscall_fn *) kernel;
    long argument[6], result;
    va_list list;

    va_start(list, number);
    for (unsigned i = 0; i < 6; i++) {
        argument[i] = va_arg(list, long);
    }
    va_end(list);
    if (kernel == NULL) { /* first when the program is loaded */
        kernel = (syscall_fn *)dlsym(RTLD_NEXT, "syscall");
    }
    if (number == SYS_mmap && is_refused()) {
        errno = ENOMEM;
        return -1;
    }
    result = kernel(number, argument[0], argument[1], argument[2], argument[3], argument[4], argument[5]);
    if (result != -1) {
        count_mapped(number, argument[1]);
    }
    return result;
}
#endif

uint64_t life_mapped_bytes(void)
{
    return (uint64_t)mapped_bytes;
}
