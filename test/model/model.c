// SPDX-License-Identifier: BSD-2-Clause
#include "test/model/model.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "test/check/compare.h"
#include "test/oracle/dense.h"
#include "test/shim/ctest.h"

const char *model_where(struct model *model)
{
    snprintf(model->text, sizeof model->text, "%s at step %" PRIu64 ", %s%s%s, kernel %s", model->operation,
             model->step, model->space->name, model->offsets ? " with offsets" : "",
             model->tracks_gaps ? " with gaps" : "", rangemap_kernel());
    return model->text;
}

void *model_value(struct model *model, uint64_t start)
{
    bool common = prng_below(&model->random, 2) == 0;
    uint64_t tag = prng_below(&model->random, common ? 3 : UINT64_C(1) << 40);

    return (void *)(uintptr_t)(model->offsets ? (tag << 40) + start : tag);
}

void model_require_entry(struct model *model, int result, const struct rangemap_entry *got,
                         const struct rangemap_entry *wanted)
{
    if (!wanted) {
        REQUIRE_EQ(result, -ENOENT, "%s", model_where(model));
        return;
    }
    REQUIRE_EQ(result, 0, "%s", model_where(model));
    REQUIRE_EQ(got->start, wanted->start, "%s", model_where(model));
    REQUIRE_EQ(got->last, wanted->last, "%s", model_where(model));
    REQUIRE_EQ(got->value, wanted->value, "%s", model_where(model));
}

/* Fills both from the same sorted random ranges. */
static void preload(struct model *model)
{
    uint64_t stride = (model->space->high - model->space->low) / (model->space->preload + 1u);
    struct entry_list list;

    entry_list_init(&list);
    for (uint64_t i = 0; i < model->space->preload; i++) {
        uint64_t start = model->space->low + i * stride;
        uint64_t last = start + prng_below(&model->random, stride);
        struct rangemap_entry entry = {start, last, model_value(model, start)};

        entry_list_append(&list, &entry);
    }
    REQUIRE_EQ(rangemap_load(model->map, list.entry, list.count, NULL), 0);
    REQUIRE_EQ(oracle_load(&model->oracle, list.entry, list.count), 0);
    entry_list_free(&list);
}

void model_init(struct model *model, const struct keyspace *space, bool offsets, bool track_gaps,
                uint64_t stream)
{
    struct rangemap_options options = {.split = offsets ? dense_split : NULL, .track_gaps = track_gaps};

    *model =
        (struct model){.space = space, .offsets = offsets, .tracks_gaps = track_gaps, .operation = "preload"};
    model->random = prng_stream(test_seed(), stream);
    oracle_init(&model->oracle, options.split, NULL);
    for (unsigned i = 0; i < MODEL_SNAPSHOTS; i++) {
        oracle_init(&model->snapshot[i].saved, NULL, NULL);
    }
    REQUIRE_EQ(rangemap_create(&options, &model->map), 0);
    if (space->preload) {
        preload(model);
    }
}

void model_free(struct model *model)
{
    for (unsigned i = 0; i < MODEL_SNAPSHOTS; i++) {
        if (model->snapshot[i].held) {
            rangemap_snapshot_end(&model->snapshot[i].snapshot);
        }
        oracle_free(&model->snapshot[i].saved);
    }
    REQUIRE_EQ(rangemap_destroy(model->map), 0);
    oracle_free(&model->oracle);
    entry_list_free(&model->displaced);
    entry_list_free(&model->expected);
}

void model_use_snapshot(struct model *model)
{
    struct model_snapshot *slot = &model->snapshot[prng_below(&model->random, MODEL_SNAPSHOTS)];

    model->operation = "snapshot";
    if (!slot->held) {
        REQUIRE_EQ(rangemap_snapshot_begin(model->map, &slot->snapshot), 0);
        oracle_copy(&slot->saved, &model->oracle);
        slot->until = model->step + prng_below(&model->random, 500);
        slot->held = true;
        return;
    }
    for (unsigned i = 0; i < 10; i++) {
        struct rangemap_entry entry;
        uint64_t key = keyspace_key(model->space, &model->random);
        int result = rangemap_snapshot_find(&slot->snapshot, key, &entry);

        model_require_entry(model, result, &entry, oracle_find(&slot->saved, key));
        model_ask_gap(model, &slot->snapshot, &slot->saved, key);
    }
    model_walk(model, &slot->snapshot, &slot->saved);
    if (model->step >= slot->until) {
        collect_snapshot(&slot->snapshot, &model->displaced);
        require_same_list(&model->displaced, &slot->saved.list, model_where(model));
        rangemap_snapshot_end(&slot->snapshot);
        slot->held = false;
    }
}

void model_run(struct model *model, uint64_t steps, uint64_t interval)
{
    for (uint64_t i = 0; i < steps; i++) {
        unsigned choice = (unsigned)prng_below(&model->random, 100);

        model->step++;
        if (choice < 60) {
            model_update(model);
        } else if (choice < 97) {
            model_query(model);
        } else {
            model_use_snapshot(model);
        }
        if (model->step % interval == 0) {
            model->operation = "comparison";
            require_same_map(model->map, &model->oracle.list, model_where(model));
        }
    }
}
