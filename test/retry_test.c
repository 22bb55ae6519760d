// SPDX-License-Identifier: BSD-2-Clause
/*
 * rangemap_domain_statistics.retries. A split callback runs between what an update has read and its
 * compare-and-swap, so an update that is held there, while another one changes its leaf, loses exactly once. A
 * range that is cut in two takes two calls: on the leaf path before the copy, on the region path two more behind
 * the freeze.
 */
#include <semaphore.h>
#include <stdatomic.h>

#include "rangemap/rangemap.h"
#include "test/check/compare.h"
#include "test/check/crew.h"
#include "test/shim/ctest.h"
#include "test/shim/prng.h"

enum { RANGES = 300, STEP = 100, WIDTH = 50, ROUNDS = 100, LEAF_PATH = 1, REGION_PATH = 3 };

struct duel {
    struct rangemap_domain *domain;
    struct rangemap *map;
    uint64_t start;     /* of the range that both change */
    unsigned hold_call; /* in which call of split the loser is held */
    sem_t has_read, may_go_on;
};

/* In the one that is to lose: its duel, and how often split was called. */
static _Thread_local struct duel *to_lose;
static _Thread_local unsigned calls;

static void *hold(const struct rangemap_entry *whole, uint64_t start, uint64_t last, void *context)
{
    (void)start;
    (void)last;
    (void)context;
    if (to_lose != NULL && ++calls == to_lose->hold_call) {
        sem_post(&to_lose->has_read);
        sem_wait(&to_lose->may_go_on);
    }
    return whole->value;
}

static uint64_t retries_of(struct rangemap_domain *domain)
{
    struct rangemap_domain_statistics statistics;

    REQUIRE_EQ(rangemap_domain_stats(domain, &statistics), 0);
    return statistics.retries;
}

static void begin(struct duel *duel, uint64_t ranges)
{
    struct rangemap_options options = {.split = hold};

    *duel = (struct duel){.domain = NULL};
    sem_init(&duel->has_read, 0, 0);
    sem_init(&duel->may_go_on, 0, 0);
    REQUIRE_EQ(rangemap_domain_create(NULL, &duel->domain), 0);
    options.domain = duel->domain;
    REQUIRE_EQ(rangemap_create(&options, &duel->map), 0);
    for (uint64_t i = 0; i < ranges; i++) {
        REQUIRE_EQ(rangemap_insert(duel->map, i * STEP, i * STEP + WIDTH, NULL, NULL), 0);
    }
}

static void end(struct duel *duel)
{
    require_valid(duel->map, "after duels");
    CHECK_EQ(rangemap_destroy(duel->map), 0);
    CHECK_EQ(rangemap_domain_destroy(duel->domain), 0);
    sem_destroy(&duel->has_read);
    sem_destroy(&duel->may_go_on);
}

static void lose_once(unsigned index, void *context)
{
    struct duel *duel = context;

    (void)index;
    to_lose = duel;
    REQUIRE_EQ(rangemap_carve(duel->map, duel->start + 10, duel->start + 20, NULL, NULL), 0);
}

/* The loser is a thread of its own, which is gone afterwards. */
static void fight(struct duel *duel, uint64_t start, unsigned hold_call)
{
    struct crew loser;

    duel->start = start;
    duel->hold_call = hold_call;
    crew_start(&loser, 1, lose_once, duel);
    sem_wait(&duel->has_read);
    CHECK_EQ(rangemap_replace(duel->map, start, start + WIDTH, NULL, duel, NULL), 0);
    sem_post(&duel->may_go_on);
    crew_join(&loser);
}

/* Counts of threads that have left stay. */
TEST_CASE(retry, counted_on_the_leaf_path)
{
    struct duel duel;

    begin(&duel, 1);
    for (unsigned round = 0; round < ROUNDS; round++) {
        REQUIRE_EQ(retries_of(duel.domain), round);
        fight(&duel, 0, LEAF_PATH);
        REQUIRE_EQ(rangemap_store(duel.map, 0, WIDTH, NULL, NULL, NULL), 0);
    }
    CHECK_EQ(retries_of(duel.domain), (unsigned)ROUNDS);
    end(&duel);
}

/* Ascending insertion leaves full leaves, which a range that is cut in two has to split. */
TEST_CASE(retry, counted_on_the_region_path)
{
    struct duel duel;
    unsigned rounds = 0;

    begin(&duel, RANGES);
    for (uint64_t i = 7; i < RANGES - 15; i += 15) {
        fight(&duel, i * STEP, REGION_PATH);
        REQUIRE_EQ(retries_of(duel.domain), ++rounds);
    }
    end(&duel);
}

TEST_CASE(retry, none_in_one_thread)
{
    struct prng random = prng_stream(test_seed(), 1);
    struct duel duel;

    begin(&duel, RANGES);
    for (unsigned i = 0; i < 20000; i++) {
        uint64_t start = prng_below(&random, (uint64_t)RANGES * STEP);
        uint64_t last = start + prng_below(&random, (uint64_t)STEP * 20);

        REQUIRE_EQ(i % 3 == 0 ? rangemap_carve(duel.map, start, last, NULL, NULL)
                              : rangemap_store(duel.map, start, start + 30, NULL, NULL, NULL),
                   0);
    }
    CHECK_EQ(retries_of(duel.domain), 0u);
    end(&duel);
}

/* A record that served in a domain that is gone brings nothing along. */
TEST_CASE(retry, belongs_to_its_domain)
{
    struct duel first, second;

    begin(&first, 1);
    begin(&second, 1);
    fight(&first, 0, LEAF_PATH);
    CHECK_EQ(retries_of(first.domain), 1u);
    CHECK_EQ(retries_of(second.domain), 0u);
    end(&second);
    end(&first);
    begin(&first, 1);
    CHECK_EQ(retries_of(first.domain), 0u);
    fight(&first, 0, LEAF_PATH);
    CHECK_EQ(retries_of(first.domain), 1u);
    end(&first);
}

static atomic_uint writers;

static void write_or_watch(unsigned index, void *context)
{
    struct duel *duel = context;
    uint64_t before = 0;

    for (unsigned i = 0; index > 0 && i < 20000 * test_scale(); i++) {
        REQUIRE_EQ(rangemap_store(duel->map, i % 8, i % 8, NULL, NULL, NULL), 0);
    }
    atomic_fetch_sub(&writers, index > 0);
    while (index == 0 && writers > 0 && !crew_is_broken()) {
        uint64_t now = retries_of(duel->domain);

        REQUIRE_GE(now, before);
        before = now;
    }
}

/* Read while it is written, and while threads come and go. */
TEST_CASE(retry, never_goes_down)
{
    struct duel duel;

    begin(&duel, RANGES);
    for (unsigned round = 0; round < 5; round++) {
        writers = 2;
        crew_run(3, write_or_watch, &duel);
    }
    end(&duel);
}
