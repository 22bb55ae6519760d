// SPDX-License-Identifier: BSD-2-Clause
/*
 * Which nodes are loaded ahead where a whole node's children are next: those that a search for a gap as of a version
 * looks at, and those that are frozen. Their sources are compiled anew, as for bench/cores, where a prefetch is a call.
 */
#include "rangemap/map/gap_search.h"
#include "rangemap/tree/freeze.h"
#include "test/prefetches.h"
#include "test/shim/ctest.h"

enum { STRIDE = 4, RANGES = 2000 };

static struct rangemap *new_map(bool tracks_gaps)
{
    struct rangemap_options options = {.track_gaps = tracks_gaps};
    struct rangemap *map;

    REQUIRE_EQ(rangemap_create(&options, &map), 0);
    for (uint64_t i = 0; i < RANGES; i++) {
        REQUIRE_EQ(rangemap_insert(map, i * STRIDE, i * STRIDE + 1, NULL, NULL), 0);
    }
    seen_count = 0;
    return map;
}

/* From child `from` on, as the next ones. */
static void check_children(unsigned *at, const struct rm_node *node, unsigned from)
{
    for (unsigned i = from; i < rm_node_count(node); i++) {
        REQUIRE_LT(*at, seen_count);
        CHECK_EQ(seen[(*at)++], (const void *)rm_slot_node(rm_load_relaxed(&rm_inner(node)->slot[i])));
    }
}

/* The only gap that serves is the last: all children of nodes on the way there, from that of the low key on. */
static void check_search(const struct rangemap *map, uint64_t low)
{
    struct rangemap_gap_request request = {.length = 100, .low = low, .high = UINT64_MAX};
    const struct rm_node *node = rm_root_node(map);
    bool is_on_edge = true;
    struct rm_gap_search search;
    unsigned at = 0;

    seen_count = 0;
    REQUIRE(rm_gap_search_init(&search, map, &request));
    REQUIRE_EQ(rm_gap_search_exact(&search), 0);
    CHECK_EQ(search.start, RANGES * STRIDE - STRIDE + 2);
    while (rm_node_level(node) > 0) {
        unsigned last = rm_node_count(node) - 1;
        unsigned from = is_on_edge ? rm_child_index(rm_inner(node), last + 1, low) : 0;

        check_children(&at, node, from);
        is_on_edge = is_on_edge && from == last;
        node = rm_slot_node(rm_load_relaxed(&rm_inner(node)->slot[last]));
    }
    CHECK_EQ(at, seen_count);
}

TEST_CASE(prefetch_nodes, a_search_for_a_gap_as_of_a_version)
{
    struct rangemap *map = new_map(true);

    CHECK_GT(rm_node_level(rm_root_node(map)), 1u);
    for (uint64_t low = 0; low < (RANGES - 40) * STRIDE; low += 397) {
        check_search(map, low);
    }
    CHECK_EQ(rangemap_destroy(map), 0);
}

TEST_CASE(prefetch_nodes, a_node_that_is_frozen)
{
    struct rangemap *map = new_map(false);
    struct rm_node *root = rm_root_node(map);
    unsigned at = 0;

    rm_freeze_node(map, rm_inner(root));
    check_children(&at, root, 0);
    CHECK_EQ(at, seen_count);
    CHECK_EQ(rangemap_destroy(map), 0);
}
