// SPDX-License-Identifier: BSD-2-Clause
/*
 * Which lines a lookup has the processor load ahead, one by one and in batches: those that it reads next, each once.
 * Built as for bench/cores, where every prefetch is a call. What the compiler is told comes here, too.
 */
static void prefetch(const void *address, int to_write, int locality);
#define __builtin_prefetch(ADDRESS, TO_WRITE, LOCALITY) prefetch(ADDRESS, TO_WRITE, LOCALITY)

#include "rangemap/kernel/lookup.h"
#include "rangemap/rangemap.h"
#include "test/prefetches.h"
#include "test/shim/ctest.h"

enum { STRIDE = 4 };

static const void *wanted[SEEN];
static unsigned wanted_count;

/* A line that is loaded to be written is taken from all other threads; one of low locality does not stay. */
static void prefetch(const void *address, int to_write, int locality)
{
    REQUIRE_EQ(address, seen[(seen_count - 1) % SEEN]);
    REQUIRE_EQ(to_write, 0);
    REQUIRE_EQ(locality, 3, "kept in all caches");
}

static void want(const struct rm_node *node, unsigned line)
{
    wanted[wanted_count++ % SEEN] = (const char *)node + (size_t)line * RM_CACHE_LINE;
}

static void begin(void)
{
    seen_count = wanted_count = 0;
}

static void end(const char *what)
{
    REQUIRE_EQ(seen_count, wanted_count, "%s", what);
    for (unsigned i = 0; i < wanted_count; i++) {
        REQUIRE_EQ(seen[i], wanted[i], "%s: %u of %u", what, i, wanted_count);
    }
}

static const struct rm_node *child_of(const struct rm_node *node, uint64_t key)
{
    unsigned rank = rm_rank_portable(node, rm_node_count(node) - 1, key);

    return rm_slot_node(rm_load_relaxed(&rm_inner(node)->slot[rank]));
}

/* The first lines of keys are loaded at once: what comes behind them, of a leaf all there may be. */
static void want_way(const struct rangemap *map, uint64_t key)
{
    const struct rm_node *node = rm_root_node(map);

    while (rm_node_level(node) > 0) {
        node = child_of(node, key);
        for (unsigned line = 2; line < (rm_node_level(node) > 0 ? 4u : 6u); line++) {
            want(node, line);
        }
    }
}

/* All keys level by level, and then the pair that may hold each. In flat maps nothing is missed. */
static void want_batch(const struct rangemap *map, const uint64_t *key, unsigned count)
{
    const struct rm_node *node[RM_BATCH_KEYS];
    unsigned height = rm_node_level(rm_root_node(map));

    for (unsigned i = 0; i < count; i++) {
        node[i] = rm_root_node(map);
    }
    for (unsigned level = height; height > 1 && level > 0; level--) {
        for (unsigned i = 0; i < count; i++) {
            node[i] = child_of(node[i], key[i]);
            for (unsigned line = 0; line < (level > 1 ? 3u : 2u); line++) {
                want(node[i], line);
            }
        }
    }
    for (unsigned i = 0; height > 1 && i < count; i++) {
        unsigned entries = rm_node_count(node[i]), rank = rm_rank_portable(node[i], entries, key[i]);

        wanted[wanted_count++ % SEEN] = rm_leaf_pairs(rm_leaf(node[i]), entries) + (rank > 0 ? rank - 1 : 0);
    }
}

static void look_up(const struct rangemap *map, uint64_t ranges)
{
    uint64_t key[RM_BATCH_KEYS], span = ranges * STRIDE;
    struct rangemap_entry entry;
    void *value;

    for (uint64_t i = 0; i < RM_BATCH_KEYS; i++) {
        key[i] = i * span / RM_BATCH_KEYS + i % STRIDE;
        begin();
        (void)rm_lookup_with(rm_rank_portable, map, key[i], &value);
        want_way(map, key[i]);
        end("lookup");
        begin();
        (void)rm_find_with(rm_rank_portable, map, key[i], &entry);
        want_way(map, key[i]);
        end("find");
    }
    for (unsigned count = 0; count <= RM_BATCH_KEYS; count++) {
        begin();
        (void)rm_batch_with(rm_rank_portable, map, key, count, NULL, NULL, NULL);
        want_batch(map, key, count);
        end("batch");
    }
}

TEST_CASE(prefetch, what_is_read_next)
{
    static const uint64_t count[] = {0, 1, 15, 16, 100, 200, 2000, 20000};
    struct rangemap *map;
    uint64_t ranges = 0;

    REQUIRE_EQ(rangemap_create(NULL, &map), 0);
    for (unsigned i = 0; i < sizeof count / sizeof *count; i++) {
        for (; ranges < count[i]; ranges++) {
            REQUIRE_EQ(rangemap_insert(map, ranges * STRIDE + 1, ranges * STRIDE + 2, NULL, NULL), 0);
        }
        REQUIRE_EQ(rangemap_read_begin(map), 0);
        look_up(map, ranges);
        rangemap_read_end(map);
    }
    CHECK_EQ(rangemap_destroy(map), 0);
}
