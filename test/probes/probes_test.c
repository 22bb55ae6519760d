// SPDX-License-Identifier: BSD-2-Clause
/* What probes tell, as rangemap/base/probe.h lists them: how often, and with which numbers. */
#include <errno.h>
#include <string.h>

#include "rangemap/node/layout.h"
#include "rangemap/rangemap.h"
#include "test/probes/sys/sdt.h"
#include "test/shim/ctest.h"

enum { HITS_MAX = 20000, RANGES = 3000 };

static struct hit {
    const char *name;
    uintptr_t a, b, c;
} hit[HITS_MAX];

static unsigned hits;

void probe_hit(const char *name, uintptr_t a, uintptr_t b, uintptr_t c)
{
    if (hits < HITS_MAX) {
        hit[hits++] = (struct hit){name, a, b, c};
    }
}

static bool is_of(const struct hit *at, const char *name)
{
    return strcmp(at->name, name) == 0;
}

static unsigned hits_of(const char *name)
{
    unsigned count = 0;

    for (unsigned i = 0; i < hits; i++) {
        count += is_of(&hit[i], name);
    }
    return count;
}

static struct rangemap_statistics stats_of(const struct rangemap *map)
{
    struct rangemap_statistics statistics;

    REQUIRE_EQ(rangemap_stats(map, &statistics), 0);
    return statistics;
}

/* RANGES ranges, inserted in steps of `multiplier`; what that hits is noted. */
static struct rangemap *row(uint64_t multiplier, bool tracks_gaps)
{
    const struct rangemap_options options = {.track_gaps = tracks_gaps};
    struct rangemap *map = NULL;

    REQUIRE_EQ(rangemap_create(&options, &map), 0);
    hits = 0;
    for (uint64_t i = 0; i < RANGES; i++) {
        uint64_t key = i * multiplier % RANGES * 10;

        REQUIRE_EQ(rangemap_insert(map, key, key + 5, NULL, NULL), 0);
    }
    return map;
}

/* ---- updates ---- */

/* So often entries went to two nodes at a level or above; all of them were one more than fit. */
static uint64_t splits(unsigned least_level, unsigned most_level)
{
    uint64_t count = 0;

    for (unsigned i = 0; i < hits; i++) {
        if (is_of(&hit[i], "split") && hit[i].b >= least_level && hit[i].b <= most_level) {
            CHECK_EQ(hit[i].a, hit[i].b > 0 ? RM_INNER_MAX + 1u : RM_LEAF_MAX + 1u);
            count++;
        }
    }
    return count;
}

/* Each leaf but the first comes of a split; so does each inner node, but for one a level: the first root there. */
static void check_splits(uint64_t multiplier, bool tracks_gaps)
{
    struct rangemap *map = row(multiplier, tracks_gaps);
    struct rangemap_statistics statistics = stats_of(map);

    REQUIRE_LT(hits, (unsigned)HITS_MAX);
    CHECK_GT(statistics.height, 1u);
    CHECK_EQ(splits(0, 0), statistics.leaves - 1);
    CHECK_EQ(splits(1, RM_HEIGHT_MAX), statistics.inner_nodes - statistics.height);
    CHECK_EQ(hits_of("cas__retry"), 0u, "nobody else is there");
    CHECK_EQ(hits_of("fold"), 0u);
    CHECK_EQ(rangemap_destroy(map), 0);
}

TEST_CASE(probes, tell_each_split)
{
    check_splits(1, false);
    check_splits(RANGES - 1, false);
    check_splits(1013, false);
    check_splits(1, true);
    check_splits(1013, true);
}

/* A region is rebuilt: its nodes are frozen, each of them once. */
TEST_CASE(probes, tell_each_node_that_is_frozen)
{
    struct rangemap *map = row(1, false);
    struct rangemap_statistics before = stats_of(map);

    hits = 0;
    REQUIRE_EQ(rangemap_carve(map, 0, UINT64_MAX, NULL, NULL), 0);
    CHECK_EQ(hits_of("freeze"), before.inner_nodes);
    for (unsigned i = 0; i < hits; i++) {
        CHECK(!is_of(&hit[i], "freeze") ||
              (hit[i].a == (uintptr_t)map && hit[i].c <= RM_INNER_MAX && hit[i].c > 1));
        for (unsigned j = 0; j < i; j++) {
            CHECK(!is_of(&hit[i], "freeze") || !is_of(&hit[j], "freeze") || hit[i].b != hit[j].b, "twice");
        }
    }
    CHECK_EQ(rangemap_destroy(map), 0);
}

/* ---- searches ---- */

TEST_CASE(probes, tell_each_search_for_a_gap)
{
    const struct rangemap_gap_request request = {.length = 5, .high = RANGES * 10 - 5};
    struct rangemap *map = row(1, true);
    uint64_t start;

    hits = 0;
    CHECK_EQ(rangemap_gap_find(map, &request, &start), -ENOSPC);
    REQUIRE_GT(hits_of("gap__search"), 0u);
    for (unsigned i = 0; i < hits; i++) {
        CHECK(hit[i].a == (uintptr_t)map && hit[i].b >= 1 && hit[i].b <= stats_of(map).inner_nodes);
    }
    CHECK_EQ(rangemap_destroy(map), 0);
}

/* ---- grace periods ---- */

/* Nobody is in a section: each look tells that a grace period may be over, and nothing stalls it. */
TEST_CASE(probes, tell_each_look_for_grace_periods)
{
    struct rangemap_domain *domain = NULL;
    struct rangemap *map = NULL;

    REQUIRE_EQ(rangemap_domain_create(NULL, &domain), 0);
    REQUIRE_EQ(rangemap_create(&(struct rangemap_options){.domain = domain}, &map), 0);
    REQUIRE_EQ(rangemap_store(map, 0, 1, NULL, NULL, NULL), 0);
    hits = 0;
    REQUIRE_GE(rangemap_domain_poll(domain), 0);
    CHECK_GE(hits_of("poll"), 1u);
    CHECK_EQ(hits_of("stall"), 0u);
    for (unsigned i = 0; i < hits; i++) {
        CHECK(hit[i].a == (uintptr_t)domain && hit[i].b == 1);
    }
    CHECK_EQ(rangemap_destroy(map), 0);
    CHECK_EQ(rangemap_domain_destroy(domain), 0);
}

/* A section is open: looks are in vain, and say how far it is behind, which is one epoch at most. */
TEST_CASE(probes, tell_what_stalls)
{
    struct rangemap_domain *domain = NULL;
    struct rangemap *map = NULL;

    REQUIRE_EQ(rangemap_domain_create(NULL, &domain), 0);
    REQUIRE_EQ(rangemap_create(&(struct rangemap_options){.domain = domain}, &map), 0);
    REQUIRE_EQ(rangemap_read_begin(map), 0);
    for (uint64_t i = 0; i < 4; i++) {
        REQUIRE_EQ(rangemap_store(map, 0, i, NULL, NULL, NULL), 0);
        (void)rangemap_domain_poll(domain);
    }
    hits = 0;
    (void)rangemap_domain_poll(domain);
    CHECK_GE(hits_of("stall"), 1u);
    for (unsigned i = 0; i < hits; i++) {
        CHECK(hit[i].a == (uintptr_t)domain);
        CHECK_EQ(hit[i].b, is_of(&hit[i], "stall") ? 1u : 0u);
    }
    rangemap_read_end(map);
    CHECK_EQ(rangemap_destroy(map), 0);
    CHECK_EQ(rangemap_domain_destroy(domain), 0);
}
