// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE /* MAP_ANONYMOUS, madvise */
#include "rangemap/memory/chunk.h"

#include <stdint.h>
#include <sys/mman.h>

#include "rangemap/base/sanitizer.h"

static void *map_pages(size_t bytes)
{
    void *pages =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return pages == MAP_FAILED ? NULL : pages;
}

/* Maps too much and trims both ends to the alignment. */
static void *mmap_alloc(size_t bytes, size_t alignment, void *context)
{
    char *wide = map_pages(bytes + alignment);
    char *chunk;
    size_t before, after;

    (void)context;
    if (wide == NULL) {
        return NULL;
    }
    before = (size_t)(-(uintptr_t)wide & (alignment - 1));
    after = alignment - before;
    chunk = wide + before;
    if (before > 0) {
        (void)munmap(wide, before);
    }
    if (after > 0) {
        (void)munmap(chunk + bytes, after);
    }
    if (bytes >= RM_CHUNK_HUGE_BYTES) {
        /* One fault and one TLB entry instead of 512; a refusal changes nothing but speed. */
        (void)madvise(chunk, bytes, MADV_HUGEPAGE);
    }
    return chunk;
}

static void mmap_free(void *chunk, size_t bytes, void *context)
{
    (void)context;
    (void)munmap(chunk, bytes);
}

const struct rangemap_chunk_allocator rm_chunk_mmap = {mmap_alloc, mmap_free, NULL};

struct rm_chunk *rm_chunk_new(const struct rangemap_chunk_allocator *allocator, size_t bytes)
{
    size_t alignment = bytes < RM_CHUNK_HUGE_BYTES ? RM_CHUNK_MIN_BYTES : RM_CHUNK_HUGE_BYTES;
    struct rm_chunk *chunk = allocator->alloc(bytes, alignment, allocator->context);

    if (chunk != NULL) {
        chunk->bytes = bytes;
        rm_leak_root_add(chunk, bytes);
        rm_poison((char *)chunk + RM_CACHE_LINE, bytes - RM_CACHE_LINE);
    }
    return chunk;
}

void rm_chunk_free(const struct rangemap_chunk_allocator *allocator, struct rm_chunk *chunk)
{
    size_t bytes = chunk->bytes;

    rm_unpoison(chunk, bytes);
    rm_leak_root_remove(chunk, bytes);
    allocator->free(chunk, bytes, allocator->context);
}
