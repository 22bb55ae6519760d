// SPDX-License-Identifier: BSD-2-Clause
/* What updates cost in instructions: of one leaf and of several, of each kind of map. */
#define RANGEMAP_MUST_CHECK /* nothing: some calls are made whatever comes of them */

#include <errno.h>

#include "test/cost/trial.h"
#include "test/shim/ctest.h"

static void store(struct trial *trial, uint64_t key)
{
    (void)rangemap_store(trial->map, key, key + 5, NULL, NULL, NULL);
}

static void carve_and_insert(struct trial *trial, uint64_t key)
{
    (void)rangemap_carve(trial->map, key, key + 5, NULL, NULL);
    (void)rangemap_insert(trial->map, key, key + 5, NULL, NULL);
}

static void erase_and_insert(struct trial *trial, uint64_t key)
{
    (void)rangemap_erase(trial->map, key, NULL);
    (void)rangemap_insert(trial->map, key, key + 5, NULL, NULL);
}

/* It leaves two parts, which go when the whole is stored again. */
static void cut_and_store(struct trial *trial, uint64_t key)
{
    (void)rangemap_carve(trial->map, key + 2, key + 3, NULL, NULL);
    (void)rangemap_store(trial->map, key, key + 5, NULL, NULL, NULL);
}

static int set_other_value(const struct rangemap_entry *part, const struct rangemap_entry *whole,
                           void **value, void *context)
{
    (void)whole;
    (void)context;
    *value = (void *)((uintptr_t)part->value ^ 1);
    return RANGEMAP_SET;
}

static void update(struct trial *trial, uint64_t key)
{
    (void)rangemap_update(trial->map, key, key + 5, set_other_value, NULL, NULL);
}

/* The two parts that a cut left join again. */
static void cut_and_coalesce(struct trial *trial, uint64_t key)
{
    uint64_t joined;

    (void)rangemap_carve(trial->map, key + 3, key + 5, NULL, NULL);
    (void)rangemap_insert(trial->map, key + 3, key + 5, NULL, NULL);
    (void)rangemap_coalesce(trial->map, key, key + 5, NULL, NULL, &joined);
}

/* The lowest gap of its size from the key on, which is behind the range there. */
static void allocate_and_erase(struct trial *trial, uint64_t key)
{
    const struct rangemap_gap_request request = {.length = 4, .low = key, .high = UINT64_MAX};
    uint64_t start;

    (void)rangemap_gap_allocate(trial->map, &request, NULL, &start);
    (void)rangemap_erase(trial->map, start, NULL);
}

/* ---- windows ---- */

static void splice(struct trial *trial, uint64_t key)
{
    const struct rangemap_entry row[] = {{key, key + 2, NULL}, {key + 3, key + 5, NULL}},
                                one = {key, key + 5, NULL};

    (void)rangemap_splice(trial->map, key, key + 5, row, 2, NULL);
    (void)rangemap_splice(trial->map, key, key + 5, &one, 1, NULL);
}

/* A hundred ranges go, and come again. */
static void evict_and_splice(struct trial *trial, uint64_t key)
{
    enum { MANY = 100 };
    uint64_t low = key % ((trial->ranges - MANY) * 10);
    struct rangemap_entry row[MANY];

    for (uint64_t i = 0; i < MANY; i++) {
        row[i] = (struct rangemap_entry){low + i * 10, low + i * 10 + 5, NULL};
    }
    (void)rangemap_evict(trial->map, low, low + MANY * 10 - 1, NULL, NULL);
    (void)rangemap_splice(trial->map, low, low + MANY * 10 - 1, row, MANY, NULL);
}

static void update_a_hundred(struct trial *trial, uint64_t key)
{
    uint64_t low = key % ((trial->ranges - 100) * 10);

    (void)rangemap_update(trial->map, low, low + 999, set_other_value, NULL, NULL);
}

/* ---- ranges ---- */

static void resize_there_and_back(struct trial *trial, uint64_t key)
{
    (void)rangemap_resize(trial->map, key, key + 5, key, key + 3, NULL);
    (void)rangemap_resize(trial->map, key, key + 3, key, key + 5, NULL);
}

static void replace(struct trial *trial, uint64_t key)
{
    (void)rangemap_replace(trial->map, key, key + 5, NULL, NULL, NULL);
}

/* Leaves split, and merge again. */
static void split_and_merge(struct trial *trial, uint64_t key)
{
    for (uint64_t i = 0; i < 12; i++) {
        (void)rangemap_store(trial->map, key + 6 + (i & 3), key + 6 + (i & 3), NULL, NULL, NULL);
        (void)rangemap_carve(trial->map, key + i % 10, key + i % 10, NULL, NULL);
    }
    (void)rangemap_store(trial->map, key, key + 5, NULL, NULL, NULL);
    (void)rangemap_carve(trial->map, key + 6, key + 9, NULL, NULL);
}

static void allocate_from_top(struct trial *trial, uint64_t key)
{
    const struct rangemap_gap_request request = {.length = 4, .low = 0, .high = key + 9, .from_top = true};
    uint64_t start;

    (void)rangemap_gap_allocate(trial->map, &request, NULL, &start);
    (void)rangemap_erase(trial->map, start, NULL);
}

/* ---- whole maps ---- */

static void create_and_destroy(struct trial *trial, uint64_t key)
{
    (void)key;
    (void)rangemap_destroy(trial_map(trial->domain, TRIAL_OWNS));
}

static void load_and_destroy(struct trial *trial, uint64_t key)
{
    static struct rangemap_entry entries[400];
    struct rangemap *map = trial_map(trial->domain, key % 20 == 0 ? TRIAL_PLAIN : TRIAL_TRACKS_GAPS);

    for (uint64_t i = 0; i < 400; i++) {
        entries[i] = (struct rangemap_entry){10 * i, 10 * i + i % 7, NULL};
    }
    (void)rangemap_load(map, entries, 400, NULL);
    (void)rangemap_load(map, entries, 400, NULL); /* refused */
    (void)rangemap_erase(map, 0, NULL);
    (void)rangemap_destroy(map);
}

/* ---- budgets ---- */

TEST_CASE(update_cost, of_a_plain_map)
{
    static const struct cost costs[] = {
        {"store", store, 5, 512, TRIAL_PLAIN},
        {"store", store, 20000, 1102, TRIAL_PLAIN},
        {"carve and insert", carve_and_insert, 20000, 1826, TRIAL_PLAIN},
        {"erase and insert", erase_and_insert, 256, 1772, TRIAL_PLAIN},
        {"erase and insert", erase_and_insert, 20000, 1790, TRIAL_PLAIN},
        {"replace", replace, 20000, 1091, TRIAL_PLAIN},
        {"resize there and back", resize_there_and_back, 20000, 3888, TRIAL_PLAIN},
        {"cut and store", cut_and_store, 20000, 2613, TRIAL_PLAIN},
        {"cut and coalesce", cut_and_coalesce, 20000, 5638, TRIAL_PLAIN},
    };

    check_costs(costs, sizeof costs / sizeof *costs, 16);
}

TEST_CASE(update_cost, of_windows)
{
    static const struct cost costs[] = {
        {"update", update, 20000, 2223, TRIAL_PLAIN},
        {"update", update, 20000, 2367, TRIAL_TRACKS_GAPS},
        {"splice", splice, 20000, 4836, TRIAL_PLAIN},
        {"splice", splice, 20000, 5621, TRIAL_OWNS},
    };

    check_costs(costs, sizeof costs / sizeof *costs, 16);
}

TEST_CASE(update_cost, of_a_map_that_tracks_gaps)
{
    static const struct cost costs[] = {
        {"store", store, 20000, 1319, TRIAL_TRACKS_GAPS},
        {"erase and insert", erase_and_insert, 5, 1510, TRIAL_TRACKS_GAPS},
        {"erase and insert", erase_and_insert, 20000, 2961, TRIAL_TRACKS_GAPS},
        {"carve and insert", carve_and_insert, 20000, 3089, TRIAL_TRACKS_GAPS},
        {"cut and store", cut_and_store, 20000, 2895, TRIAL_TRACKS_GAPS},
        {"allocate and erase", allocate_and_erase, 20000, 3791, TRIAL_TRACKS_GAPS},
        {"allocate from the top and erase", allocate_from_top, 20000, 3805, TRIAL_TRACKS_GAPS},
    };

    check_costs(costs, sizeof costs / sizeof *costs, 16);
}

TEST_CASE(update_cost, of_a_map_with_values)
{
    static const struct cost costs[] = {
        {"store", store, 20000, 1556, TRIAL_RELEASES},
        {"erase and insert", erase_and_insert, 20000, 2424, TRIAL_RELEASES},
        {"carve and insert", carve_and_insert, 20000, 2461, TRIAL_OWNS},
        {"erase and insert", erase_and_insert, 20000, 2424, TRIAL_OWNS},
        {"replace", replace, 20000, 1545, TRIAL_OWNS},
        {"cut and store", cut_and_store, 20000, 3347, TRIAL_OWNS},
    };

    check_costs(costs, sizeof costs / sizeof *costs, 16);
}

TEST_CASE(update_cost, of_many_ranges)
{
    static const struct cost costs[] = {
        {"split and merge", split_and_merge, 2000, 22568, TRIAL_PLAIN},
        {"update of a hundred", update_a_hundred, 20000, 16350, TRIAL_PLAIN},
        {"update of a hundred", update_a_hundred, 20000, 35878, TRIAL_OWNS},
        {"evict and splice", evict_and_splice, 20000, 30447, TRIAL_PLAIN},
        {"evict and splice", evict_and_splice, 20000, 31775, TRIAL_TRACKS_GAPS},
        {"split and merge", split_and_merge, 2000, 28512, TRIAL_TRACKS_GAPS},
        {"split and merge", split_and_merge, 2000, 28068, TRIAL_OWNS},
        {"load and destroy", load_and_destroy, 5, 38024, TRIAL_PLAIN},
        {"create and destroy", create_and_destroy, 5, 1978, TRIAL_PLAIN},
    };

    check_costs(costs, sizeof costs / sizeof *costs, 3);
}

/* It is refused: a section of the caller's own keeps what waits from going. */
TEST_CASE(update_cost, of_an_update_above_the_hard_limit_beside_idle_threads)
{
    const struct rangemap_domain_options options = {.hard_limit_bytes = 1 << 10};
    struct trial trial = {.ranges = 100, .calls = 40, .call = store};
    int error = 0;

    trial_begin();
    REQUIRE_EQ(rangemap_domain_create(&options, &trial.domain), 0);
    trial.map = trial_map(trial.domain, TRIAL_PLAIN);
    REQUIRE_EQ(rangemap_read_begin(trial.map), 0);
    for (unsigned i = 0; i < 10000 && error == 0; i++) {
        error = rangemap_store(trial.map, 1, 1, NULL, NULL, NULL);
    }
    REQUIRE_EQ(error, -EBUSY);
    check_cost_beside("refused update beside 32 threads", &trial, 32, 2661);
    rangemap_read_end(trial.map);
    CHECK_EQ(rangemap_destroy(trial.map), 0);
    CHECK_EQ(rangemap_domain_destroy(trial.domain), 0);
}
