// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/memory/pool.h"

/* Written over the first two lines of one node of the batch. */
struct batch {
    struct rm_link link;
    uint64_t count; /* of node[] */
    void *node[RM_BATCH_NODES - 1];
};

_Static_assert(sizeof(struct batch) <= RM_LINES_MIN * RM_CACHE_LINE, "a batch fits its own node");

void rm_pool_init(struct rm_pool *pool, const struct rangemap_chunk_allocator *allocator)
{
    for (unsigned i = 0; i < RM_SIZES; i++) {
        rm_word_set_private(&pool->size[i].batches.head, 0);
    }
    rm_word_set_private(&pool->chunks.head, 0);
    rm_word_set_private(&pool->chunk_bytes, 0);
    pool->allocator = allocator != NULL ? *allocator : rm_chunk_mmap;
}

void rm_pool_destroy(struct rm_pool *pool)
{
    struct rm_link *link = rm_stack_take_all(&pool->chunks);

    while (link != NULL) {
        struct rm_link *next = link->next;

        rm_chunk_free(&pool->allocator, RM_CONTAINER_OF(link, struct rm_chunk, link));
        link = next;
    }
}

/* Moves up to one batch from the magazine to the pool. */
static void push_batch(struct rm_magazine *magazine, struct rm_stack *batches)
{
    struct batch *batch = magazine->node[--magazine->count];

    rm_unpoison(batch, sizeof *batch);
    batch->count = 0;
    while (magazine->count > 0 && batch->count < RM_BATCH_NODES - 1) {
        batch->node[batch->count++] = magazine->node[--magazine->count];
    }
    rm_stack_push(batches, &batch->link);
}

void rm_cache_spill(struct rm_cache *cache, struct rm_pool *pool, unsigned lines)
{
    unsigned size = lines - RM_LINES_MIN;

    push_batch(&cache->magazine[size], &pool->size[size].batches);
    push_batch(&cache->magazine[size], &pool->size[size].batches);
}

void rm_cache_flush(struct rm_cache *cache, struct rm_pool *pool)
{
    for (unsigned size = 0; size < RM_SIZES; size++) {
        while (cache->magazine[size].count > 0) {
            push_batch(&cache->magazine[size], &pool->size[size].batches);
        }
    }
}

/* Takes one batch of the pool into an empty magazine. */
static bool take_batch(struct rm_magazine *magazine, struct rm_stack *batches)
{
    struct rm_link *link = rm_stack_take_one(batches);
    struct batch *batch;

    if (link == NULL) {
        return false;
    }
    batch = RM_CONTAINER_OF(link, struct batch, link);
    for (uint64_t i = 0; i < batch->count; i++) {
        magazine->node[magazine->count++] = batch->node[i];
    }
    magazine->node[magazine->count++] = batch;
    rm_poison(batch, sizeof *batch);
    return true;
}

/* Cuts what is left of the old chunk into nodes, so that a new one can take its place. */
static void use_up_chunk(struct rm_cache *cache, struct rm_pool *pool)
{
    for (unsigned lines = RM_LINES_MAX; lines >= RM_LINES_MIN; lines--) {
        size_t bytes = (size_t)lines * RM_CACHE_LINE;

        while ((size_t)(cache->unused_end - cache->unused) >= bytes) {
            rm_count_own(&cache->live_bytes, bytes);
            rm_cache_free(cache, pool, rm_cache_carve(cache, bytes), lines);
        }
    }
}

/* Chunks grow with the pool: small ones for small maps, huge pages for large ones. */
static size_t next_chunk_bytes(const struct rm_pool *pool, size_t least)
{
    uint64_t wanted = rm_load_relaxed(&pool->chunk_bytes) / 4;
    size_t bytes = RM_CHUNK_MIN_BYTES;

    while (bytes < RM_CHUNK_HUGE_BYTES && bytes < wanted) {
        bytes *= 2;
    }
    while (bytes < least) {
        bytes *= 2;
    }
    return bytes;
}

static bool add_chunk(struct rm_cache *cache, struct rm_pool *pool, size_t least)
{
    size_t bytes = next_chunk_bytes(pool, least + RM_CACHE_LINE);
    struct rm_chunk *chunk = rm_chunk_new(&pool->allocator, bytes);

    if (chunk == NULL) {
        return false;
    }
    use_up_chunk(cache, pool);
    rm_stack_push(&pool->chunks, &chunk->link);
    (void)rm_add_relaxed(&pool->chunk_bytes, bytes);
    cache->unused = (char *)chunk + RM_CACHE_LINE;
    cache->unused_end = (char *)chunk + bytes;
    return true;
}

bool rm_cache_refill(struct rm_cache *cache, struct rm_pool *pool, unsigned lines)
{
    size_t bytes = (size_t)lines * RM_CACHE_LINE;
    unsigned size = lines - RM_LINES_MIN;

    return take_batch(&cache->magazine[size], &pool->size[size].batches) ||
           rm_cache_reserve(cache, pool, bytes);
}

bool rm_cache_reserve(struct rm_cache *cache, struct rm_pool *pool, size_t bytes)
{
    return (size_t)(cache->unused_end - cache->unused) >= bytes || add_chunk(cache, pool, bytes);
}
