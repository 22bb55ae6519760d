// SPDX-License-Identifier: BSD-2-Clause
/* What operations answer that change nothing. */
#include <errno.h>

#include "test/history/entries.h"

unsigned model_overlap(const struct model *model, uint64_t start, uint64_t last, unsigned *from)
{
    unsigned to;

    for (*from = 0; *from < model->count && model->entry[*from].last < start; ++*from) {
    }
    for (to = *from; to < model->count && model->entry[to].start <= last; to++) {
    }
    return to;
}
bool model_answered(const struct model *model, const struct operation *operation, unsigned from, unsigned to)
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
    unsigned from, to = model_overlap(model, key, key, &from);
    bool hit = (operation->answer >> part & 1) != 0;

    return from < to ? hit && same_entry(&operation->entry[part], &model->entry[from]) : !hit;
}

static bool is_covered(const struct model *model, uint64_t start, uint64_t last)
{
    unsigned from, to = model_overlap(model, start, last, &from);

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
bool model_first_fit(const struct model *model, const struct operation *operation, uint64_t *start)
{
    uint64_t length = operation->number, width = operation->last - operation->start + 1;

    for (uint64_t i = 0; width >= length && i <= width - length; i++) {
        unsigned from;

        *start = operation->start + (operation->downwards ? width - length - i : i);
        if (model_overlap(model, *start, *start + length - 1, &from) == from) {
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
    unsigned from, to = model_overlap(model, operation->start, operation->start, &from);

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

enum model_verdict model_read(const struct model *model, const struct operation *operation, unsigned part)
{
    unsigned from, to = model_overlap(model, operation->start, operation->last, &from);
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
        return same_if(model_answered(model, operation, from, to));
    case DO_CURSOR:
        while (from < to && !same_entry(&operation->entry[part], &model->entry[from])) {
            from++;
        }
        return same_if(from < to);
    case DO_GAP_FIND:
        return same_if(model_first_fit(model, operation, &start)
                           ? operation->result == 0 && operation->answer == start
                           : operation->result == -ENOSPC);
    default:
        return check_neighbour(model, operation);
    }
}
