// SPDX-License-Identifier: BSD-2-Clause
/* The life of a map. */
#include <string.h>

#include "rangemap/epoch/dispose.h"
#include "rangemap/epoch/upkeep.h"
#include "rangemap/kernel/kernel.h"
#include "rangemap/map/enter.h"
#include "rangemap/tree/make.h"
#include "rangemap/tree/update.h"

#define TEXT_OF(x) #x
#define VERSION_OF(major, minor, patch) TEXT_OF(major) "." TEXT_OF(minor) "." TEXT_OF(patch)

const char *rangemap_version(void)
{
    return VERSION_OF(RANGEMAP_VERSION_MAJOR, RANGEMAP_VERSION_MINOR, RANGEMAP_VERSION_PATCH);
}

/*
 * A static link takes what is referred to: here every map begins, and the constructor that selects a kernel comes
 * with it.
 */
__attribute__((used)) static void (*const selects_kernel)(void) = rm_kernel_select_best;

static struct rangemap *new_map(struct rm_thread *thread)
{
    struct rm_node *leaf = rm_node_make(thread, 0, 0);
    struct rangemap *map;

    if (leaf == NULL) {
        return NULL;
    }
    map = rm_thread_alloc(thread, RM_MAP_LINES);
    if (map == NULL) {
        rm_thread_free(thread, leaf, rm_leaf_lines(0));
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
    made->tracks_gaps = options->track_gaps;
    made->values = (struct rm_values){options->split, options->release, options->retain, options->context};
    (void)rm_add_relaxed(&domain->maps, 1);
    *map = made;
    return 0;
}

/* The map is used no more, so its nodes need no grace period and no order: the caller has ended all uses before. */
static void free_map(struct rm_thread *thread, struct rangemap *map)
{
    struct rm_node *root = rm_slot_node(rm_load_relaxed(&map->root));
    struct rm_callbacks before = rm_callbacks_enter(thread);

    rm_dispose_tree(root, map->values.release != NULL ? &map->values : NULL, thread);
    rm_thread_free(thread, map, RM_MAP_LINES);
    rm_callbacks_leave(thread, before);
}

/*
 * Everything retired from the map before is in the shards (bags with values are submitted at once), so the
 * barrier ends it, and waits for callbacks that other threads are in. Then the rest is released here.
 */
int rangemap_destroy(struct rangemap *map)
{
    struct rangemap_domain *domain;
    struct rm_thread *thread;

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
        rm_upkeep_wait_grace(thread);
        rm_upkeep_barrier(thread);
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
    uint64_t bytes;

    if (map == NULL) {
        return -EINVAL;
    }
    thread = rm_map_enter(map);
    if (thread == NULL) {
        return -ENOMEM;
    }
    bytes = rm_update_bytes_max(map, updates);
    rm_section_leave(thread);
    rm_busy_enter(thread);
    reserved = rm_cache_reserve(&thread->cache, &map->domain->pool, bytes);
    rm_busy_leave(thread);
    return reserved ? 0 : -ENOMEM;
}
