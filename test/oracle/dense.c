// SPDX-License-Identifier: BSD-2-Clause
#include "test/oracle/dense.h"

#include <stdlib.h>

static uint64_t word(const void *value)
{
    return (uint64_t)(uintptr_t)value;
}

void dense_init(struct dense *dense, uint64_t base, unsigned count, bool offsets)
{
    if (count == 0 || count > DENSE_MAX || count - 1 > UINT64_MAX - base) {
        abort();
    }
    dense->base = base;
    dense->count = count;
    dense->offsets = offsets;
    dense->next_id = 1;
    for (unsigned i = 0; i < count; i++) {
        dense->cell[i] = (struct dense_cell){0};
    }
}

void *dense_split(const struct rangemap_entry *whole, uint64_t start, uint64_t last, void *context)
{
    (void)last;
    (void)context;
    return (void *)(uintptr_t)(word(whole->value) + (start - whole->start));
}

static unsigned index_of(const struct dense *dense, uint64_t key)
{
    if (key < dense->base || key - dense->base >= dense->count) {
        abort();
    }
    return (unsigned)(key - dense->base);
}

/* The range that holds cell `index`, which is held. */
static void run_at(const struct dense *dense, unsigned index, struct rangemap_entry *entry)
{
    unsigned first = index;
    unsigned last = index;
    while (first > 0 && dense->cell[first - 1].id == dense->cell[index].id) {
        first--;
    }
    while (last + 1 < dense->count && dense->cell[last + 1].id == dense->cell[index].id) {
        last++;
    }
    entry->start = dense->base + first;
    entry->last = dense->base + last;
    entry->value = (void *)(uintptr_t)dense->cell[first].value;
}

bool dense_find(const struct dense *dense, uint64_t key, struct rangemap_entry *entry)
{
    unsigned index = index_of(dense, key);
    if (!dense->cell[index].id) {
        return false;
    }
    run_at(dense, index, entry);
    return true;
}

bool dense_overlap(const struct dense *dense, uint64_t start, uint64_t last, struct rangemap_entry *entry)
{
    for (unsigned i = index_of(dense, start); i <= index_of(dense, last); i++) {
        if (dense->cell[i].id) {
            run_at(dense, i, entry);
            return true;
        }
    }
    return false;
}

bool dense_is_covered(const struct dense *dense, uint64_t start, uint64_t last)
{
    for (unsigned i = index_of(dense, start); i <= index_of(dense, last); i++) {
        if (!dense->cell[i].id) {
            return false;
        }
    }
    return true;
}

bool dense_next(const struct dense *dense, uint64_t key, struct rangemap_entry *entry)
{
    unsigned index = index_of(dense, key);
    for (unsigned i = index + 1; i < dense->count; i++) {
        if (dense->cell[i].id && dense->cell[i].id != dense->cell[i - 1].id) {
            run_at(dense, i, entry);
            return true;
        }
    }
    return false;
}

bool dense_previous(const struct dense *dense, uint64_t key, struct rangemap_entry *entry)
{
    unsigned index = index_of(dense, key);
    for (unsigned i = index; i-- > 0;) {
        if (dense->cell[i].id && dense->cell[i].id != dense->cell[i + 1].id) {
            run_at(dense, i, entry);
            return true;
        }
    }
    return false;
}

void dense_collect(const struct dense *dense, uint64_t start, uint64_t last, struct entry_list *list)
{
    unsigned id = 0;
    for (unsigned i = index_of(dense, start); i <= index_of(dense, last); i++) {
        struct rangemap_entry entry;
        if (dense->cell[i].id && dense->cell[i].id != id) {
            run_at(dense, i, &entry);
            entry_list_append(list, &entry);
        }
        id = dense->cell[i].id;
    }
}

static void fill(struct dense *dense, uint64_t start, uint64_t last, unsigned id, uint64_t value)
{
    for (unsigned i = index_of(dense, start); i <= index_of(dense, last); i++) {
        dense->cell[i].id = id;
        dense->cell[i].value = value;
        value += dense->offsets;
    }
}

void dense_store(struct dense *dense, uint64_t start, uint64_t last, void *value)
{
    fill(dense, start, last, dense->next_id++, word(value));
}

void dense_carve(struct dense *dense, uint64_t start, uint64_t last)
{
    fill(dense, start, last, 0, 0);
}

bool dense_insert(struct dense *dense, uint64_t start, uint64_t last, void *value)
{
    struct rangemap_entry entry;
    if (dense_overlap(dense, start, last, &entry)) {
        return false;
    }
    dense_store(dense, start, last, value);
    return true;
}

uint64_t dense_coalesce(struct dense *dense, uint64_t start, uint64_t last)
{
    struct rangemap_entry left, right;
    uint64_t joined = 0;
    for (uint64_t key = start; key < last; key++) {
        if (!dense_find(dense, key, &left) || !dense_find(dense, key + 1, &right) || left.last != key ||
            left.start < start || right.last > last) {
            continue;
        }
        uint64_t moved = dense->offsets ? right.start - left.start : 0;
        if (word(right.value) != word(left.value) + moved) {
            continue;
        }
        fill(dense, left.start, right.last, dense->next_id++, word(left.value));
        joined++;
    }
    return joined;
}

static bool is_gap(const struct dense *dense, uint64_t start, uint64_t last)
{
    struct rangemap_entry entry;
    return !dense_overlap(dense, start, last, &entry);
}

/* The keys of the window around a free `key` that are free as well. */
static uint64_t stretch(const struct dense *dense, const struct rangemap_gap_request *request, uint64_t key)
{
    uint64_t low = key, high = key;
    while (low > request->low && is_gap(dense, low - 1, low - 1)) {
        low--;
    }
    while (high < request->high && is_gap(dense, high + 1, high + 1)) {
        high++;
    }
    return high - low + 1;
}

static bool is_better(const struct dense *dense, const struct rangemap_gap_request *request, uint64_t key,
                      uint64_t than)
{
    uint64_t now = stretch(dense, request, key), best = stretch(dense, request, than);
    return now < best || (now == best && request->from_top);
}

static bool gap_in_window(const struct dense *dense, const struct rangemap_gap_request *request,
                          uint64_t *start)
{
    uint64_t alignment = request->alignment ? request->alignment : 1;
    bool found = false;
    for (uint64_t key = request->low; request->high - key >= request->length - 1; key++) {
        bool fits = key % alignment == 0 && is_gap(dense, key, key + request->length - 1);
        if (fits && (!found || (request->fit == RANGEMAP_GAP_BEST ? is_better(dense, request, key, *start)
                                                                  : request->from_top))) {
            *start = key;
            found = true;
        }
        if (key == request->high) {
            break;
        }
    }
    return found;
}

bool dense_gap(const struct dense *dense, const struct rangemap_gap_request *request, uint64_t *start)
{
    struct rangemap_gap_request behind = *request;
    if (request->fit == RANGEMAP_GAP_NEXT && request->hint >= request->low &&
        request->hint <= request->high) {
        *(request->from_top ? &behind.high : &behind.low) = request->hint;
        if (gap_in_window(dense, &behind, start)) {
            return true;
        }
    }
    return gap_in_window(dense, request, start);
}
