// SPDX-License-Identifier: BSD-2-Clause
/*
 * What waits for reclamation after an update weighs just what the update took out of the tree, whichever way it did:
 * limits on memory hold only if that is counted right. And a repair of gap classes replaces no node that has none to
 * repair.
 */
#include "rangemap/map/enter.h"
#include "rangemap/map/inspect.h"
#include "rangemap/rangemap.h"
#include "rangemap/tree/gaps.h"
#include "test/shim/ctest.h"
#include "test/shim/prng.h"

enum { RANGES = 600, STEP = 10, KEYS = RANGES * STEP, UPDATES = 1500, NODES_MAX = 4000 };

/* ---- the nodes of a map ---- */

struct nodes {
    const void *node[NODES_MAX];
    uint64_t bytes[NODES_MAX];
    unsigned count;
};

static bool note_node(void *state, const struct rm_place *place)
{
    struct nodes *nodes = state;

    nodes->node[nodes->count] = place->node;
    nodes->bytes[nodes->count] = rm_node_bytes(place->node);
    nodes->count++;
    return nodes->count < NODES_MAX;
}

static void read_nodes(const struct rangemap *map, struct nodes *nodes)
{
    nodes->count = 0;
    REQUIRE_EQ(rm_inspect(map, note_node, nodes), 0);
    REQUIRE_LT(nodes->count, (unsigned)NODES_MAX);
}

/* Those that stay keep their order. */
static uint64_t bytes_gone(const struct nodes *before, const struct nodes *after, unsigned *gone)
{
    uint64_t bytes = 0;
    unsigned seen = 0;

    *gone = 0;
    for (unsigned i = 0; i < before->count; i++) {
        unsigned at = seen;

        while (at < after->count && after->node[at] != before->node[i]) {
            at++;
        }
        if (at < after->count) {
            seen = at + 1;
        } else {
            bytes += before->bytes[i];
            (*gone)++;
        }
    }
    return bytes;
}

/* ---- updates ---- */

static int decide(const struct rangemap_entry *part, const struct rangemap_entry *whole, void **value,
                  void *context)
{
    (void)whole;
    (void)context;
    *value = NULL;
    return (int)(part->start / STEP % 3); /* each verdict */
}

static int splice(struct rangemap *map, uint64_t start, uint64_t last)
{
    struct rangemap_entry entries[40];
    size_t count = 0;

    for (uint64_t key = start; key <= last && count < 40; key += 3) {
        entries[count++] = (struct rangemap_entry){key, key, NULL};
    }
    return rangemap_splice(map, start, last, entries, count, NULL);
}

/* One update, which may well have nothing to do. */
static void change(struct rangemap *map, struct prng *random)
{
    uint64_t width = prng_below(random, 8) == 0 ? 60 * STEP : 2 * STEP, key = prng_below(random, KEYS);
    uint64_t start = prng_below(random, KEYS - width), last = start + prng_below(random, width);
    int result = 0;

    switch (prng_below(random, 9)) {
    case 0:
        result = rangemap_carve(map, start, last, NULL, NULL);
        break;
    case 1:
        result = rangemap_update(map, start, last, decide, NULL, NULL);
        break;
    case 2:
        result = rangemap_evict(map, start, last, NULL, NULL);
        break;
    case 3:
        result = splice(map, start, last);
        break;
    case 4:
        result = rangemap_erase(map, key, NULL);
        break;
    case 5:
        result = rangemap_store(map, start, last, NULL, NULL, NULL);
        break;
    default:
        result = rangemap_insert(map, key, key + 2, NULL, NULL);
        break;
    }
    REQUIRE(result == 0 || result == -ENOENT || result == -EEXIST, "%d", result);
}

/* What waits, once all of it was handed over. */
static uint64_t pending_bytes(struct rangemap_domain *domain)
{
    struct rangemap_domain_statistics statistics;

    REQUIRE_GE(rangemap_domain_poll(domain), 0);
    REQUIRE_EQ(rangemap_domain_stats(domain, &statistics), 0);
    return statistics.pending_bytes;
}

static struct nodes before, after;

/* The lists of what is to be reclaimed are nodes of the pool themselves. */
static void check_change(struct rangemap *map, struct prng *random)
{
    const uint64_t bag = RM_BAG_LINES * RM_CACHE_LINE;
    struct rangemap_domain *domain = rangemap_domain_of(map);
    uint64_t waited = pending_bytes(domain), bytes, more;
    unsigned gone;

    before = after;
    change(map, random);
    read_nodes(map, &after);
    bytes = bytes_gone(&before, &after, &gone);
    more = pending_bytes(domain) - waited;
    if (gone <= RM_BAG_ENTRIES / 2) {
        REQUIRE_EQ(more, bytes + (gone > 0 ? bag : 0), "%u nodes are gone", gone);
    } else {
        REQUIRE_GT(more, bytes);
        REQUIRE_EQ((more - bytes) % bag, 0u, "%u nodes are gone", gone);
        REQUIRE_LE((more - bytes) / bag, (uint64_t)gone / (RM_BAG_ENTRIES - 1) + 2);
    }
}

static struct rangemap *new_map(struct rangemap_domain *domain, bool track_gaps)
{
    const struct rangemap_options options = {.domain = domain, .track_gaps = track_gaps};
    struct rangemap *map = NULL;

    REQUIRE_EQ(rangemap_create(&options, &map), 0);
    for (uint64_t i = 0; i < RANGES; i++) {
        REQUIRE_EQ(rangemap_insert(map, i * STEP, i * STEP + 4, NULL, NULL), 0);
    }
    return map;
}

static void check_map(bool track_gaps)
{
    struct prng random = prng_stream(test_seed(), track_gaps);
    struct rangemap_domain *domain;
    struct rangemap *map;

    REQUIRE_EQ(rangemap_domain_create(NULL, &domain), 0);
    map = new_map(domain, track_gaps);
    for (unsigned round = 0; round < 5; round++) {
        REQUIRE_EQ(rangemap_domain_barrier(domain), 0);
        REQUIRE_EQ(rangemap_domain_read_begin(domain), 0); /* nothing is reclaimed, no address used twice */
        read_nodes(map, &after);
        for (unsigned i = 0; i < UPDATES / 5; i++) {
            check_change(map, &random);
        }
        rangemap_domain_read_end(domain);
    }
    CHECK_EQ(rangemap_destroy(map), 0);
    CHECK_EQ(rangemap_domain_destroy(domain), 0);
}

TEST_CASE(replaced_bytes, are_those_of_the_nodes_that_are_gone)
{
    check_map(false);
    check_map(true);
}

/* ---- repairs ---- */

static void tighten_all(struct rangemap *map)
{
    for (uint64_t key = 0; key < KEYS; key += STEP) {
        for (unsigned level = 0; level <= 3; level++) {
            rm_gaps_tighten(map, rm_map_thread(map), key, level);
        }
    }
}

/* Where holes were filled, classes are loose; once repaired, they are exact. */
TEST_CASE(replaced_bytes, no_repair_where_there_is_nothing_to_repair)
{
    struct rangemap_domain *domain;
    struct rangemap *map;
    uint64_t waited;
    unsigned gone;

    REQUIRE_EQ(rangemap_domain_create(NULL, &domain), 0);
    map = new_map(domain, true);
    for (uint64_t hole = 1000; hole < KEYS; hole += 2000) {
        REQUIRE_EQ(rangemap_carve(map, hole, hole + 999, NULL, NULL), 0);
        REQUIRE_EQ(rangemap_insert(map, hole, hole + 999, NULL, NULL), 0);
    }
    REQUIRE_EQ(rangemap_domain_read_begin(domain), 0);
    read_nodes(map, &before);
    waited = pending_bytes(domain);
    tighten_all(map);
    read_nodes(map, &after);
    CHECK_EQ(bytes_gone(&before, &after, &gone), gone * (uint64_t)RM_INNER_LINES * RM_CACHE_LINE);
    CHECK_GT(gone, 0u);
    CHECK_EQ(pending_bytes(domain) - waited,
             bytes_gone(&before, &after, &gone) + RM_BAG_LINES * RM_CACHE_LINE);
    CHECK_EQ(after.node[0], before.node[0], "the root has no class");
    before = after;
    tighten_all(map);
    read_nodes(map, &after);
    CHECK_EQ(bytes_gone(&before, &after, &gone), 0u);
    CHECK_EQ(rangemap_validate(map, NULL, 0), 0);
    rangemap_domain_read_end(domain);
    CHECK_EQ(rangemap_destroy(map), 0);
    CHECK_EQ(rangemap_domain_destroy(domain), 0);
}
