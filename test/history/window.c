// SPDX-License-Identifier: BSD-2-Clause
/* What rewriting a window means: all pieces of it in a row, then joined, then put in its place. */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "test/history/entries.h"
#include "test/shim/ctest.h"

enum { PIECES = 3 * OPERATION_ENTRIES };

struct pieces {
    unsigned count;
    struct rangemap_entry entry[PIECES];
    bool is_old[PIECES];
};

static void add(struct pieces *pieces, const struct rangemap_entry *entry, bool is_old)
{
    REQUIRE_LT(pieces->count, (unsigned)PIECES);
    pieces->entry[pieces->count] = *entry;
    pieces->is_old[pieces->count++] = is_old;
}

static void add_part(struct pieces *pieces, const struct model *model, const struct rangemap_entry *whole,
                     uint64_t start, uint64_t last)
{
    struct rangemap_entry part = {start, last, whole->value};

    if (start > whole->last || last < whole->start || start > last) {
        return;
    }
    part.value = model->splits ? operation_split(whole, start, last, NULL) : part.value;
    add(pieces, &part, false);
}

/* Joins what touches and has the same value. */
static void join(struct pieces *pieces)
{
    unsigned made = 0;

    for (unsigned i = 1; i < pieces->count; i++) {
        struct rangemap_entry *left = &pieces->entry[made];

        if (left->last + 1 == pieces->entry[i].start && left->value == pieces->entry[i].value) {
            left->last = pieces->entry[i].last;
            pieces->is_old[made] = false;
        } else {
            pieces->entry[++made] = pieces->entry[i];
            pieces->is_old[made] = pieces->is_old[i];
        }
    }
    pieces->count = pieces->count > 0 ? made + 1 : 0;
}

/* The verdict of the operation on a part, or a gap (`whole` NULL). */
static int judge(const struct operation *operation, struct rangemap_entry *part,
                 const struct rangemap_entry *whole, uint64_t *sets)
{
    int verdict;

    if (operation->kind == DO_SPLICE) {
        return RANGEMAP_DROP;
    }
    if (operation->kind == DO_CARVE_VALUE) {
        return whole->value == operation_value(operation->expected) ? RANGEMAP_DROP : RANGEMAP_KEEP;
    }
    if (whole != NULL && (operation->expected & HOW_WHOLE) != 0 &&
        (part->start != whole->start || part->last != whole->last)) {
        return RANGEMAP_KEEP;
    }
    verdict = operation_change(operation, part, &part->value);
    *sets |= (uint64_t)(verdict == RANGEMAP_SET) << (part->start - operation->start);
    return verdict;
}

/* One range of the window, or what becomes of it; a negative verdict refuses. */
static int add_range(struct pieces *pieces, const struct model *model, const struct operation *operation,
                     const struct rangemap_entry *whole, uint64_t *sets)
{
    struct rangemap_entry part = *whole;
    int verdict;

    part.start = whole->start < operation->start ? operation->start : whole->start;
    part.last = whole->last > operation->last ? operation->last : whole->last;
    if (model->splits && (part.start != whole->start || part.last != whole->last)) {
        part.value = operation_split(whole, part.start, part.last, NULL);
    }
    verdict = judge(operation, &part, whole, sets);
    if (verdict == RANGEMAP_KEEP) {
        add(pieces, whole, true);
    } else if (verdict > 0) {
        if (part.start > whole->start) {
            add_part(pieces, model, whole, whole->start, part.start - 1);
        }
        if (verdict == RANGEMAP_SET) {
            add(pieces, &part, false);
        }
        if (part.last < whole->last && operation->kind != DO_SPLICE) {
            add_part(pieces, model, whole, part.last + 1, whole->last);
        }
    }
    return verdict;
}

static int add_gap(struct pieces *pieces, const struct operation *operation, uint64_t start, uint64_t last,
                   uint64_t *sets)
{
    struct rangemap_entry gap = {start, last, NULL};
    int verdict;

    if (operation->kind != DO_UPDATE || (operation->expected & HOW_GAPS) == 0 || start > last) {
        return 0;
    }
    verdict = judge(operation, &gap, NULL, sets);
    if (verdict == RANGEMAP_SET) {
        add(pieces, &gap, false);
    }
    return verdict;
}

/* Entries [from, to) of the model, in the window, as pieces. */
static int make(struct pieces *pieces, const struct model *model, const struct operation *operation,
                unsigned from, unsigned to, uint64_t *sets)
{
    struct rangemap_entry row[OPERATION_ENTRIES];
    uint64_t next = operation->start;
    int verdict = 0;

    for (unsigned i = from; i < to && verdict >= 0; i++) {
        const struct rangemap_entry *entry = &model->entry[i];

        if (entry->start > next) {
            verdict = add_gap(pieces, operation, next, entry->start - 1, sets);
        }
        next = entry->last + 1;
        verdict = verdict < 0 ? verdict : add_range(pieces, model, operation, entry, sets);
    }
    if (verdict >= 0) {
        verdict = add_gap(pieces, operation, next, operation->last, sets);
    }
    if (operation->kind == DO_SPLICE) {
        unsigned count = operation_row(operation, row);

        for (unsigned i = 0; i < count; i++) {
            add(pieces, &row[i], false);
        }
        if (from < to && model->entry[to - 1].last > operation->last) {
            add_part(pieces, model, &model->entry[to - 1], operation->last + 1, model->entry[to - 1].last);
        }
    }
    return verdict < 0 ? verdict : 0;
}

/* A condition that does not hold: what the call answers then. */
static int check(const struct model *model, const struct operation *operation, unsigned from, unsigned to)
{
    struct rangemap_entry expected[OPERATION_ENTRIES];
    unsigned count;

    if (operation->kind == DO_CARVE_VALUE) {
        return 0;
    }
    if ((operation->expected & HOW_IF_FREE) != 0 && from < to) {
        return -EEXIST;
    }
    if ((operation->expected & HOW_IF_SAME) == 0) {
        return 0;
    }
    count = operation_expected(operation, expected);
    for (unsigned i = 0; count == to - from && i < count; i++) {
        if (!same_entry(&expected[i], &model->entry[from + i])) {
            return -ESTALE;
        }
    }
    return count == to - from ? 0 : -ESTALE;
}

static bool is_kept(const struct pieces *pieces, const struct rangemap_entry *entry)
{
    for (unsigned i = 0; i < pieces->count; i++) {
        if (pieces->is_old[i] && pieces->entry[i].start == entry->start) {
            return true;
        }
    }
    return false;
}

/* Whether the displaced ranges were told: those of [from, to) that are not among the pieces. */
static bool was_told(const struct model *model, const struct operation *operation,
                     const struct pieces *pieces, unsigned from, unsigned to, bool *changed)
{
    unsigned told = 0;

    for (unsigned i = from; i < to; i++) {
        if (is_kept(pieces, &model->entry[i])) {
            continue;
        }
        *changed = true;
        if (!operation->is_open &&
            (told == operation->entries || !same_entry(&operation->entry[told], &model->entry[i]))) {
            return false;
        }
        told++;
    }
    return operation->is_open || told == operation->entries;
}

static bool refused_by(const struct model *model, const struct operation *operation, int error, unsigned from,
                       unsigned to)
{
    bool shown = error != -EEXIST;

    for (unsigned i = from; i < to && !shown; i++) {
        shown = same_entry(&operation->entry[0], &model->entry[i]);
    }
    return operation->result == error && shown;
}

static void put_in_place(struct model *model, unsigned from, unsigned to, const struct pieces *pieces)
{
    unsigned behind = model->count - to;

    REQUIRE_LE(from + pieces->count + behind, (unsigned)OPERATION_ENTRIES);
    memmove(model->entry + from + pieces->count, model->entry + to, behind * sizeof model->entry[0]);
    memcpy(model->entry + from, pieces->entry, pieces->count * sizeof model->entry[0]);
    model->count = from + pieces->count + behind;
}

enum model_verdict model_rewrite(struct model *model, const struct operation *operation)
{
    static struct pieces pieces;
    bool joins = operation->kind != DO_CARVE_VALUE && (operation->expected & HOW_JOIN) != 0;
    bool changed = operation->kind == DO_SPLICE && operation->number > 0;
    unsigned from = 0, to;
    uint64_t sets = 0;
    int result;

    while (from < model->count && model->entry[from].last < operation->start) {
        from++;
    }
    for (to = from; to < model->count && model->entry[to].start <= operation->last; to++) {
    }
    result = check(model, operation, from, to);
    if (result != 0) {
        return refused_by(model, operation, result, from, to) ? MODEL_SAME : MODEL_NO;
    }
    pieces.count = 0;
    if (joins && from > 0 && model->entry[from - 1].last + 1 == operation->start) {
        add(&pieces, &model->entry[from - 1], true);
    }
    result = make(&pieces, model, operation, from, to, &sets);
    if (result != 0) {
        return operation->result == result ? MODEL_SAME : MODEL_NO;
    }
    from -= joins && from > 0 && model->entry[from - 1].last + 1 == operation->start;
    if (joins && to < model->count && model->entry[to].start == operation->last + 1) {
        add(&pieces, &model->entry[to++], true);
    }
    if (joins) {
        join(&pieces);
    }
    changed = changed || sets != 0;
    if (operation->result != 0 || !was_told(model, operation, &pieces, from, to, &changed) ||
        (!operation->is_open && operation->kind == DO_UPDATE && operation->answer != sets)) {
        return MODEL_NO;
    }
    if (!changed) {
        return operation->is_open ? MODEL_NO : MODEL_SAME;
    }
    put_in_place(model, from, to, &pieces);
    return MODEL_CHANGED;
}
