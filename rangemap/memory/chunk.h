// SPDX-License-Identifier: BSD-2-Clause
/* Large pieces of memory, from mmap or from the caller's allocator, owned by one pool until its end. */
#ifndef RANGEMAP_MEMORY_CHUNK_H
#define RANGEMAP_MEMORY_CHUNK_H

#include "rangemap/base/compiler.h"
#include "rangemap/base/stack.h"
#include "rangemap/rangemap.h"

enum { RM_CHUNK_MIN_BYTES = 64 << 10, RM_CHUNK_HUGE_BYTES = 2 << 20 };

/* At the head of every chunk; nodes follow on the next line. */
struct rm_chunk {
    struct rm_link link;
    size_t bytes;
};

/* The default allocator: mmap. */
RM_INTERNAL extern const struct rangemap_chunk_allocator rm_chunk_mmap;

/* A chunk of `bytes` (a multiple of RM_CHUNK_MIN_BYTES), or NULL. */
RM_INTERNAL struct rm_chunk *rm_chunk_new(const struct rangemap_chunk_allocator *allocator, size_t bytes);
RM_INTERNAL void rm_chunk_free(const struct rangemap_chunk_allocator *allocator, struct rm_chunk *chunk);

#endif
