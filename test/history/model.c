// SPDX-License-Identifier: BSD-2-Clause
#include "test/history/model.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "test/shim/ctest.h"

static bool same_entry(const struct rangemap_entry *a, const struct rangemap_entry *b)
{
    return a->start == b->start && a->last == b->last && a->value == b->value;
}

void model_copy(struct model *to, const struct model *from)
{
    memcpy(to, from, offsetof(struct model, entry) + from->count * sizeof from->entry[0]);
}

bool model_equal(const struct model *a, const struct model *b)
{
    bool equal = a->count == b->count && a->joined == b->joined;

    for (unsigned i = 0; equal && i < a->count; i++) {
        equal = same_entry(&a->entry[i], &b->entry[i]);
    }
    return equal;
}

/* The entries that share a key with [start, last] are [*from, result). */
static unsigned overlap(const struct model *model, uint64_t start, uint64_t last, unsigned *from)
{
    unsigned to;

    for (*from = 0; *from < model->count && model->entry[*from].last < start; ++*from) {
    }
    for (to = *from; to < model->count && model->entry[to].start <= last; to++) {
    }
    return to;
}

/* Entries [from, to) give way to `count` others. */
static void splice(struct model *model, unsigned from, unsigned to, const struct rangemap_entry *put,
                   unsigned count)
{
    REQUIRE_LE(model->count - (to - from) + count, (unsigned)OPERATION_ENTRIES);
    memmove(model->entry + from + count, model->entry + to, (model->count - to) * sizeof *put);
    for (unsigned i = 0; i < count; i++) {
        model->entry[from + i] = put[i];
    }
    model->count = model->count - (to - from) + count;
}

static struct rangemap_entry part_of(const struct model *model, const struct rangemap_entry *whole,
                                     uint64_t start, uint64_t last)
{
    void *value = model->splits ? operation_split(whole, start, last, NULL) : whole->value;

    return (struct rangemap_entry){start, last, value};
}

/* [start, last] becomes *value, or free if that is NULL. */
static void put(struct model *model, uint64_t start, uint64_t last, void *const *value)
{
    struct rangemap_entry made[3];
    unsigned count = 0, from, to = overlap(model, start, last, &from);

    if (from < to && model->entry[from].start < start) {
        made[count++] = part_of(model, &model->entry[from], model->entry[from].start, start - 1);
    }
    if (value != NULL) {
        made[count++] = (struct rangemap_entry){start, last, *value};
    }
    if (from < to && model->entry[to - 1].last > last) {
        made[count++] = part_of(model, &model->entry[to - 1], last + 1, model->entry[to - 1].last);
    }
    splice(model, from, to, made, count);
}

static enum model_verdict same_if(bool holds)
{
    return holds ? MODEL_SAME : MODEL_NO;
}

/* Whether the answer was exactly entries [from, to), in the order asked for. */
static bool answered(const struct model *model, const struct operation *operation, unsigned from, unsigned to)
{
    bool same = operation->entries == to - from;

    if (operation->is_open) {
        return true;
    }
    for (unsigned i = from; same && i < to; i++) {
        unsigned at = operation->downwards ? to - 1 - i : i - from;

        same = same_entry(&operation->entry[at], &model->entry[i]);
    }
    return same;
}

static enum model_verdict one_entry(const struct model *model, const struct operation *operation,
                                    unsigned from, unsigned to)
{
    bool missing = from == to && operation->result == -ENOENT && operation->entries == 0;

    return same_if(missing || (from < to && operation->result == 0 && operation->entries == 1 &&
                               same_entry(&operation->entry[0], &model->entry[from])));
}

static bool key_fits(const struct model *model, const struct operation *operation, unsigned part)
{
    uint64_t key = part == 0 ? operation->start : operation->last;
    unsigned from, to = overlap(model, key, key, &from);
    bool hit = (operation->answer >> part & 1) != 0;

    return from < to ? hit && same_entry(&operation->entry[part], &model->entry[from]) : !hit;
}

static bool is_covered(const struct model *model, uint64_t start, uint64_t last)
{
    unsigned from, to = overlap(model, start, last, &from);

    if (from == to || model->entry[from].start > start || model->entry[to - 1].last < last) {
        return false;
    }
    for (; from + 1 < to; from++) {
        if (model->entry[from].last + 1 != model->entry[from + 1].start) {
            return false;
        }
    }
    return true;
}

/* The first fit, by trying every key of the window. */
static bool first_fit(const struct model *model, const struct operation *operation, uint64_t *start)
{
    uint64_t length = operation->number, width = operation->last - operation->start + 1;

    for (uint64_t i = 0; width >= length && i <= width - length; i++) {
        unsigned from;

        *start = operation->start + (operation->downwards ? width - length - i : i);
        if (overlap(model, *start, *start + length - 1, &from) == from) {
            return true;
        }
    }
    return false;
}

static bool gap_fits(const struct model *model, const struct operation *operation)
{
    uint64_t key = operation->start, start = 0, last = UINT64_MAX;
    unsigned i = 0;

    for (; i < model->count && model->entry[i].start <= key; i++) {
        start = model->entry[i].last + 1;
        if (model->entry[i].last >= key) {
            if (operation->kind == DO_GAP_AT) {
                return operation->result == -ENOENT;
            }
            key = start;
        }
    }
    last = i < model->count ? model->entry[i].start - 1 : last;
    return operation->result == 0 && operation->entry[0].start == start && operation->entry[0].last == last;
}

static enum model_verdict check_key(const struct model *model, const struct operation *operation)
{
    unsigned from, to = overlap(model, operation->start, operation->start, &from);

    if (operation->kind == DO_FIND) {
        return one_entry(model, operation, from, to);
    }
    return same_if(from < to
                       ? operation->result == 0 && operation->answer == (uintptr_t)model->entry[from].value
                       : operation->result == -ENOENT);
}

static enum model_verdict check_neighbour(const struct model *model, const struct operation *operation)
{
    unsigned from = 0, to = model->count;

    if (operation->kind == DO_NEXT) {
        while (from < to && model->entry[from].start <= operation->start) {
            from++;
        }
    } else if (operation->kind == DO_PREVIOUS) {
        while (to > 0 && model->entry[to - 1].last >= operation->start) {
            to--;
        }
    }
    if (operation->kind == DO_PREVIOUS || operation->kind == DO_LAST) {
        from = to - (to > 0);
    }
    return one_entry(model, operation, from, to);
}

static enum model_verdict check_read(const struct model *model, const struct operation *operation,
                                     unsigned part)
{
    unsigned from, to = overlap(model, operation->start, operation->last, &from);
    uint64_t start;

    switch (operation->kind) {
    case DO_LOOKUP:
    case DO_FIND:
        return check_key(model, operation);
    case DO_BATCH:
        return same_if(key_fits(model, operation, part));
    case DO_SNAPSHOT_AT:
        return same_if(key_fits(model, operation, 0) && key_fits(model, operation, 1));
    case DO_OVERLAP:
        return one_entry(model, operation, from, to);
    case DO_OVERLAP_LAST:
        return one_entry(model, operation, to - (from < to), to);
    case DO_GAP_AT:
    case DO_GAP_NEXT:
        return same_if(gap_fits(model, operation));
    case DO_IS_COVERED:
        return same_if(operation->result == is_covered(model, operation->start, operation->last));
    case DO_IS_FREE:
        return same_if(operation->result == (from == to));
    case DO_SNAPSHOT:
        return same_if(answered(model, operation, from, to));
    case DO_CURSOR:
        while (from < to && !same_entry(&operation->entry[part], &model->entry[from])) {
            from++;
        }
        return same_if(from < to);
    case DO_GAP_FIND:
        return same_if(first_fit(model, operation, &start)
                           ? operation->result == 0 && operation->answer == start
                           : operation->result == -ENOSPC);
    default:
        return check_neighbour(model, operation);
    }
}

static enum model_verdict insert(struct model *model, const struct operation *operation)
{
    unsigned from, to = overlap(model, operation->start, operation->last, &from);
    void *value = operation_value(operation->value);

    if (from == to) {
        put(model, operation->start, operation->last, &value);
        return operation->result == 0 ? MODEL_CHANGED : MODEL_NO;
    }
    while (from < to && !same_entry(&operation->entry[0], &model->entry[from])) {
        from++;
    }
    return same_if(operation->result == -EEXIST && from < to);
}

static enum model_verdict overwrite(struct model *model, const struct operation *operation)
{
    unsigned from, to = overlap(model, operation->start, operation->last, &from);
    void *value = operation_value(operation->value);

    if (operation->result != 0 || !answered(model, operation, from, to)) {
        return MODEL_NO;
    }
    if (from == to && operation->kind == DO_CARVE) {
        return same_if(!operation->is_open); /* an open one may wait for what it can carve */
    }
    put(model, operation->start, operation->last, operation->kind == DO_STORE ? &value : NULL);
    return MODEL_CHANGED;
}

static enum model_verdict replace(struct rangemap_entry *entry, const struct operation *operation)
{
    if (entry->value != operation_value(operation->expected)) {
        return same_if(operation->result == -ESTALE && operation->answer == (uintptr_t)entry->value);
    }
    entry->value = operation_value(operation->value);
    return operation->result == 0 ? MODEL_CHANGED : MODEL_NO;
}

static enum model_verdict change_one(struct model *model, const struct operation *operation)
{
    unsigned from, to = overlap(model, operation->start, operation->start, &from);
    bool exact = from < to && model->entry[from].start == operation->start &&
                 model->entry[from].last == operation->last;

    if (from == to || (operation->kind != DO_ERASE && !exact)) {
        return same_if(operation->result == -ENOENT);
    }
    if (operation->kind == DO_REPLACE) {
        return replace(&model->entry[from], operation);
    }
    if (operation->result != 0 || !answered(model, operation, from, to)) {
        return MODEL_NO;
    }
    splice(model, from, to, NULL, 0);
    return MODEL_CHANGED;
}

static enum model_verdict load(struct model *model, const struct operation *operation)
{
    if (model->count > 0) {
        return same_if(operation->result == -ENOTEMPTY);
    }
    for (uint64_t i = 0; i < operation->number; i++) {
        uint64_t start = operation->start + 4 * i;
        void *value = operation_value(operation->value + i);

        put(model, start, start + 1, &value);
    }
    return operation->result == 0 ? MODEL_CHANGED : MODEL_NO;
}

/* The gap it took was free; one nearer the edge that opened meanwhile may have been passed over. */
static enum model_verdict allocate(struct model *model, const struct operation *operation)
{
    uint64_t start = operation->answer, last = start + operation->number - 1;
    void *value = operation_value(operation->value);
    unsigned from;

    if (operation->result != 0) {
        return same_if(operation->result == -ENOSPC && !first_fit(model, operation, &start));
    }
    if (start < operation->start || last > operation->last || overlap(model, start, last, &from) != from) {
        return MODEL_NO;
    }
    put(model, start, last, &value);
    return MODEL_CHANGED;
}

static enum model_verdict erase_value(struct model *model, const struct operation *operation)
{
    unsigned from, to = overlap(model, operation->start, operation->start, &from);
    const struct rangemap_entry *entry = &model->entry[from];

    if (from == to || entry->start != operation->start || entry->last != operation->last) {
        return same_if(operation->result == -ENOENT);
    }
    if (entry->value != operation_value(operation->expected)) {
        return same_if(operation->result == -ESTALE && operation->answer == (uintptr_t)entry->value);
    }
    splice(model, from, to, NULL, 0);
    return operation->result == 0 ? MODEL_CHANGED : MODEL_NO;
}

static enum model_verdict evict(struct model *model, const struct operation *operation)
{
    unsigned from, to = overlap(model, operation->start, operation->last, &from);

    if (operation->result != 0 || !answered(model, operation, from, to)) {
        return MODEL_NO;
    }
    if (from == to) {
        return same_if(!operation->is_open);
    }
    splice(model, from, to, NULL, 0);
    return MODEL_CHANGED;
}

static enum model_verdict resize(struct model *model, const struct operation *operation)
{
    uint64_t start = operation->value, last = operation->number;
    unsigned from, to = overlap(model, operation->start, operation->start, &from);
    struct rangemap_entry whole = model->entry[from], made = {start, last, whole.value};
    bool shrinks = start > whole.start || last < whole.last;

    if (from == to || whole.start != operation->start || whole.last != operation->last) {
        return same_if(operation->result == -ENOENT);
    }
    for (unsigned i = 0; i < model->count; i++) {
        if (i != from && model->entry[i].start <= last && model->entry[i].last >= start) {
            return same_if(operation->result == -EEXIST &&
                           (operation->entry[0].start != model->entry[i].start ||
                            same_entry(&operation->entry[0], &model->entry[i])));
        }
    }
    if (model->splits && shrinks) {
        made.value = operation_split(&whole, start > whole.start ? start : whole.start,
                                     last < whole.last ? last : whole.last, NULL);
    }
    splice(model, from, to, &made, 1);
    return operation->result == 0 ? MODEL_CHANGED : MODEL_NO;
}

bool model_join(struct model *model, const struct operation *operation, unsigned from, unsigned to)
{
    struct rangemap_entry whole = model->entry[from];

    if (from >= to || model->joined + (to - from) > operation->answer || whole.start < operation->start ||
        model->entry[to].last > operation->last) {
        return false;
    }
    for (unsigned i = from; i < to; i++) {
        if (model->entry[i].last + 1 != model->entry[i + 1].start ||
            model->entry[i].value != model->entry[i + 1].value) {
            return false;
        }
    }
    whole.last = model->entry[to].last;
    model->joined += to - from;
    splice(model, from, to + 1, &whole, 1);
    return true;
}

unsigned model_parts(const struct operation *operation)
{
    return operation->kind == DO_BATCH ? 2 : operation->kind == DO_CURSOR ? operation->entries : 1;
}

enum model_verdict model_apply(struct model *model, const struct operation *operation, unsigned part)
{
    switch (operation->kind) {
    case DO_INSERT:
        return insert(model, operation);
    case DO_STORE:
    case DO_CARVE:
        return overwrite(model, operation);
    case DO_ERASE:
    case DO_ERASE_EXACT:
    case DO_REPLACE:
        return change_one(model, operation);
    case DO_ERASE_VALUE:
        return erase_value(model, operation);
    case DO_SPLICE:
    case DO_UPDATE:
    case DO_CARVE_VALUE:
        return model_rewrite(model, operation);
    case DO_EVICT:
        return evict(model, operation);
    case DO_RESIZE:
        return resize(model, operation);
    case DO_LOAD:
        return load(model, operation);
    case DO_GAP_ALLOCATE:
        return allocate(model, operation);
    case DO_COALESCE:
        return model->joined < operation->answer ? MODEL_JOINS : same_if(operation->result == 0);
    case DO_NOTHING:
    case DO_POLL:
    case DO_TRIM:
    case DO_RESERVE:
    case DO_IS_RECLAIMED:
        return MODEL_SAME;
    default:
        return check_read(model, operation, part);
    }
}
