// SPDX-License-Identifier: BSD-2-Clause
/*
 * A cache of memory registrations, as RDMA libraries keep one: registering memory with a network card is slow, so a
 * registration stays after its use and serves the next transfer from the same memory, until that memory is unmapped.
 *
 * regcache_pin() of memory that is registered takes no lock: one lookup in a read section and one atomic addition to
 * the count of the registration it found. Any number of threads pin while others invalidate.
 *
 * Why it is safe: a registration's `pins` counts its users, and the map's own ownership as one. An invalidation takes
 * it out of the map; the map's release callback runs after a grace period and gives the map's pin up. Whoever found
 * it in a read section thus finds pins >= 1 and may add to them. The last one to give up deregisters.
 */
#ifndef EXAMPLES_REGCACHE_REGCACHE_H
#define EXAMPLES_REGCACHE_REGCACHE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Of the network card. */
struct regcache_device {
    /* Makes [start, last] accessible; 0 and *key, or a negative errno. */
    int (*enroll)(void *context, uint64_t start, uint64_t last, uint32_t *key);
    void (*withdraw)(void *context, uint64_t start, uint64_t last, uint32_t key);
    void *context;
};

struct regcache;

/* A registration in use. */
struct regcache_region {
    uint64_t start, last;
    uint32_t key;
    uint32_t pins; /* private */
    struct regcache *cache;
};

/* -ENOMEM or 0. */
int regcache_create(const struct regcache_device *device, struct regcache **cache);

/* Withdraws everything. Nothing may be pinned. A negative errno of rangemap_destroy() or 0. */
int regcache_destroy(struct regcache *cache);

/*
 * A registration that holds all of [start, last], pinned, in *region. The memory must stay mapped meanwhile. If there
 * is none, one of whole pages is made; what it displaces stays registered until its last pin goes. -EINVAL, -ENOMEM,
 * or what `enroll` returns.
 */
int regcache_pin(struct regcache *cache, uint64_t start, uint64_t last, struct regcache_region **region);

/* Gives a pin up; the last one withdraws a region that was invalidated. */
void regcache_unpin(struct regcache_region *region);

/*
 * Before [start, last] is unmapped: pins that begin after the return do not find what is there now. Does not wait; a
 * transfer that is under way keeps its registration. Allocates nothing by malloc, frees nothing and withdraws
 * nothing: for hooks of munmap, madvise and free, also with the allocator locked. What was invalidated is withdrawn
 * by the next pin that registers, by drain and by destroy. -EINVAL, -ENOMEM.
 */
int regcache_invalidate(struct regcache *cache, uint64_t start, uint64_t last);

/* Waits until invalidated registrations are withdrawn, but for those still pinned. Negative errno of the domain. */
int regcache_drain(struct regcache *cache);

#ifdef __cplusplus
}
#endif

#endif
