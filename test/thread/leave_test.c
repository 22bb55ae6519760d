// SPDX-License-Identifier: BSD-2-Clause
/* Ten thousand threads that are born, leave a domain in every state in which one may, and leave nothing behind. */
#define RANGEMAP_MUST_CHECK /* nothing: some calls are made whatever comes of them */
#include <stdatomic.h>
#include <stdlib.h>

#include "rangemap/rangemap.h"
#include "test/check/compare.h"
#include "test/check/crew.h"
#include "test/shim/ctest.h"

struct place {
    struct rangemap_domain *domain;
    struct rangemap *map;
    atomic_uint born; /* threads */
};

/* Ways to leave, by number; all are legal. */
enum { STATES = 10, LEAVERS = 4 };

static void ignore_deferred(struct rangemap_deferred *deferred, void *context)
{
    (void)context;
    free(deferred);
}

static void defer_something(struct rangemap_domain *domain)
{
    struct rangemap_deferred *deferred = malloc(sizeof *deferred);

    REQUIRE(deferred != NULL);
    REQUIRE_EQ(rangemap_domain_defer(domain, deferred, ignore_deferred, NULL), 0);
}

static void use_and_leave(struct place *place, unsigned state, uint64_t key)
{
    struct rangemap_snapshot snapshot;

    switch (state) {
    case 0: /* never used it */
        break;
    case 1:
        REQUIRE_EQ(rangemap_domain_attach(place->domain), 0);
        break;
    case 2: /* looked only */
        rangemap_lookup(place->map, key, NULL);
        break;
    case 3: /* some nodes retired: an open bag, and full magazines */
        REQUIRE_EQ(rangemap_store(place->map, key, key, NULL, NULL, NULL), 0);
        REQUIRE_EQ(rangemap_carve(place->map, key, key, NULL, NULL), 0);
        break;
    case 4: /* many */
        for (uint64_t i = 0; i < 100; i++) {
            REQUIRE_EQ(rangemap_store(place->map, key + i, key + i, NULL, NULL, NULL), 0);
        }
        break;
    case 5: /* what was reserved is not used */
        REQUIRE_EQ(rangemap_reserve(place->map, 3), 0);
        break;
    case 6:
        defer_something(place->domain);
        break;
    case 7: /* in the midst of reclamation */
        REQUIRE_EQ(rangemap_carve(place->map, 0, UINT64_MAX, NULL, NULL), 0);
        REQUIRE_GE(rangemap_domain_poll(place->domain), 0);
        break;
    case 8: /* after a snapshot, which has moved the clock */
        REQUIRE_EQ(rangemap_snapshot_begin(place->map, &snapshot), 0);
        rangemap_snapshot_end(&snapshot);
        break;
    default: /* detached, and attached again */
        REQUIRE_EQ(rangemap_store(place->map, key, key, NULL, NULL, NULL), 0);
        REQUIRE_EQ(rangemap_domain_detach(place->domain), 0);
        rangemap_lookup(place->map, key, NULL);
    }
}

static void leave_in_some_state(unsigned index, void *context)
{
    struct place *place = context;
    unsigned born = atomic_fetch_add(&place->born, 1);

    use_and_leave(place, (born / LEAVERS + index) % STATES, index * UINT64_C(1000) + born % 500);
}

TEST_CASE(thread_leave, ten_thousand_leave_in_every_state)
{
    struct rangemap_domain_statistics statistics;
    struct rangemap_options options = {.domain = NULL};
    struct place place = {.born = 0};

    REQUIRE_EQ(rangemap_domain_create(NULL, &place.domain), 0);
    options.domain = place.domain;
    REQUIRE_EQ(rangemap_create(&options, &place.map), 0);
    for (unsigned i = 0; i < 10000 / LEAVERS * test_scale(); i++) {
        crew_run(LEAVERS, leave_in_some_state, &place);
    }
    CHECK_EQ(place.born, 10000 * test_scale());
    CHECK_EQ(rangemap_domain_barrier(place.domain), 0);
    CHECK_EQ(rangemap_domain_stats(place.domain, &statistics), 0);
    CHECK_LE(statistics.records, 16u);
    CHECK_LE(statistics.threads, 1u);
    CHECK_LE(statistics.chunk_bytes, UINT64_C(16) << 20);
    CHECK_EQ(statistics.pending_bytes, 0u, "garbage of threads that are gone");
    require_valid(place.map, "after ten thousand threads");
    CHECK_EQ(rangemap_destroy(place.map), 0);
    CHECK_EQ(rangemap_domain_destroy(place.domain), 0);
}
