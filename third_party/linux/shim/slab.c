// SPDX-License-Identifier: BSD-2-Clause
#include "third_party/linux/shim/slab.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define MAX_CACHES 4
#define STOCK_OBJECTS 128
#define REGION_BYTES ((size_t)2 << 20) /* a huge page */

struct kmem_cache {
    unsigned index, size, align;
    void (*init)(void *);
    pthread_mutex_t lock; /* of the three below */
    void **depot;         /* free objects */
    size_t depot_count, depot_room;
    char *fresh, *fresh_end; /* memory that was never used; changed under `lock` */
};

/* The free objects of one thread for one cache. Only that thread writes it. */
struct stock {
    void *object[STOCK_OBJECTS];
    unsigned count;
    _Atomic long in_use; /* objects that this thread allocated less those that it freed; others read it */
};

/* Threads' stocks outlive them: there are as many as ever were at once, a handful. */
struct thread_stocks {
    struct stock stock[MAX_CACHES];
    struct thread_stocks *next; /* written before the list is changed */
};

static struct kmem_cache caches[MAX_CACHES];
static unsigned cache_count; /* changed before threads start */
static _Atomic(struct thread_stocks *) all_stocks;
static _Atomic size_t bytes_taken;
static _Thread_local struct thread_stocks *own_stocks;

static struct stock *new_stocks(unsigned index)
{
    struct thread_stocks *stocks = calloc(1, sizeof *stocks);
    if (stocks == NULL)
        abort();
    stocks->next = atomic_load(&all_stocks);
    while (!atomic_compare_exchange_weak(&all_stocks, &stocks->next, stocks)) {
    }
    own_stocks = stocks;
    return &stocks->stock[index];
}

static inline struct stock *stock_of(struct kmem_cache *cache)
{
    return own_stocks != NULL ? &own_stocks->stock[cache->index] : new_stocks(cache->index);
}

static inline void count(struct stock *stock, long objects)
{
    long before = atomic_load_explicit(&stock->in_use, memory_order_relaxed);
    atomic_store_explicit(&stock->in_use, before + objects, memory_order_relaxed);
}

struct kmem_cache *kmem_cache_create(const char *name, unsigned size, unsigned align, unsigned flags,
                                     void (*init)(void *))
{
    (void)name, (void)flags;
    if (cache_count == MAX_CACHES)
        abort();
    struct kmem_cache *cache = &caches[cache_count];
    cache->index = cache_count++;
    cache->align = align < 16 ? 16 : align;
    cache->size = (size + cache->align - 1) / cache->align * cache->align;
    cache->init = init;
    pthread_mutex_init(&cache->lock, NULL);
    return cache;
}

/* Memory aligned to its size and on a huge page, as the kernel's slabs lie in its direct map. NULL: none. */
static char *new_region(void)
{
    char *both = mmap(NULL, 2 * REGION_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (both == MAP_FAILED)
        return NULL;
    size_t before = REGION_BYTES - (uintptr_t)both % REGION_BYTES;
    char *region = both + before;
    munmap(both, before);
    if (before != REGION_BYTES)
        munmap(region + REGION_BYTES, REGION_BYTES - before);
    madvise(region, REGION_BYTES, MADV_HUGEPAGE); /* where there are none, small pages do */
    atomic_fetch_add(&bytes_taken, REGION_BYTES);
    return region;
}

/* An object that was never used, or NULL. Under the lock. */
static void *fresh_object(struct kmem_cache *cache)
{
    if ((size_t)(cache->fresh_end - cache->fresh) < cache->size) {
        char *region = new_region();
        if (region == NULL)
            return NULL;
        cache->fresh = region;
        cache->fresh_end = region + REGION_BYTES;
    }
    void *object = cache->fresh;
    cache->fresh += cache->size;
    if (cache->init != NULL)
        cache->init(object);
    return object;
}

/* Half fills an empty stock. False if memory ran out. */
static bool refill(struct kmem_cache *cache, struct stock *stock)
{
    pthread_mutex_lock(&cache->lock);
    while (stock->count < STOCK_OBJECTS / 2) {
        void *object = cache->depot_count > 0 ? cache->depot[--cache->depot_count] : fresh_object(cache);
        if (object == NULL)
            break;
        stock->object[stock->count++] = object;
    }
    pthread_mutex_unlock(&cache->lock);
    return stock->count > 0;
}

static void grow_depot(struct kmem_cache *cache)
{
    size_t room = cache->depot_room == 0 ? 4096 : 2 * cache->depot_room;
    void **depot = realloc(cache->depot, room * sizeof *depot);
    if (depot == NULL)
        abort();
    cache->depot = depot;
    cache->depot_room = room;
}

/* Moves half of a full stock to the depot. */
static void spill(struct kmem_cache *cache, struct stock *stock)
{
    pthread_mutex_lock(&cache->lock);
    if (cache->depot_count + STOCK_OBJECTS / 2 > cache->depot_room)
        grow_depot(cache);
    stock->count -= STOCK_OBJECTS / 2;
    memcpy(&cache->depot[cache->depot_count], &stock->object[stock->count],
           STOCK_OBJECTS / 2 * sizeof(void *));
    cache->depot_count += STOCK_OBJECTS / 2;
    pthread_mutex_unlock(&cache->lock);
}

void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t gfp)
{
    struct stock *stock = stock_of(cache);
    if (stock->count == 0 && !refill(cache, stock))
        return NULL;
    void *object = stock->object[--stock->count];
    count(stock, 1);
    if (gfp & __GFP_ZERO)
        memset(object, 0, cache->size);
    return object;
}

void kmem_cache_free(struct kmem_cache *cache, void *object)
{
    struct stock *stock = stock_of(cache);
    if (stock->count == STOCK_OBJECTS)
        spill(cache, stock);
    stock->object[stock->count++] = object;
    count(stock, -1);
}

int kmem_cache_alloc_bulk(struct kmem_cache *cache, gfp_t gfp, size_t count_wanted, void **objects)
{
    for (size_t i = 0; i < count_wanted; i++) {
        objects[i] = kmem_cache_alloc(cache, gfp);
        if (objects[i] == NULL) {
            kmem_cache_free_bulk(cache, i, objects);
            return 0;
        }
    }
    return (int)count_wanted;
}

void kmem_cache_free_bulk(struct kmem_cache *cache, size_t count_given, void **objects)
{
    for (size_t i = 0; i < count_given; i++)
        kmem_cache_free(cache, objects[i]);
}

size_t slab_bytes_in_use(void)
{
    long bytes = 0;
    for (struct thread_stocks *stocks = atomic_load(&all_stocks); stocks != NULL; stocks = stocks->next) {
        for (unsigned i = 0; i < cache_count; i++)
            bytes += atomic_load(&stocks->stock[i].in_use) * (long)caches[i].size;
    }
    return bytes > 0 ? (size_t)bytes : 0;
}

size_t slab_bytes_taken(void)
{
    return atomic_load(&bytes_taken);
}
