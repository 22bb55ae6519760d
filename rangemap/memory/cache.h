// SPDX-License-Identifier: BSD-2-Clause
/*
 * A thread's own supply of nodes. For each size a magazine: nodes that were freed here, warmest first, linked
 * through themselves; and a slice of a slab, taken from the pool and not handed out yet. Magazines take and
 * hold few at first, and more with use; fewer again, if a thread frees much more than it allocates.
 *
 * A cache of zeroes is an empty one. It belongs to its thread: nothing in it is shared but the counts.
 */
#ifndef RANGEMAP_MEMORY_CACHE_H
#define RANGEMAP_MEMORY_CACHE_H

#include "rangemap/memory/pool.h"

enum {
    /*
     * A poll frees what some dozens of updates retired, at once: less would spill it, for others to find cold.
     */
    RM_CACHE_BYTES = 44 << 10,
    /* Where threads meet at the pool a poll takes longer and frees more, and what is spilled costs more to get back. */
    RM_CACHE_MET_BYTES = 80 << 10,
    /* But so many of each size if the thread has reserved: an update that begins again finds its nodes. */
    RM_MAGAZINE_RESERVED = 64
};

/* A free node. */
struct rm_spare {
    struct rm_spare *next; /* what was there before: means nothing in the last one */
} __attribute__((may_alias));

struct rm_magazine {
    struct rm_spare *top;
    unsigned count; /* of nodes from `top` on */
    unsigned limit; /* at which it grows, or some nodes go to the pool */
    struct rm_slice slice;
    unsigned draw;    /* how many nodes it asked for last */
    unsigned surplus; /* how often it was at its limit since it was empty */
};

struct rm_cache {
    struct rm_magazine magazine[RM_SIZES];
    struct rm_seeker seeker;
    rm_word live_bytes;       /* allocated minus freed here, may be negative; owner writes, all read */
    rm_word drawn_bytes;      /* taken from the pool minus given back here, likewise */
    struct rm_slab *reserved; /* whole slabs that were set aside */
    unsigned reserved_slabs;
    bool reserves; /* has ever reserved */
};

/* The magazine is at its limit: raises that, or gives the coldest half of the nodes to the pool. */
RM_INTERNAL void rm_cache_overflow(struct rm_cache *cache, struct rm_pool *pool, unsigned lines);

/* Gives all that the cache holds to the pool, reservations included. */
RM_INTERNAL void rm_cache_flush(struct rm_cache *cache, struct rm_pool *pool);

/* After much was freed: so that what the cache holds keeps no slabs from going. Reservations stay. */
RM_INTERNAL void rm_cache_settle(struct rm_cache *cache, struct rm_pool *pool);

/*
 * To be told now and then that the cache's thread is the `place`-th of so many that use the pool: of what is free,
 * nodes on other stripes go to the pool; but so many of each size stay as the thread has reserved for an update that
 * begins again.
 */
RM_INTERNAL void rm_cache_separate(struct rm_cache *cache, struct rm_pool *pool, uint64_t place,
                                   uint64_t threads);

/* In the child of a fork: a cache that was in motion is empty, and what it held is lost. */
RM_INTERNAL void rm_cache_forget(struct rm_cache *cache);

/*
 * Afterwards nodes of `bytes` in all can be allocated, in any mix of sizes, without anything from the pool;
 * their memory is there, page by page. What the cache holds otherwise comes on top. False: out of memory, and
 * nothing is reserved that was not before.
 */
RM_INTERNAL bool rm_cache_reserve(struct rm_cache *cache, struct rm_pool *pool, uint64_t bytes);

/* A node of `lines` cache lines with undefined content out of its magazine; NULL if that is empty. */
static inline void *rm_cache_pop(struct rm_cache *cache, unsigned lines)
{
    struct rm_magazine *magazine = &cache->magazine[lines - RM_LINES_MIN];
    size_t bytes = (size_t)lines * RM_CACHE_LINE;
    struct rm_spare *node = magazine->top;

    if (RM_UNLIKELY(magazine->count == 0)) {
        return NULL;
    }
    rm_unpoison(node, bytes);
    magazine->top = node->next;
    magazine->count--;
    rm_count_own(&cache->live_bytes, bytes);
    return node;
}

/* The same, also out of the slice or the pool; NULL: out of memory. */
RM_INTERNAL void *rm_cache_alloc(struct rm_cache *cache, struct rm_pool *pool, unsigned lines);

/* Takes back what rm_cache_alloc() gave, to any thread's cache of the same pool. */
static inline void rm_cache_free(struct rm_cache *cache, struct rm_pool *pool, void *node, unsigned lines)
{
    struct rm_magazine *magazine = &cache->magazine[lines - RM_LINES_MIN];
    size_t bytes = (size_t)lines * RM_CACHE_LINE;
    struct rm_spare *spare = node;

    rm_count_own(&cache->live_bytes, 0 - (uint64_t)bytes);
    if (rm_explorer_keeps(node)) {
        rm_poison(node, bytes);
        return;
    }
    if (RM_UNLIKELY(magazine->count == magazine->limit)) {
        rm_cache_overflow(cache, pool, lines);
    }
    spare->next = magazine->top;
    magazine->top = spare;
    magazine->count++;
    rm_poison(node, bytes);
}

#endif
