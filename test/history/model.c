// SPDX-License-Identifier: BSD-2-Clause
/* What updates make of the map. Reads: read.c; rewriting a window: window.c. */
#include "test/history/model.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "test/history/entries.h"
#include "test/shim/ctest.h"

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
    unsigned count = 0, from, to = model_overlap(model, start, last, &from);

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

static enum model_verdict insert(struct model *model, const struct operation *operation)
{
    unsigned from, to = model_overlap(model, operation->start, operation->last, &from);
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
    unsigned from, to = model_overlap(model, operation->start, operation->last, &from);
    void *value = operation_value(operation->value);

    if (operation->result != 0 || !model_answered(model, operation, from, to)) {
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
    unsigned from, to = model_overlap(model, operation->start, operation->start, &from);
    bool exact = from < to && model->entry[from].start == operation->start &&
                 model->entry[from].last == operation->last;

    if (from == to || (operation->kind != DO_ERASE && !exact)) {
        return same_if(operation->result == -ENOENT);
    }
    if (operation->kind == DO_REPLACE) {
        return replace(&model->entry[from], operation);
    }
    if (operation->result != 0 || !model_answered(model, operation, from, to)) {
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
        return same_if(operation->result == -ENOSPC && !model_first_fit(model, operation, &start));
    }
    if (start < operation->start || last > operation->last ||
        model_overlap(model, start, last, &from) != from) {
        return MODEL_NO;
    }
    put(model, start, last, &value);
    return MODEL_CHANGED;
}

static enum model_verdict erase_value(struct model *model, const struct operation *operation)
{
    unsigned from, to = model_overlap(model, operation->start, operation->start, &from);
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
    unsigned from, to = model_overlap(model, operation->start, operation->last, &from);

    if (operation->result != 0 || !model_answered(model, operation, from, to)) {
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
    unsigned from, to = model_overlap(model, operation->start, operation->start, &from);
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
        return model_read(model, operation, part);
    }
}
