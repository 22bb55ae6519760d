// SPDX-License-Identifier: BSD-2-Clause
#include "test/model/model_window.h"

#include <errno.h>

#include "test/check/compare.h"
#include "test/oracle/dense.h"
#include "test/shim/ctest.h"

bool model_continues(const struct rangemap_entry *left, const struct rangemap_entry *right, void *context)
{
    struct model *model = context;

    return dense_split(left, right->start, right->last, NULL) == right->value && model->map;
}

/* What `equal` and `displaced` of a rewrite are given. */
static void record(const struct rangemap_entry *entry, void *context)
{
    struct model *model = context;

    entry_list_append(&model->displaced, entry);
}

static struct rangemap_rewrite random_how(struct model *model, const struct entry_list *seen)
{
    struct rangemap_rewrite how = {.join = prng_below(&model->random, 3) == 0,
                                   .if_free = prng_below(&model->random, 6) == 0,
                                   .if_same = prng_below(&model->random, 6) == 0,
                                   .equal = model->offsets ? model_continues : NULL,
                                   .displaced = record,
                                   .context = model};

    if (how.if_same) {
        how.expected = seen->entry;
        how.expected_count = seen->count - (seen->count > 0 && prng_below(&model->random, 4) == 0);
    }
    return how;
}

static void prepare(struct model *model, uint64_t start, uint64_t last, struct entry_list *seen)
{
    entry_list_init(seen);
    collect(model->map, start, last, seen);
    if (seen->count > 0 && prng_below(&model->random, 20) == 0) {
        seen->entry[prng_below(&model->random, seen->count)].value = (void *)(uintptr_t)99;
    }
    model->displaced.count = 0;
    model->expected.count = 0;
}

static void agree(struct model *model, int result, int wanted)
{
    REQUIRE_EQ(result, wanted, "%s", model_where(model));
    require_same_list(&model->displaced, &model->expected, model_where(model));
}

/* A row of ranges in the window: few or, now and then, many. */
static void random_row(struct model *model, uint64_t start, uint64_t last, struct entry_list *row)
{
    uint64_t most = prng_below(&model->random, 10) == 0 ? 400 : 6;
    uint64_t stride = (last - start) / most;

    entry_list_init(row);
    for (uint64_t i = 0; i < most && stride > 0; i++) {
        uint64_t low = start + i * stride;
        struct rangemap_entry entry = {low, low + prng_below(&model->random, stride), NULL};

        entry.last = prng_below(&model->random, 2) ? low + stride - 1 : entry.last;
        entry.value = model_value(model, low);
        if (prng_below(&model->random, 3)) {
            entry_list_append(row, &entry);
        }
    }
    if (stride == 0) {
        struct rangemap_entry whole = {start, last, model_value(model, start)};

        entry_list_append(row, &whole);
    }
}

void model_splice(struct model *model, uint64_t start, uint64_t last)
{
    struct entry_list seen, row;
    struct rangemap_entry conflict = {1, 0, NULL};
    struct rangemap_rewrite how;
    int result, wanted;

    prepare(model, start, last, &seen);
    random_row(model, start, last, &row);
    how = random_how(model, &seen);
    how.conflict = &conflict;
    result = rangemap_splice(model->map, start, last, row.entry, row.count, &how);
    if (result == -EEXIST) {
        const struct rangemap_entry *in_the_way = oracle_find(&model->oracle, conflict.start);

        REQUIRE(in_the_way && entry_equal(in_the_way, &conflict), "%s", model_where(model));
        REQUIRE(conflict.start <= last && conflict.last >= start, "%s", model_where(model));
    }
    wanted = oracle_splice(&model->oracle, start, last, row.entry, row.count, &how, &model->expected);
    agree(model, result, wanted);
    entry_list_free(&seen);
    entry_list_free(&row);
}

/* A pure function: what it says depends on its arguments and a number. */
struct change {
    const struct model *model;
    uint64_t seed;
    bool refuses;
};

static int decide(const struct rangemap_entry *part, const struct rangemap_entry *whole, void **value,
                  void *context)
{
    const struct change *change = context;
    uint64_t bits = prng_mix(part->start * 31 + part->last + change->seed);
    uint64_t tag = bits >> 8 & 3;

    REQUIRE(whole == NULL || (whole->start <= part->start && part->last <= whole->last));
    if (change->refuses && bits % 64 == 0) {
        return -ECANCELED;
    }
    if (bits % 3 == RANGEMAP_SET) {
        *value = (void *)(uintptr_t)(change->model->offsets ? (tag << 40) + part->start : tag);
    }
    return (int)(bits % 3);
}

/* rangemap_update(). */
void model_change(struct model *model, uint64_t start, uint64_t last)
{
    struct change change = {model, prng_next(&model->random), false};
    struct entry_list seen;
    struct rangemap_rewrite how;
    int result, wanted;

    prepare(model, start, last, &seen);
    how = random_how(model, &seen);
    how.gaps = prng_below(&model->random, 2);
    how.whole = prng_below(&model->random, 3) == 0;
    change.refuses =
        !how.if_same && prng_below(&model->random, 4) == 0; /* of two errors, which is not said */
    result = rangemap_update(model->map, start, last, decide, &change, &how);
    wanted = oracle_update(&model->oracle, start, last, decide, &change, &how, &model->expected);
    agree(model, result, wanted);
    entry_list_free(&seen);
}

/* The value of some range in the window, or another. */
static void *some_value(struct model *model, uint64_t start, uint64_t last)
{
    const struct rangemap_entry *found = oracle_overlap_last(&model->oracle, start, last);

    return found && prng_below(&model->random, 4) ? found->value : model_value(model, start);
}

void model_erase_value(struct model *model, uint64_t start, uint64_t last)
{
    const struct rangemap_entry *found = oracle_overlap(&model->oracle, start, last);
    void *expected, *got = NULL, *wanted = NULL;
    int result;

    if (found && prng_below(&model->random, 4)) {
        start = found->start;
        last = found->last;
    }
    expected = some_value(model, start, start);
    result = rangemap_erase_value(model->map, start, last, expected, &got);
    REQUIRE_EQ(result, oracle_erase_value(&model->oracle, start, last, expected, &wanted), "%s",
               model_where(model));
    REQUIRE_EQ(got, wanted, "%s", model_where(model));
}

void model_carve_value(struct model *model, uint64_t start, uint64_t last)
{
    void *expected = some_value(model, start, last);
    int result;

    model->displaced.count = model->expected.count = 0;
    result = rangemap_carve_value(model->map, start, last, expected, record, model);
    oracle_carve_value(&model->oracle, start, last, expected, &model->expected);
    agree(model, result, 0);
}

void model_evict(struct model *model, uint64_t start, uint64_t last)
{
    int result;

    model->displaced.count = model->expected.count = 0;
    result = rangemap_evict(model->map, start, last, record, model);
    oracle_evict(&model->oracle, start, last, &model->expected);
    agree(model, result, 0);
}

void model_resize(struct model *model, uint64_t start, uint64_t last)
{
    const struct rangemap_entry *found = oracle_overlap(&model->oracle, start, last);
    uint64_t old_start = start, old_last = last;
    struct rangemap_entry conflict = {1, 0, NULL};
    int result;

    if (found && prng_below(&model->random, 8)) {
        old_start = found->start;
        old_last = found->last;
        start = start > old_last || prng_below(&model->random, 2) ? old_start : start;
        last = last < old_start || prng_below(&model->random, 2) ? old_last : last;
    }
    result = rangemap_resize(model->map, old_start, old_last, start, last, &conflict);
    if (result == -EEXIST) {
        found = oracle_find(&model->oracle, conflict.start);
        REQUIRE(found && entry_equal(found, &conflict), "%s", model_where(model));
        REQUIRE(conflict.start <= last && conflict.last >= start, "%s", model_where(model));
    }
    REQUIRE_EQ(result, oracle_resize(&model->oracle, old_start, old_last, start, last), "%s",
               model_where(model));
}

/* The way back to a snapshot. */
void model_clone(struct model *model, uint64_t start, uint64_t last)
{
    struct model_snapshot *slot = &model->snapshot[prng_below(&model->random, MODEL_SNAPSHOTS)];
    struct oracle saved;
    int result;

    if (!slot->held) {
        return;
    }
    oracle_init(&saved, model->oracle.split, model->oracle.context);
    entry_list_copy(&saved.list, &slot->saved.list);
    model->displaced.count = model->expected.count = 0;
    result = rangemap_clone(model->map, &slot->snapshot, start, last, record, model);
    oracle_clone(&model->oracle, &saved, start, last, &model->expected);
    agree(model, result, 0);
    oracle_free(&saved);
}
