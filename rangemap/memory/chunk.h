// SPDX-License-Identifier: BSD-2-Clause
/* Large pieces of memory, from the system or from the caller's allocator. */
#ifndef RANGEMAP_MEMORY_CHUNK_H
#define RANGEMAP_MEMORY_CHUNK_H

#include <stdbool.h>

#include "rangemap/base/compiler.h"
#include "rangemap/rangemap.h"

enum { RM_CHUNK_MIN_BYTES = 64 << 10, RM_CHUNK_MAX_BYTES = 2 << 20 };
_Static_assert(RM_CHUNK_MIN_BYTES % (64 << 10) == 0,
               "a chunk is whole pages where these have 64 KiB (arm64)");

/* The default allocator: private mappings, made by system calls that no wrapper of the C library's sees. */
RM_INTERNAL extern const struct rangemap_chunk_allocator rm_chunk_mmap;

static inline bool rm_chunk_is_mapped(const struct rangemap_chunk_allocator *allocator)
{
    return allocator->alloc == rm_chunk_mmap.alloc;
}

/* `bytes` (a multiple of RM_CHUNK_MIN_BYTES) with undefined content, poisoned; or NULL. */
RM_INTERNAL void *rm_chunk_alloc(const struct rangemap_chunk_allocator *allocator, size_t bytes);

/*
 * Gives a chunk back. False: it stays as it is, since the process has as many mappings as it may and this is the middle
 * of one.
 */
RM_INTERNAL bool rm_chunk_try_free(const struct rangemap_chunk_allocator *allocator, void *chunk,
                                   size_t bytes);

/* The same for what is in no books: where it is refused, the pages go at any rate, and the addresses are lost. */
RM_INTERNAL void rm_chunk_free(const struct rangemap_chunk_allocator *allocator, void *chunk, size_t bytes);

/*
 * Gives pages of a mapped chunk back to the system: whole ones, or it takes what is beside them as well. False: it does
 * not take them; they may be locked.
 */
RM_INTERNAL bool rm_chunk_discard(void *pages, size_t bytes);

/* Whether the system may have so much to give: it refuses what is beyond all memory. */
RM_INTERNAL bool rm_chunk_is_plausible(const struct rangemap_chunk_allocator *allocator, size_t bytes);

#endif
