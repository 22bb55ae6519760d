// SPDX-License-Identifier: BSD-2-Clause
#include "examples/regcache/regcache.h"

#include <errno.h>
#include <stdlib.h>

#include "rangemap/rangemap.h"

#define PAGE UINT64_C(4096)

struct regcache {
    struct rangemap *map;
    struct rangemap_domain *domain; /* of its own: others' slow readers do not hold up a drain */
    struct regcache_device device;
};

static void add_owner(void *region, void *unused)
{
    (void)unused;
    (void)__atomic_fetch_add(&((struct regcache_region *)region)->pins, 1, __ATOMIC_RELAXED);
}

void regcache_unpin(struct regcache_region *region)
{
    const struct regcache_device *device = &region->cache->device;

    /* Acquire and release: all transfers come before the withdrawal. */
    if (__atomic_fetch_sub(&region->pins, 1, __ATOMIC_ACQ_REL) == 1) {
        device->withdraw(device->context, region->start, region->last, region->key);
        free(region);
    }
}

static void drop_owner(void *region, void *unused)
{
    (void)unused;
    regcache_unpin(region);
}

int regcache_create(const struct regcache_device *device, struct regcache **cache)
{
    /* An invalidation in a hook must not withdraw and free there, with somebody's allocator locked. */
    struct rangemap_domain_options domain_options = {.callbacks = RANGEMAP_CALLBACKS_WHEN_ASKED};
    struct rangemap_options options = {.release = drop_owner, .retain = add_owner};
    struct regcache *made = calloc(1, sizeof *made);
    int result = made != NULL ? rangemap_domain_create(&domain_options, &options.domain) : -ENOMEM;

    if (result == 0) {
        made->device = *device;
        made->domain = options.domain;
        result = rangemap_create(&options, &made->map);
        if (result != 0) {
            (void)rangemap_domain_destroy(options.domain);
        }
    }
    if (result != 0) {
        free(made);
        return result;
    }
    *cache = made;
    return 0;
}

int regcache_destroy(struct regcache *cache)
{
    int result = rangemap_destroy(cache->map);

    if (result == 0) {
        result = rangemap_domain_destroy(cache->domain);
    }
    if (result == 0) {
        free(cache);
    }
    return result;
}

/* One lookup, and a pin. NULL: nothing holds all of it. */
static struct regcache_region *find(struct regcache *cache, uint64_t start, uint64_t last)
{
    struct regcache_region *region = NULL;
    struct rangemap_entry entry;

    if (rangemap_read_begin(cache->map) != 0) {
        return NULL;
    }
    /* The range may be part of the region: the rest was displaced or invalidated. */
    if (rangemap_find_held(cache->map, start, &entry) == 0 && entry.last >= last) {
        region = entry.value;
        add_owner(region, NULL);
    }
    rangemap_read_end(cache->map);
    return region;
}

/* A registration of whole pages with two owners: the map to be, and the caller. */
static int enroll(struct regcache *cache, uint64_t start, uint64_t last, struct regcache_region **region)
{
    struct regcache_region *made = malloc(sizeof *made);
    int result;

    if (made == NULL) {
        return -ENOMEM;
    }
    *made = (struct regcache_region){start & ~(PAGE - 1), last | (PAGE - 1), 0, 2, cache};
    result = cache->device.enroll(cache->device.context, made->start, made->last, &made->key);
    if (result != 0) {
        free(made);
        return result;
    }
    *region = made;
    return 0;
}

int regcache_pin(struct regcache *cache, uint64_t start, uint64_t last, struct regcache_region **region)
{
    struct regcache_region *made;
    int result;

    if (start > last) {
        return -EINVAL;
    }
    made = find(cache, start, last);
    if (made == NULL) {
        (void)rangemap_domain_poll(
            cache->domain); /* withdraws what was invalidated: registering is slow anyway */
        result = enroll(cache, start, last, &made);
        if (result != 0) {
            return result;
        }
        result = rangemap_store(cache->map, made->start, made->last, made, NULL, NULL);
        if (result != 0) {
            regcache_unpin(made);
            regcache_unpin(made);
            return result;
        }
    }
    *region = made;
    return 0;
}

int regcache_invalidate(struct regcache *cache, uint64_t start, uint64_t last)
{
    return rangemap_carve(cache->map, start, last, NULL, NULL);
}

int regcache_drain(struct regcache *cache)
{
    return rangemap_domain_barrier(cache->domain);
}
