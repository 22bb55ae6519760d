// SPDX-License-Identifier: BSD-2-Clause
/* The model's random updates. */
#include <errno.h>

#include "test/check/compare.h"
#include "test/model/model_window.h"
#include "test/oracle/dense.h"
#include "test/shim/ctest.h"

static void insert(struct model *model, uint64_t start, uint64_t last)
{
    void *value = model_value(model, start);
    struct rangemap_entry conflict = {1, 2, value};
    int result = rangemap_insert(model->map, start, last, value, &conflict);

    REQUIRE_EQ(result, oracle_insert(&model->oracle, start, last, value), "%s", model_where(model));
    if (result == -EEXIST) {
        const struct rangemap_entry *wanted = oracle_find(&model->oracle, conflict.start);

        REQUIRE(conflict.start <= last && conflict.last >= start, "%s", model_where(model));
        REQUIRE(wanted && entry_equal(&conflict, wanted), "%s", model_where(model));
    }
}

static void store(struct model *model, uint64_t start, uint64_t last)
{
    void *value = model_value(model, start);

    model->displaced.count = 0;
    model->expected.count = 0;
    REQUIRE_EQ(rangemap_store(model->map, start, last, value, entry_list_record, &model->displaced), 0, "%s",
               model_where(model));
    oracle_store(&model->oracle, start, last, value, &model->expected);
    require_same_list(&model->displaced, &model->expected, model_where(model));
}

static void carve(struct model *model, uint64_t start, uint64_t last)
{
    model->displaced.count = 0;
    model->expected.count = 0;
    REQUIRE_EQ(rangemap_carve(model->map, start, last, entry_list_record, &model->displaced), 0, "%s",
               model_where(model));
    oracle_carve(&model->oracle, start, last, &model->expected);
    require_same_list(&model->displaced, &model->expected, model_where(model));
}

static void erase(struct model *model, uint64_t start, uint64_t last)
{
    struct rangemap_entry got, wanted;
    int expected = oracle_erase(&model->oracle, start, &wanted);

    (void)last;
    model_require_entry(model, rangemap_erase(model->map, start, &got), &got, expected ? NULL : &wanted);
}

/* Half of the time at the bounds of a range that is there. */
static void aim(struct model *model, uint64_t *start, uint64_t *last)
{
    const struct rangemap_entry *found = oracle_overlap(&model->oracle, *start, *last);

    if (found && prng_below(&model->random, 2)) {
        *start = found->start;
        *last = found->last;
    }
}

static void erase_exact(struct model *model, uint64_t start, uint64_t last)
{
    struct rangemap_entry got, wanted;
    int expected, result;

    aim(model, &start, &last);
    expected = oracle_erase_exact(&model->oracle, start, last, &wanted);
    result = rangemap_erase_exact(model->map, start, last, &got);
    model_require_entry(model, result, &got, expected ? NULL : &wanted);
}

static void replace(struct model *model, uint64_t start, uint64_t last)
{
    const struct rangemap_entry *found;
    void *desired, *expected;
    void *got = NULL;
    void *wanted = NULL;
    int result;

    aim(model, &start, &last);
    found = oracle_find(&model->oracle, start);
    desired = model_value(model, start);
    expected = found && prng_below(&model->random, 4) ? found->value : desired;
    result = rangemap_replace(model->map, start, last, expected, desired, &got);
    REQUIRE_EQ(result, oracle_replace(&model->oracle, start, last, expected, desired, &wanted), "%s",
               model_where(model));
    REQUIRE_EQ(got, wanted, "%s", model_where(model));
}

static void coalesce(struct model *model, uint64_t start, uint64_t last)
{
    rangemap_equal_fn *equal = model->offsets ? model_continues : NULL;
    uint64_t joined = UINT64_MAX;

    REQUIRE_EQ(rangemap_coalesce(model->map, start, last, equal, model, &joined), 0, "%s",
               model_where(model));
    REQUIRE_EQ(joined, oracle_coalesce(&model->oracle, start, last, equal, model), "%s", model_where(model));
}

/* As long as the window, or short: most short ones fit somewhere. */
static uint64_t random_length(struct model *model, uint64_t start, uint64_t last)
{
    uint64_t longest = last - start == UINT64_MAX ? last : last - start + 1;

    return prng_between(&model->random, 1, prng_below(&model->random, 2) && longest > 16 ? 16 : longest);
}

static void allocate(struct model *model, uint64_t start, uint64_t last)
{
    struct rangemap_gap_request request;

    if (prng_below(&model->random, 3) == 0) {
        start = prng_below(&model->random, 2) ? 0 : model->space->low;
        last = prng_below(&model->random, 2) ? UINT64_MAX : model->space->high;
    }
    request = (struct rangemap_gap_request){
        .length = random_length(model, start, last),
        .alignment = prng_below(&model->random, 3) ? UINT64_C(1) << prng_below(&model->random, 12) : 0,
        .low = start,
        .high = last,
        .from_top = prng_below(&model->random, 2),
        .fit = (enum rangemap_gap_fit)prng_below(&model->random, 3),
        .hint = prng_between(&model->random, start, last),
    };
    void *value = model_value(model, start);
    uint64_t got = 0;
    uint64_t wanted = 0;
    int expected = oracle_gap(&model->oracle, &request, &wanted);

    REQUIRE_EQ(rangemap_gap_find(model->map, &request, &got), expected, "%s", model_where(model));
    REQUIRE_EQ(got, wanted, "%s", model_where(model));
    REQUIRE_EQ(rangemap_gap_allocate(model->map, &request, value, &got), expected, "%s", model_where(model));
    REQUIRE_EQ(got, wanted, "%s", model_where(model));
    if (expected == 0) {
        REQUIRE_EQ(oracle_insert(&model->oracle, got, got + (request.length - 1), value), 0, "%s",
                   model_where(model));
    }
}

/* Takes everything out and loads some of it, or all, again. */
static void reload(struct model *model, uint64_t start, uint64_t last)
{
    struct entry_list list;
    size_t bad = 77;

    if (prng_below(&model->random, 50)) {
        return;
    }
    entry_list_init(&list);
    collect(model->map, start, last, &list);
    if (model->oracle.list.count) {
        REQUIRE_EQ(rangemap_load(model->map, list.entry, list.count, &bad), -ENOTEMPTY, "%s",
                   model_where(model));
        carve(model, 0, UINT64_MAX);
    }
    REQUIRE_EQ(rangemap_load(model->map, list.entry, list.count, &bad), 0, "%s", model_where(model));
    REQUIRE_EQ(bad, 77u, "%s", model_where(model));
    oracle_load(&model->oracle, list.entry, list.count);
    entry_list_free(&list);
}

static void reserve(struct model *model, uint64_t start, uint64_t last)
{
    (void)last;
    REQUIRE_EQ(rangemap_reserve(model->map, (unsigned)(start % 5)), 0, "%s", model_where(model));
}

void model_update(struct model *model)
{
    static const struct {
        const char *name;
        void (*run)(struct model *model, uint64_t start, uint64_t last);
        unsigned weight;
    } kind[] = {
        {"insert", insert, 30},
        {"store", store, 18},
        {"carve", carve, 8},
        {"erase", erase, 12},
        {"erase_exact", erase_exact, 8},
        {"replace", replace, 8},
        {"coalesce", coalesce, 4},
        {"allocate", allocate, 10},
        {"reload", reload, 1},
        {"reserve", reserve, 1},
        {"splice", model_splice, 10},
        {"update", model_change, 10},
        {"erase_value", model_erase_value, 5},
        {"carve_value", model_carve_value, 3},
        {"evict", model_evict, 3},
        {"resize", model_resize, 7},
        {"clone", model_clone, 2},
    };
    unsigned choice = (unsigned)prng_below(&model->random, 140);
    unsigned i = 0;
    uint64_t start, last;

    while (choice >= kind[i].weight) {
        choice -= kind[i++].weight;
    }
    keyspace_range(model->space, &model->random, &start, &last);
    model->operation = kind[i].name;
    kind[i].run(model, start, last);
}
