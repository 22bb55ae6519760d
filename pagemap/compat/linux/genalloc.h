// SPDX-License-Identifier: BSD-2-Clause
/* Pools of memory that their user numbers (lib/genalloc.c of the kernel). */
#ifndef PAGEMAP_COMPAT_LINUX_GENALLOC_H
#define PAGEMAP_COMPAT_LINUX_GENALLOC_H

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct device;
struct gen_pool_chunk;

struct gen_pool {
    spinlock_t lock;
    struct gen_pool_chunk *chunks;
    int min_alloc_order;
    const char *name;
};

struct gen_pool *gen_pool_create(int min_alloc_order, int nid);
/* A pool out of which something is still allocated is a bug, as in the kernel. */
void gen_pool_destroy(struct gen_pool *pool);
int gen_pool_add_owner(struct gen_pool *pool, unsigned long address, phys_addr_t physical, size_t bytes,
                       int nid, void *owner);
/* The lowest place of the chunk that was added last and has one, and its owner unless `owner` is NULL; 0: none. */
unsigned long gen_pool_alloc_owner(struct gen_pool *pool, size_t bytes, void **owner);
void gen_pool_free_owner(struct gen_pool *pool, unsigned long address, size_t bytes, void **owner);
phys_addr_t gen_pool_virt_to_phys(struct gen_pool *pool, unsigned long address);
size_t gen_pool_avail(struct gen_pool *pool);
size_t gen_pool_size(struct gen_pool *pool);
bool gen_pool_has_addr(struct gen_pool *pool, unsigned long start, size_t bytes);

static inline int gen_pool_add_virt(struct gen_pool *pool, unsigned long address, phys_addr_t physical,
                                    size_t bytes, int nid)
{
    return gen_pool_add_owner(pool, address, physical, bytes, nid, NULL);
}

static inline int gen_pool_add(struct gen_pool *pool, unsigned long address, size_t bytes, int nid)
{
    return gen_pool_add_virt(pool, address, (phys_addr_t)-1, bytes, nid);
}

static inline unsigned long gen_pool_alloc(struct gen_pool *pool, size_t bytes)
{
    return gen_pool_alloc_owner(pool, bytes, NULL);
}

static inline void gen_pool_free(struct gen_pool *pool, unsigned long address, size_t bytes)
{
    gen_pool_free_owner(pool, address, bytes, NULL);
}

#endif
