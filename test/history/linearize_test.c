// SPDX-License-Identifier: BSD-2-Clause
/* The judge on trial: histories that are right, and histories that are wrong in one place. */
#include <errno.h>

#include "test/history/linearize.h"
#include "test/shim/ctest.h"

static const struct model empty;

static struct operation update(enum operation_kind kind, uint64_t start, uint64_t last, uint64_t value)
{
    return (struct operation){.kind = kind, .start = start, .last = last, .value = value};
}

static struct operation lookup(uint64_t key, uint64_t value)
{
    return (struct operation){
        .kind = DO_LOOKUP, .start = key, .last = key, .result = value != 0 ? 0 : -ENOENT, .answer = value};
}

static struct operation *during(struct operation *operation, uint64_t begin, uint64_t end)
{
    operation->begin = begin;
    operation->end = end;
    return operation;
}

static struct model model_of(uint64_t start, uint64_t last, uint64_t value)
{
    struct model model = {.count = 1};

    model.entry[0] = (struct rangemap_entry){start, last, operation_value(value)};
    return model;
}

static bool judge(const struct model *initial, const struct operation *const *history, unsigned count,
                  const struct model *final)
{
    return linearize(initial, history, count, final);
}

TEST_CASE(linearize, a_read_during_an_insert_may_see_it_or_not)
{
    struct operation insert = update(DO_INSERT, 1, 9, 7), hit = lookup(5, 7), miss = lookup(5, 0);
    struct model final = model_of(1, 9, 7);
    const struct operation *sees[] = {during(&insert, 1, 10), during(&hit, 2, 3)};
    const struct operation *sees_not[] = {&insert, during(&miss, 2, 3)};

    CHECK(judge(&empty, sees, 2, &final));
    CHECK(judge(&empty, sees_not, 2, &final));
}

TEST_CASE(linearize, what_was_seen_stays_seen)
{
    struct operation insert = update(DO_INSERT, 1, 9, 7), hit = lookup(5, 7), miss = lookup(5, 0);
    struct model final = model_of(1, 9, 7);
    const struct operation *history[] = {during(&insert, 1, 10), during(&hit, 2, 3), during(&miss, 4, 5)};

    CHECK(!judge(&empty, history, 3, &final));
    (void)during(&miss, 3, 5); /* overlaps: the other order will do */
    CHECK(judge(&empty, history, 3, &final));
}

TEST_CASE(linearize, an_update_that_has_returned_is_visible)
{
    struct operation insert = update(DO_INSERT, 1, 9, 7), miss = lookup(5, 0);
    struct model final = model_of(1, 9, 7);
    const struct operation *history[] = {during(&insert, 1, 2), during(&miss, 3, 4)};

    CHECK(!judge(&empty, history, 2, &final));
}

TEST_CASE(linearize, the_final_map_counts)
{
    struct operation insert = update(DO_INSERT, 1, 9, 7);
    struct model final = model_of(1, 9, 7), other = model_of(1, 8, 7);
    const struct operation *history[] = {during(&insert, 1, 2)};

    CHECK(judge(&empty, history, 1, &final));
    CHECK(!judge(&empty, history, 1, &other));
    CHECK(!judge(&empty, history, 1, &empty));
}

TEST_CASE(linearize, one_of_two_inserts_wins)
{
    struct operation one = update(DO_INSERT, 1, 9, 7), two = update(DO_INSERT, 5, 6, 8);
    struct model final = model_of(1, 9, 7);
    const struct operation *history[] = {during(&one, 1, 4), during(&two, 2, 3)};

    CHECK(!judge(&empty, history, 2, &final), "both cannot succeed");
    two.result = -EEXIST;
    two.entries = 1;
    two.entry[0] = final.entry[0];
    CHECK(judge(&empty, history, 2, &final));
    two.entry[0].last = 8;
    CHECK(!judge(&empty, history, 2, &final), "nothing like the conflict was ever there");
}

TEST_CASE(linearize, a_store_reports_what_it_displaced)
{
    struct operation store = update(DO_STORE, 0, 20, 8);
    struct model initial = model_of(1, 9, 7), final = model_of(0, 20, 8);
    const struct operation *history[] = {during(&store, 1, 2)};

    CHECK(!judge(&initial, history, 1, &final), "it displaced something");
    store.entries = 1;
    store.entry[0] = initial.entry[0];
    CHECK(judge(&initial, history, 1, &final));
}

TEST_CASE(linearize, a_snapshot_is_one_instant)
{
    struct operation one = update(DO_INSERT, 1, 1, 7), two = update(DO_INSERT, 5, 5, 8);
    struct operation snapshot = update(DO_SNAPSHOT, 0, 9, 0);
    struct model final = {.count = 2, .entry = {{1, 1, operation_value(7)}, {5, 5, operation_value(8)}}};
    const struct operation *history[] = {during(&one, 1, 2), during(&two, 3, 4), during(&snapshot, 1, 9)};

    snapshot.entries = 1;
    snapshot.entry[0] = final.entry[1];
    CHECK(!judge(&empty, history, 3, &final), "the second without the first");
    snapshot.entry[0] = final.entry[0];
    CHECK(judge(&empty, history, 3, &final));
}

TEST_CASE(linearize, keys_of_a_batch_have_instants_of_their_own)
{
    struct operation one = update(DO_INSERT, 1, 1, 7), two = update(DO_INSERT, 5, 5, 8);
    struct operation batch = update(DO_BATCH, 1, 5, 0);
    struct model final = {.count = 2, .entry = {{1, 1, operation_value(7)}, {5, 5, operation_value(8)}}};
    const struct operation *history[] = {during(&one, 1, 2), during(&two, 3, 4), during(&batch, 1, 9)};

    batch.answer = 2; /* only the second key */
    batch.entry[1] = final.entry[1];
    CHECK(judge(&empty, history, 3, &final));
    (void)during(&batch, 3, 9);
    CHECK(!judge(&empty, history, 3, &final), "the first was there already");
}

TEST_CASE(linearize, a_coalesce_joins_what_is_equal)
{
    struct operation coalesce = update(DO_COALESCE, 0, 9, 0);
    struct model initial = {.count = 2, .entry = {{1, 4, operation_value(7)}, {5, 9, operation_value(7)}}};
    struct model final = model_of(1, 9, 7);
    const struct operation *history[] = {during(&coalesce, 1, 2)};

    CHECK(!judge(&initial, history, 1, &final), "it says that it joined nothing");
    coalesce.answer = 1;
    CHECK(judge(&initial, history, 1, &final));
    initial.entry[1].value = operation_value(8);
    CHECK(!judge(&initial, history, 1, &final));
}

TEST_CASE(linearize, a_gap_is_the_first)
{
    struct operation gap = {.kind = DO_GAP_FIND, .start = 0, .last = 20, .number = 3, .answer = 10};
    struct model initial = model_of(2, 9, 7);
    const struct operation *history[] = {during(&gap, 1, 2)};

    CHECK(judge(&initial, history, 1, &initial));
    gap.number = 2;
    CHECK(!judge(&initial, history, 1, &initial), "0 and 1 are free");
    gap.downwards = true;
    gap.answer = 19;
    CHECK(judge(&initial, history, 1, &initial));
}

/* Without memory of what led nowhere, 14! orders would have to be tried. */
TEST_CASE(linearize, a_wrong_history_of_many_updates_is_refused_in_time)
{
    static struct operation operation[14];
    const struct operation *history[14];
    struct model final = {.count = 0};

    for (unsigned i = 0; i < 14; i++) {
        operation[i] = update(DO_INSERT, i % 2, i % 2, 7);
        operation[i].kind = i % 4 < 2 ? DO_INSERT : DO_ERASE;
        operation[i].entries = operation[i].kind == DO_ERASE;
        operation[i].entry[0] = (struct rangemap_entry){i % 2, i % 2, operation_value(7)};
        history[i] = during(&operation[i], 1, 100);
    }
    CHECK(!judge(&empty, history, 14, &final), "more was inserted than erased");
    final = (struct model){.count = 2, .entry = {{0, 0, operation_value(7)}, {1, 1, operation_value(7)}}};
    CHECK(judge(&empty, history, 14, &final));
}

/* An operation that never returned may have taken effect at any time after it began, or not at all. */
TEST_CASE(linearize, an_open_operation_has_happened_or_not)
{
    struct operation carve = update(DO_CARVE, 3, 6, 0), hit = lookup(5, 7), miss = lookup(5, 0);
    struct model whole = model_of(1, 9, 7);
    struct model carved = {.count = 2, .entry = {{1, 2, operation_value(7)}, {7, 9, operation_value(7)}}};
    const struct operation *sees[] = {during(&hit, 4, 5)}, *sees_not[] = {during(&miss, 2, 3)};

    (void)during(&carve, 1, 0);
    CHECK(linearize_open(&whole, sees, 1, &carve, &whole));
    CHECK(linearize_open(&whole, sees, 1, &carve, &carved), "after the lookup");
    CHECK(linearize_open(&whole, sees_not, 1, &carve, &carved));
    CHECK(!linearize_open(&whole, sees_not, 1, &carve, &whole), "it was seen, and then was not");
    (void)during(&carve, 4, 0);
    CHECK(!linearize_open(&whole, sees_not, 1, &carve, &carved), "it was seen before it began");
}

TEST_CASE(linearize, an_open_gap_may_be_anywhere)
{
    struct operation gap = {.kind = DO_GAP_ALLOCATE, .last = 20, .number = 2, .value = 7};
    struct model final = model_of(13, 14, 7);

    CHECK(linearize_open(&empty, NULL, 0, during(&gap, 1, 0), &final));
    gap.last = 12;
    CHECK(!linearize_open(&empty, NULL, 0, &gap, &final), "beyond the window");
}

/* ---- windows ---- */

/* A splice of one range over all of what `model_of()` makes, as it would be answered. */
static struct operation splice_over(uint64_t start, uint64_t last, uint64_t value, uint64_t old)
{
    struct operation splice = {
        .kind = DO_SPLICE, .start = start, .last = last, .value = value, .number = 1, .entries = 1};

    splice.entry[0] = (struct rangemap_entry){start, last, operation_value(old)};
    return splice;
}

TEST_CASE(linearize, a_splice_tells_what_it_displaced)
{
    struct operation right = splice_over(8, 11, 9, 7), wrong = splice_over(8, 11, 9, 6), silent = right;
    struct model initial = model_of(8, 11, 7), final = model_of(8, 9, 9);
    const struct operation *good[] = {during(&right, 1, 2)};
    const struct operation *bad[] = {during(&wrong, 1, 2)};
    const struct operation *mute[] = {during(&silent, 1, 2)};

    silent.entries = 0;
    CHECK(judge(&initial, good, 1, &final));
    CHECK(!judge(&initial, bad, 1, &final));
    CHECK(!judge(&initial, mute, 1, &final));
    CHECK(!judge(&initial, good, 1, &initial));
}

TEST_CASE(linearize, a_condition_that_held_is_no_refusal)
{
    struct operation refused = splice_over(8, 11, 9, 7);
    struct model initial = model_of(8, 11, 7);
    const struct operation *history[] = {during(&refused, 1, 2)};

    refused.expected = HOW_IF_FREE;
    refused.result = -EEXIST;
    CHECK(judge(&initial, history, 1, &initial));
    CHECK(!judge(&empty, history, 1, &empty), "it was free");
    refused.entry[0].value = operation_value(6);
    CHECK(!judge(&initial, history, 1, &initial), "no such range was in the way");
}

TEST_CASE(linearize, an_update_tells_what_it_set)
{
    struct operation set = {
        .kind = DO_UPDATE, .start = 8, .last = 11, .value = 16, .answer = 1, .entries = 1};
    struct model initial = model_of(8, 11, 7), final = model_of(8, 11, 16);
    const struct operation *history[] = {during(&set, 1, 2)};

    set.entry[0] = initial.entry[0];
    CHECK(judge(&initial, history, 1, &final));
    set.answer = 2;
    CHECK(!judge(&initial, history, 1, &final));
    set.answer = 1;
    set.number = CHANGE_REFUSE_ODD;
    CHECK(!judge(&initial, history, 1, &final), "an odd value refuses");
}
