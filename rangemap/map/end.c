// SPDX-License-Identifier: BSD-2-Clause
/*
 * The end of a map that is not waited for. Its memory becomes a piece of garbage that goes from shard to shard, to
 * each that is not empty: a shard ends what it has in the order in which it came, so behind the last one nothing is
 * left that was retired from the map, and no callback of it runs. Then its tree is disposed of, a share at a time.
 *
 * It counts as pending bytes all the time, or limits would not know of it; and the call does its share as an update does
 * that drops so many ranges, or maps could be made and ended faster than they go.
 */
#include "rangemap/epoch/dispose.h"
#include "rangemap/epoch/upkeep.h"
#include "rangemap/map/enter.h"

/* The map's clock, which is not read any more, counts the records whose shards were passed; then: */
#define ALL_SHARDS_PASSED UINT64_MAX

static const struct rm_values *owned_values(const struct rangemap *map)
{
    return map->values.release != NULL ? &map->values : NULL;
}

/* On to the next shard that is not empty. False: there is none. */
static bool go_on(struct rangemap *map, struct rm_thread *thread)
{
    struct rm_roster_walk walk = rm_roster_begin(&map->domain->roster, true);
    uint64_t passed = rm_word_private(&map->clock);
    struct rm_thread *other;

    for (uint64_t place = 0; (other = rm_roster_next(&walk)) != NULL; place++) {
        if (place >= passed && !rm_shard_is_empty(&other->shard)) {
            rm_word_set_private(&map->clock, place + 1);
            rm_reclaim_submit_to(thread, &other->shard, &map->end);
            return true;
        }
    }
    return false;
}

/* The root's word is then that of a struct rm_retired. */
static bool dispose_tree(struct rangemap *map, struct rm_thread *thread, unsigned *budget)
{
    struct rm_retired tree = {rm_word_private(&map->root), rm_pointer_bits(owned_values(map))};
    bool done = rm_dispose_retired(&tree, thread, budget);

    rm_word_set_private(&map->root, tree.word);
    return done;
}

static bool dispose_map(struct rm_garbage *garbage, struct rm_thread *thread, unsigned *budget)
{
    struct rangemap *map = RM_CONTAINER_OF(garbage, struct rangemap, end);

    if (rm_word_private(&map->clock) != ALL_SHARDS_PASSED) {
        if (go_on(map, thread)) {
            return true; /* gone from here */
        }
        rm_word_set_private(&map->clock, ALL_SHARDS_PASSED);
        rm_word_set_private(
            &map->root, rm_dispose_whole(rm_slot_node(rm_word_private(&map->root)), owned_values(map)).word);
    }
    if (!dispose_tree(map, thread, budget)) {
        return false;
    }
    if (map->ended != NULL) {
        map->ended(map->ended_context);
    }
    (void)rm_add_relaxed(&map->domain->ending,
                         (uint64_t)0 - 1); /* ordered by the shard's claim, which barriers take */
    rm_thread_free(thread, map, RM_MAP_LINES);
    return true;
}

static uint64_t bytes_of_map(const struct rm_garbage *garbage)
{
    return RM_CONTAINER_OF(garbage, struct rangemap, end)->end_bytes;
}

static const struct rm_garbage_kind end_of_map = {dispose_map, bytes_of_map, false};
static const struct rm_garbage_kind end_that_calls_back = {dispose_map, bytes_of_map, true};

/* What there is to dispose of. */
static uint64_t things_of(const struct rangemap *map, const struct rangemap_statistics *counted)
{
    return counted->leaves + counted->inner_nodes + (owned_values(map) != NULL ? counted->ranges : 0);
}

int rangemap_destroy_later(struct rangemap *map, rangemap_ended_fn *ended, void *context)
{
    struct rangemap_statistics counted;
    struct rm_thread *thread;
    int error;

    if (map == NULL) {
        return -EINVAL;
    }
    error = rangemap_stats(map, &counted);
    if (error != 0) {
        return error;
    }
    thread = rm_map_thread(map);
    map->end_bytes = counted.bytes + RM_MAP_LINES * RM_CACHE_LINE;
    map->end.kind = owned_values(map) != NULL || ended != NULL ? &end_that_calls_back : &end_of_map;
    map->ended = ended;
    map->ended_context = context;
    rm_word_set_private(&map->clock, 0);
    (void)rm_add_relaxed(&map->domain->ending, 1); /* ordered by the inbox, as what counts it down */
    (void)rm_add_relaxed(&map->domain->maps, (uint64_t)0 - 1);
    rm_reclaim_submit(thread, &map->end, things_of(map, &counted));
    rm_upkeep(thread);
    return 0;
}
