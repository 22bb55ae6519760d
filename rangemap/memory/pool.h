// SPDX-License-Identifier: BSD-2-Clause
/*
 * Memory of nodes, in sizes of 2 to 6 cache lines.
 *
 *   cache   belongs to one thread: a magazine of free nodes per size, and the unused end of a chunk.
 *   pool    belongs to a domain: full batches that some cache had too many of, and the chunks.
 *
 * A node comes from the magazine, else from a batch of the pool, else off the chunk, else from a new chunk:
 * only the last can fail, and only it leaves the library. Nothing here locks. Memory goes back to the chunk
 * allocator when the pool is destroyed, never before.
 */
#ifndef RANGEMAP_MEMORY_POOL_H
#define RANGEMAP_MEMORY_POOL_H

#include "rangemap/base/sanitizer.h"
#include "rangemap/memory/chunk.h"
#include "rangemap/node/layout.h"

enum {
    RM_SIZES = RM_LINES_MAX - RM_LINES_MIN + 1,
    /* A poll frees what some dozens of updates retired, at once: less would spill it, for others to find cold. */
    RM_MAGAZINE_NODES = 128,
    RM_BATCH_NODES = 15 /* a batch is described inside its own first node: 14 others, link and count */
};

struct rm_pool {
    struct {
        struct rm_stack batches;
    } RM_LINE_ALIGNED size[RM_SIZES];
    struct rm_stack chunks RM_LINE_ALIGNED;
    rm_word chunk_bytes; /* sum over `chunks`; any thread adds */
    struct rangemap_chunk_allocator allocator;
};

struct rm_magazine {
    unsigned count;
    void *node[RM_MAGAZINE_NODES];
};

struct rm_cache {
    char *unused, *unused_end; /* the rest of this cache's latest chunk */
    rm_word live_bytes;        /* allocated minus freed here, may be negative; owner writes, all read */
    rm_word carved_bytes;      /* of nodes cut off chunks here; owner writes, all read */
    struct rm_magazine magazine[RM_SIZES];
};

RM_INTERNAL void rm_pool_init(struct rm_pool *pool, const struct rangemap_chunk_allocator *allocator);

/* Gives every chunk back. Nothing in the pool may be in use. */
RM_INTERNAL void rm_pool_destroy(struct rm_pool *pool);

/* Fills an empty magazine or, failing that, makes room for one node in `unused`. False: out of memory. */
RM_INTERNAL bool rm_cache_refill(struct rm_cache *cache, struct rm_pool *pool, unsigned lines);

/* Moves two batches from a full magazine to the pool. */
RM_INTERNAL void rm_cache_spill(struct rm_cache *cache, struct rm_pool *pool, unsigned lines);

/* Moves all full batches to the pool, for other threads to use. */
RM_INTERNAL void rm_cache_flush(struct rm_cache *cache, struct rm_pool *pool);

/* Afterwards at least `bytes` can be allocated without a new chunk. False: out of memory. */
RM_INTERNAL bool rm_cache_reserve(struct rm_cache *cache, struct rm_pool *pool, size_t bytes);

static inline void *rm_cache_carve(struct rm_cache *cache, size_t bytes)
{
    void *node = cache->unused;

    cache->unused += bytes;
    rm_count_own(&cache->carved_bytes, bytes);
    return node;
}

/* A node of `lines` cache lines with undefined content, or NULL. */
static inline void *rm_cache_alloc(struct rm_cache *cache, struct rm_pool *pool, unsigned lines)
{
    struct rm_magazine *magazine = &cache->magazine[lines - RM_LINES_MIN];
    size_t bytes = (size_t)lines * RM_CACHE_LINE;
    void *node;

    if (RM_UNLIKELY(magazine->count == 0) && !rm_cache_refill(cache, pool, lines)) {
        return NULL;
    }
    if (RM_LIKELY(magazine->count > 0)) {
        node = magazine->node[--magazine->count];
    } else {
        node = rm_cache_carve(cache, bytes);
    }
    rm_count_own(&cache->live_bytes, bytes);
    rm_unpoison(node, bytes);
    return node;
}

/* Takes back what rm_cache_alloc() gave, to any thread's cache of the same pool. */
static inline void rm_cache_free(struct rm_cache *cache, struct rm_pool *pool, void *node, unsigned lines)
{
    struct rm_magazine *magazine = &cache->magazine[lines - RM_LINES_MIN];
    size_t bytes = (size_t)lines * RM_CACHE_LINE;

    rm_count_own(&cache->live_bytes, 0 - (uint64_t)bytes);
    rm_poison(node, bytes);
    if (rm_explorer_keeps(node)) {
        return;
    }
    if (RM_UNLIKELY(magazine->count == RM_MAGAZINE_NODES)) {
        rm_cache_spill(cache, pool, lines);
    }
    magazine->node[magazine->count++] = node;
}

#endif
