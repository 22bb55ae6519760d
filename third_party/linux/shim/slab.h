// SPDX-License-Identifier: BSD-2-Clause
/*
 * A plain slab allocator under the kernel's names: objects of one size, a stock of free ones for each
 * thread, a shared one behind a mutex, memory by the huge page that is never given back. As in the kernel most
 * calls touch the thread's own stock only. Nothing is poisoned, counted twice or checked.
 */
#ifndef RANGEMAP_THIRD_PARTY_LINUX_SLAB_H
#define RANGEMAP_THIRD_PARTY_LINUX_SLAB_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef unsigned int gfp_t;
#define GFP_NOWAIT 0u
#define GFP_KERNEL 1u
#define __GFP_ZERO 2u
#define __GFP_NOWARN 4u
#define __GFP_ACCOUNT 8u
#define __GFP_BITS_SHIFT 4
#define SLAB_PANIC 0u

struct kmem_cache;
struct list_lru;

static inline bool gfpflags_allow_blocking(gfp_t gfp)
{
    return (gfp & GFP_KERNEL) != 0;
}

/* `align` is 0 or a power of two; `init` (may be NULL) runs once on each object, before its first use. */
struct kmem_cache *kmem_cache_create(const char *name, unsigned size, unsigned align, unsigned flags,
                                     void (*init)(void *));

/* NULL if memory ran out. */
void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t gfp);
void kmem_cache_free(struct kmem_cache *cache, void *object);

/* `count`, or 0 if memory ran out. */
int kmem_cache_alloc_bulk(struct kmem_cache *cache, gfp_t gfp, size_t count, void **objects);
void kmem_cache_free_bulk(struct kmem_cache *cache, size_t count, void **objects);

static inline void *kmem_cache_alloc_lru(struct kmem_cache *cache, struct list_lru *lru, gfp_t gfp)
{
    (void)lru;
    return kmem_cache_alloc(cache, gfp);
}

/*
 * Bytes of all objects that are allocated and not freed, of all caches together; and of all memory taken from the
 * system. The first is exact while nobody allocates or frees.
 */
size_t slab_bytes_in_use(void);
size_t slab_bytes_taken(void);

#ifdef __cplusplus
}
#endif

#endif
