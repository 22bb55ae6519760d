// SPDX-License-Identifier: BSD-2-Clause
/*
 * Runs that change between the look that finds them and the step that joins them. `equal` is called in between, so a
 * coalesce can be held there while another thread changes the run: what counts is the map at the step, in each of its
 * parts - bounds, value, number of ranges.
 */
#include <semaphore.h>
#include <stdint.h>

#include "rangemap/rangemap.h"
#include "test/check/compare.h"
#include "test/check/crew.h"
#include "test/oracle/oracle.h"
#include "test/shim/ctest.h"

/* The run: ranges of WIDTH keys each that touch, all of one value. In one leaf, and in several. */
enum { BASE = 100, WIDTH = 10, FEW = 3, MANY = 40, AROUND = 1000 };

struct race {
    struct rangemap *map;
    unsigned ranges;
    uint64_t joined; /* what the coalesce says */
    sem_t has_looked, may_go_on;
};

/* In the thread that is held: its race, and how often it has compared. */
static _Thread_local struct race *held;
static _Thread_local unsigned comparisons;

static void *value_of(uintptr_t number)
{
    return (void *)number;
}

static bool same(const struct rangemap_entry *left, const struct rangemap_entry *right, void *context)
{
    (void)context;
    if (held != NULL && ++comparisons == held->ranges - 1) { /* the last of the first look */
        sem_post(&held->has_looked);
        sem_wait(&held->may_go_on);
    }
    return left->value == right->value;
}

static uint64_t start_of(unsigned index)
{
    return BASE + (uint64_t)index * WIDTH;
}

static uint64_t last_of(unsigned index)
{
    return start_of(index) + WIDTH - 1;
}

static void coalesce_body(unsigned index, void *context)
{
    struct race *race = context;

    (void)index;
    held = race;
    REQUIRE_EQ(rangemap_coalesce(race->map, 0, UINT64_MAX, same, NULL, &race->joined), 0);
}

/* What another thread does to a run of so many ranges, and to an oracle. */
typedef void change(struct rangemap *map, struct oracle *oracle, unsigned ranges);

static void store(struct rangemap *map, struct oracle *oracle, uint64_t start, uint64_t last, uintptr_t value)
{
    REQUIRE_EQ(rangemap_store(map, start, last, value_of(value), NULL, NULL), 0);
    oracle_store(oracle, start, last, value_of(value), NULL);
}

static void carve(struct rangemap *map, struct oracle *oracle, uint64_t start, uint64_t last)
{
    REQUIRE_EQ(rangemap_carve(map, start, last, NULL, NULL), 0);
    oracle_carve(oracle, start, last, NULL);
}

static void is_joined(struct rangemap *map, struct oracle *oracle, unsigned ranges)
{
    (void)ranges;
    REQUIRE_EQ(rangemap_coalesce(map, 0, UINT64_MAX, same, NULL, NULL), 0);
    (void)oracle_coalesce(oracle, 0, UINT64_MAX, same, NULL);
}

static void has_fewer_ranges(struct rangemap *map, struct oracle *oracle, unsigned ranges)
{
    (void)ranges;
    store(map, oracle, start_of(0), last_of(1), 7);
}

static void has_more_ranges(struct rangemap *map, struct oracle *oracle, unsigned ranges)
{
    store(map, oracle, start_of(ranges - 1) + 3, start_of(ranges - 1) + 5, 7);
}

static void is_one_range(struct rangemap *map, struct oracle *oracle, unsigned ranges)
{
    store(map, oracle, start_of(0), last_of(ranges - 1), 7);
}

static void is_no_more(struct rangemap *map, struct oracle *oracle, unsigned ranges)
{
    carve(map, oracle, start_of(0), last_of(ranges - 1));
}

static void has_other_values(struct rangemap *map, struct oracle *oracle, unsigned ranges)
{
    for (unsigned i = 0; i < ranges; i++) {
        store(map, oracle, start_of(i), last_of(i), 9);
    }
}

static void has_another_first_value(struct rangemap *map, struct oracle *oracle, unsigned ranges)
{
    (void)ranges;
    store(map, oracle, start_of(0), last_of(0), 9);
}

static void has_another_value_inside(struct rangemap *map, struct oracle *oracle, unsigned ranges)
{
    (void)ranges;
    store(map, oracle, start_of(1), last_of(1), 9);
}

static void has_another_last_value(struct rangemap *map, struct oracle *oracle, unsigned ranges)
{
    store(map, oracle, start_of(ranges - 1), last_of(ranges - 1), 9);
}

static void begins_later(struct rangemap *map, struct oracle *oracle, unsigned ranges)
{
    (void)ranges;
    carve(map, oracle, start_of(0), start_of(0) + 4);
}

static void begins_earlier(struct rangemap *map, struct oracle *oracle, unsigned ranges)
{
    (void)ranges;
    store(map, oracle, start_of(0) - 5, last_of(0), 7);
}

static void ends_sooner(struct rangemap *map, struct oracle *oracle, unsigned ranges)
{
    carve(map, oracle, last_of(ranges - 1) - 4, last_of(ranges - 1));
}

static void ends_later(struct rangemap *map, struct oracle *oracle, unsigned ranges)
{
    store(map, oracle, start_of(ranges - 1), last_of(ranges - 1) + 5, 7);
}

static void has_a_hole(struct rangemap *map, struct oracle *oracle, unsigned ranges)
{
    (void)ranges;
    carve(map, oracle, last_of(1), last_of(1));
}

static void lacks_its_first(struct rangemap *map, struct oracle *oracle, unsigned ranges)
{
    (void)ranges;
    carve(map, oracle, start_of(0), last_of(0));
}

static void lacks_its_last(struct rangemap *map, struct oracle *oracle, unsigned ranges)
{
    carve(map, oracle, start_of(ranges - 1), last_of(ranges - 1));
}

/* The run, with ranges of other values on both sides that do not touch it. */
static void fill(struct rangemap *map, struct oracle *oracle, unsigned ranges)
{
    store(map, oracle, 0, 9, 8);
    for (unsigned i = 0; i < ranges; i++) {
        store(map, oracle, start_of(i), last_of(i), 7);
    }
    store(map, oracle, start_of(ranges) + AROUND, last_of(ranges) + AROUND, 8);
}

static void try(change *make, const char *what, unsigned ranges)
{
    struct race race = {.ranges = ranges};
    struct oracle oracle;
    struct crew crew;
    uint64_t joined;

    oracle_init(&oracle, NULL, NULL);
    REQUIRE_EQ(rangemap_create(NULL, &race.map), 0);
    fill(race.map, &oracle, ranges);
    sem_init(&race.has_looked, 0, 0);
    sem_init(&race.may_go_on, 0, 0);
    crew_start(&crew, 1, coalesce_body, &race);
    sem_wait(&race.has_looked);
    make(race.map, &oracle, ranges);
    sem_post(&race.may_go_on);
    crew_join(&crew);

    joined = oracle_coalesce(&oracle, 0, UINT64_MAX, same, NULL);
    CHECK_EQ(race.joined, joined, "a run of %u that %s", ranges, what);
    require_same_map(race.map, &oracle.list, what);
    sem_destroy(&race.has_looked);
    sem_destroy(&race.may_go_on);
    oracle_free(&oracle);
    CHECK_EQ(rangemap_destroy(race.map), 0);
}

#define CHANGES(name_)                                                                                       \
    TEST_CASE(join, a_run_that_##name_)                                                                      \
    {                                                                                                        \
        try(name_, #name_, FEW);                                                                             \
        try(name_, #name_, MANY);                                                                            \
    }

CHANGES(is_joined)
CHANGES(has_fewer_ranges)
CHANGES(has_more_ranges)
CHANGES(is_one_range)
CHANGES(is_no_more)
CHANGES(has_other_values)
CHANGES(has_another_first_value)
CHANGES(has_another_value_inside)
CHANGES(has_another_last_value)
CHANGES(begins_later)
CHANGES(begins_earlier)
CHANGES(ends_sooner)
CHANGES(ends_later)
CHANGES(has_a_hole)
CHANGES(lacks_its_first)
CHANGES(lacks_its_last)
