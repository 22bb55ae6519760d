// SPDX-License-Identifier: BSD-2-Clause
/* Nobody tells a domain that a thread has ended. What such threads kept for themselves is found, and by whom. */
#include "rangemap/rangemap.h"
#include "test/check/crew.h"
#include "test/shim/ctest.h"

enum { KEYS = 400, OWN_BYTES = 64 << 10 };

struct place {
    struct rangemap_domain *domain;
    struct rangemap *map;
    pthread_barrier_t all_have_updated;
};

/* All live at the same time, so that none takes over the record of another. */
static void update_much(unsigned index, void *context)
{
    struct place *place = context;

    for (uint64_t i = 0; i < KEYS; i++) {
        uint64_t key = (index * KEYS + i) * 16;

        REQUIRE_EQ(rangemap_store(place->map, key, key + 7, NULL, NULL, NULL), 0);
        REQUIRE_EQ(rangemap_carve(place->map, key, key + 3, NULL, NULL), 0);
    }
    (void)pthread_barrier_wait(&place->all_have_updated);
}

static uint64_t cached_bytes(const struct place *place)
{
    struct rangemap_domain_statistics now;

    REQUIRE_EQ(rangemap_domain_stats(place->domain, &now), 0);
    CHECK_LE(now.threads, 1u);
    return now.cached_bytes;
}

/* `stays`: the calling thread is attached all the time. */
static void begin(struct place *place, bool stays)
{
    struct rangemap_options options = {.domain = NULL};

    REQUIRE_EQ(rangemap_domain_create(NULL, &place->domain), 0);
    options.domain = place->domain;
    REQUIRE_EQ(rangemap_create(&options, &place->map), 0);
    if (!stays) {
        REQUIRE_EQ(rangemap_domain_detach(place->domain), 0);
    }
    REQUIRE_EQ(pthread_barrier_init(&place->all_have_updated, NULL, CREW_MAX), 0);
    crew_run(CREW_MAX, update_much, place);
    CHECK_GT(cached_bytes(place), CREW_MAX * 1536u, "there is nothing to find");
}

static void end(struct place *place)
{
    (void)pthread_barrier_destroy(&place->all_have_updated);
    CHECK_EQ(rangemap_destroy(place->map), 0);
    CHECK_EQ(rangemap_domain_destroy(place->domain), 0);
}

/* It looks at all records, if nobody has for a tick of the coarse clock and ten microseconds a record. */
TEST_CASE(thread_ended, an_attach_finds_all)
{
    struct place place;

    begin(&place, false);
    sleep_milliseconds(30);
    CHECK_EQ(rangemap_domain_attach(place.domain), 0);
    CHECK_LE(cached_bytes(&place), (uint64_t)OWN_BYTES);
    end(&place);
}

/* Also by a thread that is not attached, and at any time. */
TEST_CASE(thread_ended, a_trim_finds_all)
{
    struct place place;

    begin(&place, false);
    CHECK_GE(rangemap_domain_trim(place.domain), 0);
    CHECK_EQ(cached_bytes(&place), 0u);
    end(&place);
}

/* Updates find 64 whenever garbage is handed over, at most once a tick. */
TEST_CASE(thread_ended, updates_find_all)
{
    struct place place;

    begin(&place, true);
    for (unsigned i = 0; i < 8; i++) {
        sleep_milliseconds(12);
        for (unsigned j = 0; j < 64; j++) {
            REQUIRE_EQ(rangemap_store(place.map, 0, 0, NULL, NULL, NULL), 0);
        }
    }
    CHECK_LE(cached_bytes(&place), (uint64_t)OWN_BYTES);
    end(&place);
}
