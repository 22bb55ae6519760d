// SPDX-License-Identifier: BSD-2-Clause
/* Memory for objects, of the C library. Every call may be made to fail, by pagemap_compat_fail_after() of user.h. */
#ifndef PAGEMAP_COMPAT_LINUX_SLAB_H
#define PAGEMAP_COMPAT_LINUX_SLAB_H

#include <stdlib.h>

#include <linux/gfp.h>
#include <linux/overflow.h>
#include <linux/string.h>
#include <linux/types.h>

#define ZERO_SIZE_PTR ((void *)16)
#define ZERO_OR_NULL_PTR(pointer) ((unsigned long)(pointer) <= 16)
#define SLAB_HWCACHE_ALIGN 0x1u
#define SLAB_RECLAIM_ACCOUNT 0x2u
#define SLAB_MEM_SPREAD 0x4u
#define SLAB_ACCOUNT 0x8u
#define SLAB_PANIC 0x10u
#define SLAB_TYPESAFE_BY_RCU 0x20u
#define KMALLOC_MAX_SIZE (1UL << 22)

/* Zeroed with __GFP_ZERO. NULL: none left. What __GFP_NOFAIL asks for never fails: the program ends. */
void *kmalloc(size_t bytes, gfp_t flags);
void *krealloc(const void *old, size_t bytes, gfp_t flags);
void kfree(const void *object);
size_t ksize(const void *object);

static inline void *kzalloc(size_t bytes, gfp_t flags)
{
    return kmalloc(bytes, flags | __GFP_ZERO);
}

static inline void *kmalloc_array(size_t n, size_t bytes, gfp_t flags)
{
    return kmalloc(size_mul(n, bytes), flags);
}

static inline void *kcalloc(size_t n, size_t bytes, gfp_t flags)
{
    return kmalloc_array(n, bytes, flags | __GFP_ZERO);
}

static inline void *krealloc_array(void *old, size_t n, size_t bytes, gfp_t flags)
{
    return krealloc(old, size_mul(n, bytes), flags);
}

#define kmalloc_node(bytes, flags, nid) ((void)(nid), kmalloc(bytes, flags))
#define kzalloc_node(bytes, flags, nid) ((void)(nid), kzalloc(bytes, flags))
#define kcalloc_node(n, bytes, flags, nid) kcalloc(n, bytes, flags)
#define kvmalloc kmalloc
#define kvzalloc kzalloc
#define kvcalloc kcalloc
#define kvmalloc_array kmalloc_array
#define kvmalloc_node(bytes, flags, nid) kmalloc(bytes, flags)
#define kvzalloc_node(bytes, flags, nid) kzalloc(bytes, flags)
#define kvfree kfree
#define kfree_sensitive kfree

/* Objects of one size. The constructor runs each time one is allocated. */
struct kmem_cache;
struct kmem_cache *kmem_cache_create(const char *name, unsigned bytes, unsigned align, slab_flags_t flags,
                                     void (*construct)(void *object));
void kmem_cache_destroy(struct kmem_cache *cache);
void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t flags);
void kmem_cache_free(struct kmem_cache *cache, void *object);

#define kmem_cache_zalloc(cache, flags) kmem_cache_alloc(cache, (flags) | __GFP_ZERO)
#define KMEM_CACHE(type, flags) kmem_cache_create(#type, sizeof(struct type), 0, flags, NULL)

#endif
