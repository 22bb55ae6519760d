// SPDX-License-Identifier: BSD-2-Clause
/* New chunks, and places for them in the books. */
#include "rangemap/memory/pool.h"

#include <string.h>

static struct rm_table *last_table(const struct rm_pool *pool)
{
    struct rm_table *last = pool->tables, *next;

    while ((next = rm_table_next(last)) != NULL) {
        last = next;
    }
    return last;
}

/*
 * Behind the one that was the last before all were seen to be full: of threads that race each may make one, and the
 * losers give theirs back. False: there is no memory for one.
 */
static bool add_table(struct rm_pool *pool, struct rm_table *last)
{
    struct rm_table *table = rm_chunk_alloc(&pool->allocator, RM_CHUNK_MIN_BYTES);

    if (table == NULL) {
        return rm_table_next(last) != NULL;
    }
    rm_books_open(table, rm_table_bytes(RM_TABLE_EXTENTS));
    memset(table, 0, rm_table_bytes(RM_TABLE_EXTENTS));
    rm_table_init(table, RM_TABLE_EXTENTS);
    if (rm_cas_full(&last->next, 0, rm_pointer_bits(table))) {
        (void)rm_add_relaxed(&pool->chunk_bytes, RM_CHUNK_MIN_BYTES);
    } else {
        rm_chunk_free(&pool->allocator, table, RM_CHUNK_MIN_BYTES);
    }
    return true;
}

/* Chunks grow with the pool: small ones for small maps, huge pages for large ones. */
static size_t next_chunk_bytes(const struct rm_pool *pool, size_t least)
{
    uint64_t wanted = rm_load_relaxed(&pool->chunk_bytes) / 4;
    size_t bytes = RM_CHUNK_MIN_BYTES;

    while (bytes < RM_CHUNK_MAX_BYTES && (bytes < wanted || bytes < least)) {
        bytes *= 2;
    }
    return bytes;
}

static unsigned extents_of(size_t chunk_bytes)
{
    return (unsigned)((chunk_bytes + RM_EXTENT_BYTES - 1) / RM_EXTENT_BYTES);
}

/* Enters a chunk in the books; its first slab is the caller's. */
static void open_chunk(struct rm_pool *pool, struct rm_extent *extent, char *chunk, size_t bytes)
{
    /* A huge page is there as a whole once any of it is touched. */
    bool is_clean = rm_chunk_is_mapped(&pool->allocator) && bytes < RM_CHUNK_MAX_BYTES;

    for (unsigned i = 0; i < extents_of(bytes); i++) {
        uint64_t slabs = rm_extent_whole(bytes, i);

        rm_store_relaxed(&extent[i].base, rm_pointer_bits(chunk + (size_t)i * RM_EXTENT_BYTES));
        rm_store_relaxed(&extent[i].whole, slabs);
        rm_store_relaxed(&extent[i].clean, is_clean ? slabs : 0);
        rm_store_relaxed(&extent[i].chunk_bytes, i == 0 ? bytes : 0);
    }
    (void)rm_add_relaxed(&pool->chunk_bytes, bytes);
    (void)rm_add_relaxed(&pool->busy_slabs, bytes / RM_SLAB_BYTES);
    for (unsigned i = extents_of(bytes); i-- > 0;) {
        uint64_t slabs = rm_load_relaxed(&extent[i].whole);

        rm_pool_add_idle(pool, &extent[i], i == 0 ? slabs & ~UINT64_C(1) : slabs);
    }
}

static struct rm_extent *claim_extents(struct rm_pool *pool, unsigned count)
{
    struct rm_extent *extent;
    struct rm_table *last;

    do {
        last = last_table(pool);
        extent = rm_table_claim(pool->tables, count);
    } while (extent == NULL && add_table(pool, last));
    return extent;
}

/* A slab of what others have added since there were `seen_bytes` of chunks; NULL if they have not, or it is in use. */
static struct rm_slab *take_of_others(struct rm_pool *pool, uint64_t seen_bytes)
{
    return rm_load_relaxed(&pool->chunk_bytes) > seen_bytes ? rm_pool_take_idle(pool) : NULL;
}

/* If another thread was faster, the chunk that it has added serves both, and this one goes back untouched. */
static struct rm_slab *add_chunk_of(struct rm_pool *pool, size_t bytes, uint64_t seen_bytes)
{
    struct rm_extent *extent = claim_extents(pool, extents_of(bytes));
    struct rm_slab *slab;
    char *chunk;

    if (extent == NULL) {
        return take_of_others(pool, seen_bytes);
    }
    chunk = rm_chunk_alloc(&pool->allocator, bytes);
    slab = take_of_others(pool, seen_bytes);
    if (chunk != NULL && slab == NULL) {
        open_chunk(pool, extent, chunk, bytes);
        return rm_pool_open_slab(pool, extent, 0);
    }
    if (chunk != NULL) {
        rm_chunk_free(&pool->allocator, chunk, bytes);
    }
    rm_table_unclaim(extent, extents_of(bytes));
    return slab;
}

/* If a large chunk is refused, a small one may do. */
struct rm_slab *rm_pool_grow(struct rm_pool *pool, size_t least, uint64_t seen_bytes)
{
    size_t bytes = next_chunk_bytes(pool, least);
    struct rm_slab *slab = add_chunk_of(pool, bytes, seen_bytes);

    if (slab == NULL && bytes > RM_CHUNK_MIN_BYTES) {
        slab = add_chunk_of(pool, RM_CHUNK_MIN_BYTES, seen_bytes);
    }
    return slab;
}
