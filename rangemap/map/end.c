// SPDX-License-Identifier: BSD-2-Clause
/*
 * The end of a map that is not waited for. Its memory becomes a piece of garbage that goes from shard to shard, to
 * each that is not empty: a shard ends what it has in the order in which it came, so behind the last one nothing is
 * left that was retired from the map, and no callback of it runs. Then its tree is disposed of, a share at a time. A
 * map that calls nobody back need not go anywhere.
 *
 * The last shard is that of the thread that ended it, which pays for it: else all maps would come to the shard that
 * happens to be last, and wait there for the shares of a thread that ended none.
 *
 * It counts as pending bytes all the time, or limits would not know of it; and the call does its share as an update
 * does that drops so many ranges, or maps could be made and ended faster than they go.
 */
#include "rangemap/epoch/dispose.h"
#include "rangemap/epoch/upkeep.h"
#include "rangemap/map/enter.h"
#include "rangemap/map/inspect.h"

/* The map's clock, which is not read any more, counts the records whose shards were passed; then: */
#define ALL_SHARDS_PASSED UINT64_MAX

static const struct rm_values *owned_values(const struct rangemap *map)
{
    return map->values.release != NULL ? &map->values : NULL;
}

/* The next shard that is not empty, but for that of its payer; the payer's is the last. */
static struct rm_shard *next_shard(struct rangemap *map)
{
    struct rm_roster_walk walk = rm_roster_begin(&map->domain->roster, true);
    uint64_t passed = rm_word_private(&map->clock);
    struct rm_thread *other;

    for (uint64_t place = 0; (other = rm_roster_next(&walk)) != NULL; place++) {
        if (place >= passed && other != map->payer && !rm_shard_is_empty(&other->shard)) {
            rm_word_set_private(&map->clock, place + 1);
            return &other->shard;
        }
    }
    rm_word_set_private(&map->clock, ALL_SHARDS_PASSED);
    return &map->payer->shard;
}

/* The payer looks after it there: that thread may be idle. */
static void go_on(struct rangemap *map, struct rm_thread *thread)
{
    struct rm_shard *next = next_shard(map);

    if (thread == map->payer && next != &thread->shard) {
        thread->elsewhere = next;
    }
    rm_reclaim_submit_to(thread, next, &map->end);
}

/* From its first part on the root's word is that of a struct rm_retired, which has tags. */
static bool dispose_tree(struct rangemap *map, struct rm_thread *thread, unsigned *budget)
{
    uint64_t root = rm_word_private(&map->root);
    struct rm_retired tree = rm_dispose_whole(rm_slot_node(root), owned_values(map));
    bool done;

    if ((root & RM_RETIRED_TAGS) != 0) {
        tree.word = root;
    }
    done = rm_dispose_retired(&tree, thread, budget);
    rm_word_set_private(&map->root, tree.word);
    return done;
}

/* A full fence: a barrier that finds none left returns without another look at the claim, after what `ended` did. */
static void count_down(rm_word *count)
{
    uint64_t before;

    do {
        before = rm_load_relaxed(count);
    } while (!rm_cas_full(count, before, before - 1));
}

static bool dispose_map(struct rm_garbage *garbage, struct rm_thread *thread, unsigned *budget)
{
    struct rangemap *map = RM_CONTAINER_OF(garbage, struct rangemap, end);

    if (rm_word_private(&map->clock) != ALL_SHARDS_PASSED) {
        go_on(map, thread);
        return true; /* gone from here */
    }
    if (!dispose_tree(map, thread, budget)) {
        return false;
    }
    if (map->ended != NULL) {
        map->ended(map->ended_context);
    }
    count_down(&map->domain->ending);
    rm_thread_free(thread, map, RM_MAP_LINES);
    return true;
}

static uint64_t bytes_of_map(const struct rm_garbage *garbage)
{
    return RM_CONTAINER_OF(garbage, struct rangemap, end)->end_bytes;
}

static const struct rm_garbage_kind end_of_map = {dispose_map, bytes_of_map, false, true};
static const struct rm_garbage_kind end_that_calls_back = {dispose_map, bytes_of_map, true, true};

/* What there is to dispose of. */
static uint64_t things_of(const struct rangemap *map, const struct rangemap_statistics *counted)
{
    return counted->leaves + counted->inner_nodes + (owned_values(map) != NULL ? counted->ranges : 0);
}

int rangemap_destroy_later(struct rangemap *map, rangemap_ended_fn *ended, void *context)
{
    struct rangemap_statistics counted;
    struct rm_thread *thread;
    bool calls_back;
    int error;

    if (map == NULL) {
        return -EINVAL;
    }
    error = rm_inspect_count(map, &counted);
    if (error != 0) {
        return error;
    }
    thread = rm_map_thread(map);
    calls_back = owned_values(map) != NULL || ended != NULL;
    map->end_bytes = counted.bytes + RM_MAP_LINES * RM_CACHE_LINE;
    map->payer = thread;
    map->end.kind = calls_back ? &end_that_calls_back : &end_of_map;
    map->ended = ended;
    map->ended_context = context;
    rm_word_set_private(&map->clock, calls_back ? 0 : ALL_SHARDS_PASSED);
    (void)rm_add_relaxed(&map->domain->ending, 1); /* ordered by the inbox */
    (void)rm_add_relaxed(&map->domain->maps, (uint64_t)0 - 1);
    rm_reclaim_submit(thread, &map->end, things_of(map, &counted));
    rm_upkeep(thread);
    return 0;
}
