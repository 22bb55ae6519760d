// SPDX-License-Identifier: BSD-2-Clause
/* genalloc.h: chunks with a bit for each unit. */
#include <linux/bitmap.h>
#include <linux/genalloc.h>
#include <linux/slab.h>

struct gen_pool_chunk {
    struct gen_pool_chunk *next;
    unsigned long start;
    phys_addr_t physical;
    size_t bytes, free;
    void *owner;
    unsigned long used[];
};

struct gen_pool *gen_pool_create(int min_alloc_order, int nid)
{
    struct gen_pool *pool = kzalloc_node(sizeof *pool, GFP_KERNEL, nid);

    if (pool != NULL) {
        spin_lock_init(&pool->lock);
        pool->min_alloc_order = min_alloc_order;
    }
    return pool;
}

void gen_pool_destroy(struct gen_pool *pool)
{
    while (pool->chunks != NULL) {
        struct gen_pool_chunk *chunk = pool->chunks;

        BUG_ON(chunk->free != chunk->bytes);
        pool->chunks = chunk->next;
        kfree(chunk);
    }
    kfree(pool);
}

int gen_pool_add_owner(struct gen_pool *pool, unsigned long address, phys_addr_t physical, size_t bytes,
                       int nid, void *owner)
{
    size_t words = BITS_TO_LONGS(bytes >> pool->min_alloc_order);
    struct gen_pool_chunk *chunk = kzalloc_node(struct_size(chunk, used, words), GFP_KERNEL, nid);

    if (chunk == NULL) {
        return -ENOMEM;
    }
    chunk->start = address;
    chunk->physical = physical;
    chunk->bytes = chunk->free = bytes;
    chunk->owner = owner;
    spin_lock(&pool->lock);
    chunk->next = pool->chunks;
    pool->chunks = chunk;
    spin_unlock(&pool->lock);
    return 0;
}

static size_t units(const struct gen_pool *pool, size_t bytes)
{
    return (bytes + (1UL << pool->min_alloc_order) - 1) >> pool->min_alloc_order;
}

static unsigned long alloc_from(struct gen_pool *pool, struct gen_pool_chunk *chunk, size_t count)
{
    size_t all = chunk->bytes >> pool->min_alloc_order;
    unsigned long at = bitmap_find_next_zero_area(chunk->used, all, 0, (unsigned)count, 0);

    if (at >= all) {
        return 0;
    }
    bitmap_set(chunk->used, (unsigned)at, (unsigned)count);
    chunk->free -= count << pool->min_alloc_order;
    return chunk->start + (at << pool->min_alloc_order);
}

unsigned long gen_pool_alloc_owner(struct gen_pool *pool, size_t bytes, void **owner)
{
    unsigned long address = 0;

    if (owner != NULL) {
        *owner = NULL;
    }
    if (bytes == 0) {
        return 0;
    }
    spin_lock(&pool->lock);
    for (struct gen_pool_chunk *chunk = pool->chunks; chunk != NULL && address == 0; chunk = chunk->next) {
        if (units(pool, bytes) << pool->min_alloc_order <= chunk->free) {
            address = alloc_from(pool, chunk, units(pool, bytes));
        }
        if (address != 0 && owner != NULL) {
            *owner = chunk->owner;
        }
    }
    spin_unlock(&pool->lock);
    return address;
}

/* pre: locked. */
static struct gen_pool_chunk *chunk_of(struct gen_pool *pool, unsigned long address, size_t bytes)
{
    struct gen_pool_chunk *chunk = pool->chunks;

    while (chunk != NULL && (address < chunk->start || address - chunk->start > chunk->bytes ||
                             bytes > chunk->bytes - (address - chunk->start))) {
        chunk = chunk->next;
    }
    return chunk;
}

void gen_pool_free_owner(struct gen_pool *pool, unsigned long address, size_t bytes, void **owner)
{
    struct gen_pool_chunk *chunk;
    size_t count = units(pool, bytes);
    unsigned long at;

    spin_lock(&pool->lock);
    chunk = chunk_of(pool, address, bytes);
    BUG_ON(chunk == NULL);
    at = (address - chunk->start) >> pool->min_alloc_order;
    BUG_ON(find_next_zero_bit(chunk->used, at + count, at) < at + count); /* freed twice */
    bitmap_clear(chunk->used, (unsigned)at, (unsigned)count);
    chunk->free += count << pool->min_alloc_order;
    if (owner != NULL) {
        *owner = chunk->owner;
    }
    spin_unlock(&pool->lock);
}

phys_addr_t gen_pool_virt_to_phys(struct gen_pool *pool, unsigned long address)
{
    struct gen_pool_chunk *chunk;
    phys_addr_t physical;

    spin_lock(&pool->lock);
    chunk = chunk_of(pool, address, 1);
    physical = chunk == NULL ? (phys_addr_t)-1 : chunk->physical + (address - chunk->start);
    spin_unlock(&pool->lock);
    return physical;
}

bool gen_pool_has_addr(struct gen_pool *pool, unsigned long start, size_t bytes)
{
    bool found;

    spin_lock(&pool->lock);
    found = chunk_of(pool, start, bytes) != NULL;
    spin_unlock(&pool->lock);
    return found;
}

size_t gen_pool_avail(struct gen_pool *pool)
{
    size_t bytes = 0;

    spin_lock(&pool->lock);
    for (struct gen_pool_chunk *chunk = pool->chunks; chunk != NULL; chunk = chunk->next) {
        bytes += chunk->free;
    }
    spin_unlock(&pool->lock);
    return bytes;
}

size_t gen_pool_size(struct gen_pool *pool)
{
    size_t bytes = 0;

    spin_lock(&pool->lock);
    for (struct gen_pool_chunk *chunk = pool->chunks; chunk != NULL; chunk = chunk->next) {
        bytes += chunk->bytes;
    }
    spin_unlock(&pool->lock);
    return bytes;
}
