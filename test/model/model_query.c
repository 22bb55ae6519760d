// SPDX-License-Identifier: BSD-2-Clause
/* The model's random queries. */
#include <errno.h>

#include "test/model/model.h"
#include "test/oracle/oracle_cursor.h"
#include "test/shim/ctest.h"

enum { BATCH_MAX = 70 };

static uint64_t random_key(struct model *model)
{
    return keyspace_key(model->space, &model->random);
}

static void find(struct model *model)
{
    uint64_t key = random_key(model);
    const struct rangemap_entry *wanted = oracle_find(&model->oracle, key);
    struct rangemap_entry entry;
    void *value = NULL;

    model_require_entry(model, rangemap_find(model->map, key, &entry), &entry, wanted);
    REQUIRE_EQ(rangemap_lookup(model->map, key, &value), wanted ? 0 : -ENOENT, "%s", model_where(model));
    REQUIRE_EQ(value, wanted ? wanted->value : NULL, "%s", model_where(model));
    REQUIRE_EQ(rangemap_lookup(model->map, key, NULL), wanted ? 0 : -ENOENT, "%s", model_where(model));
}

static void find_held(struct model *model)
{
    uint64_t key = random_key(model);
    const struct rangemap_entry *wanted = oracle_find(&model->oracle, key);
    struct rangemap_entry entry;
    void *value = NULL;

    REQUIRE_EQ(rangemap_read_begin(model->map), 0, "%s", model_where(model));
    model_require_entry(model, rangemap_find_held(model->map, key, &entry), &entry, wanted);
    REQUIRE_EQ(rangemap_lookup_held(model->map, key, &value), wanted ? 0 : -ENOENT, "%s", model_where(model));
    REQUIRE_EQ(value, wanted ? wanted->value : NULL, "%s", model_where(model));
    rangemap_read_end(model->map);
}

static void batch(struct model *model)
{
    size_t count = prng_below(&model->random, BATCH_MAX + 1);
    uint64_t key[BATCH_MAX];
    void *value[BATCH_MAX];
    struct rangemap_entry entry[BATCH_MAX];
    bool hit[BATCH_MAX], also_hit[BATCH_MAX];
    int hits = 0;

    for (size_t i = 0; i < count; i++) {
        key[i] = random_key(model);
        hits += oracle_find(&model->oracle, key[i]) != NULL;
    }
    REQUIRE_EQ(rangemap_lookup_batch(model->map, key, count, value, hit), hits, "%s", model_where(model));
    REQUIRE_EQ(rangemap_find_batch(model->map, key, count, entry, also_hit), hits, "%s", model_where(model));
    for (size_t i = 0; i < count; i++) {
        static const struct rangemap_entry nothing = {0, 0, NULL};
        const struct rangemap_entry *wanted = oracle_find(&model->oracle, key[i]);

        REQUIRE_EQ(hit[i], wanted != NULL, "%s", model_where(model));
        REQUIRE_EQ(also_hit[i], wanted != NULL, "%s", model_where(model));
        REQUIRE_EQ(value[i], wanted ? wanted->value : NULL, "%s", model_where(model));
        REQUIRE(entry_equal(&entry[i], wanted ? wanted : &nothing), "%s", model_where(model));
    }
}

static void neighbours(struct model *model)
{
    uint64_t key = random_key(model);
    struct rangemap_entry entry;
    int result = rangemap_next(model->map, key, &entry);

    model_require_entry(model, result, &entry, oracle_next(&model->oracle, key));
    result = rangemap_previous(model->map, key, &entry);
    model_require_entry(model, result, &entry, oracle_previous(&model->oracle, key));
    result = rangemap_first(model->map, &entry);
    model_require_entry(model, result, &entry, oracle_first(&model->oracle));
    result = rangemap_last(model->map, &entry);
    model_require_entry(model, result, &entry, oracle_last(&model->oracle));
}

static void overlap(struct model *model)
{
    uint64_t start, last;
    struct rangemap_entry entry;
    int result;

    keyspace_range(model->space, &model->random, &start, &last);
    result = rangemap_overlap(model->map, start, last, &entry);
    model_require_entry(model, result, &entry, oracle_overlap(&model->oracle, start, last));
    REQUIRE_EQ(rangemap_overlap(model->map, start, last, NULL), result, "%s", model_where(model));
    result = rangemap_overlap_last(model->map, start, last, &entry);
    model_require_entry(model, result, &entry, oracle_overlap_last(&model->oracle, start, last));
    REQUIRE_EQ(rangemap_is_covered(model->map, start, last), oracle_is_covered(&model->oracle, start, last),
               "%s", model_where(model));
    REQUIRE_EQ(rangemap_is_free(model->map, start, last), oracle_is_free(&model->oracle, start, last), "%s",
               model_where(model));
}

/* The stretches whose answer is most easily wrong: they end where a range or a gap does, or one beyond. */
static void coverage(struct model *model)
{
    const struct rangemap_entry *from = oracle_find(&model->oracle, random_key(model));
    uint64_t last;

    if (!from) {
        return;
    }
    last = from->last;
    for (unsigned i = 0; i < 40 && oracle_is_covered(&model->oracle, from->start, last); i++) {
        REQUIRE_EQ(rangemap_is_covered(model->map, from->start, last), 1, "%s", model_where(model));
        if (last == UINT64_MAX) {
            return;
        }
        last = oracle_find(&model->oracle, last + 1) ? oracle_find(&model->oracle, last + 1)->last : last + 1;
    }
    REQUIRE_EQ(rangemap_is_covered(model->map, from->start, last),
               oracle_is_covered(&model->oracle, from->start, last), "%s", model_where(model));
}

static void same_gap(struct model *model, int result, int error, bool found, const struct rangemap_gap *got,
                     const struct rangemap_gap *wanted)
{
    REQUIRE_EQ(result, found ? 0 : error, "%s", model_where(model));
    REQUIRE(!found || (got->start == wanted->start && got->last == wanted->last), "%s", model_where(model));
}

static void gaps(struct model *model)
{
    uint64_t key = random_key(model);
    struct rangemap_gap got, wanted;
    int result = rangemap_gap_at(model->map, key, &got);

    same_gap(model, result, -ENOENT, oracle_gap_at(&model->oracle, key, &wanted), &got, &wanted);
    model_ask_gap(model, NULL, &model->oracle, key);
}

void model_ask_gap(struct model *model, const struct rangemap_snapshot *snapshot, const struct oracle *oracle,
                   uint64_t key)
{
    struct rangemap_gap got, wanted;
    int result =
        snapshot ? rangemap_snapshot_gap_next(snapshot, key, &got) : rangemap_gap_next(model->map, key, &got);

    same_gap(model, result, -ENOSPC, oracle_gap_next(oracle, key, &wanted), &got, &wanted);
}

static void walk(struct model *model)
{
    model_walk(model, NULL, &model->oracle);
}

static void seek(struct model *model, struct rangemap_cursor *cursor, struct oracle_cursor *expected,
                 uint64_t low, uint64_t high)
{
    uint64_t key = prng_between(&model->random, low, high);
    const struct rangemap_entry *near = oracle_overlap(expected->oracle, key, high);

    if (near && prng_below(&model->random, 2)) {
        key = near->start < low ? low : near->start;
    }
    REQUIRE_EQ(rangemap_cursor_seek(cursor, key), 0, "%s", model_where(model));
    oracle_cursor_seek(expected, key);
}

void model_walk(struct model *model, const struct rangemap_snapshot *snapshot, const struct oracle *oracle)
{
    struct rangemap_cursor cursor;
    struct oracle_cursor expected;
    struct rangemap_entry entry;
    uint64_t low, high;
    unsigned steps = (unsigned)prng_below(&model->random, 60);
    unsigned turn = 1 + (unsigned)prng_below(&model->random, 30);
    bool upwards = prng_below(&model->random, 2);

    keyspace_range(model->space, &model->random, &low, &high);
    high = prng_below(&model->random, 2) ? high : model->space->high;
    REQUIRE_EQ(snapshot ? rangemap_cursor_init_at(&cursor, snapshot, low, high)
                        : rangemap_cursor_init(&cursor, model->map, low, high),
               0, "%s", model_where(model));
    oracle_cursor_init(&expected, oracle, low, high);
    for (unsigned i = 0; i < steps; i++) {
        unsigned choice = (unsigned)prng_below(&model->random, turn);

        if (choice == 0) {
            upwards = !upwards;
        } else if (choice == 1) {
            seek(model, &cursor, &expected, low, high);
        }
        if (upwards) {
            int result = rangemap_cursor_next(&cursor, &entry);
            model_require_entry(model, result, &entry, oracle_cursor_next(&expected));
        } else {
            int result = rangemap_cursor_previous(&cursor, &entry);
            model_require_entry(model, result, &entry, oracle_cursor_previous(&expected));
        }
    }
}

void model_query(struct model *model)
{
    static const struct {
        const char *name;
        void (*run)(struct model *model);
    } kind[] = {
        {"find", find},       {"find_held", find_held}, {"batch", batch}, {"neighbours", neighbours},
        {"overlap", overlap}, {"coverage", coverage},   {"walk", walk},   {"gaps", gaps},
    };
    unsigned i = (unsigned)prng_below(&model->random, sizeof kind / sizeof kind[0]);

    model->operation = kind[i].name;
    kind[i].run(model);
}
