// SPDX-License-Identifier: BSD-2-Clause
/* The life of a map. */
#include <string.h>

#include "rangemap/epoch/dispose.h"
#include "rangemap/epoch/grace.h"
#include "rangemap/epoch/reclaim.h"
#include "rangemap/map/enter.h"
#include "rangemap/tree/update.h"

#define TEXT_OF(x) #x
#define VERSION_OF(major, minor, patch) TEXT_OF(major) "." TEXT_OF(minor) "." TEXT_OF(patch)

const char *rangemap_version(void)
{
    return VERSION_OF(RANGEMAP_VERSION_MAJOR, RANGEMAP_VERSION_MINOR, RANGEMAP_VERSION_PATCH);
}

static struct rm_leaf *new_empty_leaf(struct rm_thread *thread)
{
    struct rm_leaf *leaf = rm_cache_alloc(&thread->cache, &thread->domain->pool, rm_leaf_lines(0));

    if (leaf != NULL) {
        rm_word_set_private(&leaf->node.meta, rm_meta(0, 0, 0));
        *rm_node_prev(&leaf->node, rm_meta(0, 0, 0)) = NULL;
    }
    return leaf;
}

static struct rangemap *new_map(struct rm_thread *thread)
{
    struct rm_leaf *leaf = new_empty_leaf(thread);
    struct rangemap *map;

    if (leaf == NULL) {
        return NULL;
    }
    map = rm_cache_alloc(&thread->cache, &thread->domain->pool, RM_MAP_LINES);
    if (map == NULL) {
        rm_cache_free(&thread->cache, &thread->domain->pool, leaf, rm_leaf_lines(0));
        return NULL;
    }
    memset(map, 0, sizeof *map);
    map->domain = thread->domain;
    rm_word_set_private(&map->root, rm_pointer_bits(leaf));
    rm_word_set_private(&map->clock, 1); /* above stamp 0, which is "always there" */
    return map;
}

int rangemap_create(const struct rangemap_options *options, struct rangemap **map)
{
    static const struct rangemap_options none;
    struct rangemap_domain *domain;
    struct rm_thread *thread;
    struct rangemap *made;

    if (map == NULL) {
        return -EINVAL;
    }
    options = options != NULL ? options : &none;
    domain = rm_domain_or_default(options->domain);
    thread = domain != NULL ? rm_thread_current(domain) : NULL;
    if (thread == NULL) {
        return -ENOMEM;
    }
    rm_busy_enter(thread);
    made = new_map(thread);
    rm_busy_leave(thread);
    if (made == NULL) {
        return -ENOMEM;
    }
    made->values = (struct rm_values){options->split, options->release, options->retain, options->context};
    (void)rm_add_relaxed(&domain->maps, 1);
    *map = made;
    return 0;
}

/*
 * Everything retired from the map before is in the shards (bags with values are submitted at once), so the
 * barrier ends it, and waits for callbacks that other threads are in. Then the rest is released here.
 */
static int await_values(struct rm_thread *thread)
{
    int result = rm_grace_wait(thread->domain);

    return result == 0 ? rm_reclaim_barrier(thread) : result;
}

/* Nobody uses the map any more, so its nodes need no grace period. */
static void free_map(struct rm_thread *thread, struct rangemap *map)
{
    struct rm_node *root = rm_slot_node(rm_load_acquire(&map->root));
    bool was_reclaiming = thread->reclaiming;

    rm_busy_enter(thread);
    thread->reclaiming = true; /* its release callbacks are callbacks like any others */
    rm_dispose_tree(root, map->values.release != NULL ? &map->values : NULL, thread);
    thread->reclaiming = was_reclaiming;
    rm_cache_free(&thread->cache, &thread->domain->pool, map, RM_MAP_LINES);
    rm_busy_leave(thread);
}

int rangemap_destroy(struct rangemap *map)
{
    struct rangemap_domain *domain;
    struct rm_thread *thread;
    int result;

    if (map == NULL) {
        return 0;
    }
    domain = map->domain;
    thread = rm_map_thread(map);
    if (thread == NULL) {
        return -ENOMEM;
    }
    if (map->values.release != NULL) {
        if (rm_section_is_open(thread) || thread->reclaiming) {
            return -EDEADLK;
        }
        result = await_values(thread);
        if (result != 0) {
            return result;
        }
    }
    free_map(thread, map);
    (void)rm_add_relaxed(&domain->maps, (uint64_t)0 - 1);
    return 0;
}

struct rangemap_domain *rangemap_domain_of(const struct rangemap *map)
{
    return map != NULL ? map->domain : NULL;
}

int rangemap_reserve(struct rangemap *map, unsigned updates)
{
    struct rm_thread *thread;
    bool reserved;
    size_t bytes;

    if (map == NULL) {
        return -EINVAL;
    }
    thread = rm_map_enter(map);
    if (thread == NULL) {
        return -ENOMEM;
    }
    bytes = rm_update_bytes_max(map) * updates;
    rm_section_leave(thread);
    rm_busy_enter(thread);
    reserved = rm_cache_reserve(&thread->cache, &map->domain->pool, bytes);
    rm_busy_leave(thread);
    return reserved ? 0 : -ENOMEM;
}
