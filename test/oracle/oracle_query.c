// SPDX-License-Identifier: BSD-2-Clause
/* The oracle's queries and its gap search. */
#include <errno.h>

#include "test/oracle/oracle.h"

size_t oracle_lower_bound(const struct oracle *oracle, uint64_t key)
{
    size_t low = 0;
    size_t high = oracle->list.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (oracle->list.entry[middle].last < key) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

const struct rangemap_entry *oracle_overlap(const struct oracle *oracle, uint64_t start, uint64_t last)
{
    size_t index = oracle_lower_bound(oracle, start);
    if (index == oracle->list.count || oracle->list.entry[index].start > last) {
        return NULL;
    }
    return &oracle->list.entry[index];
}

const struct rangemap_entry *oracle_find(const struct oracle *oracle, uint64_t key)
{
    return oracle_overlap(oracle, key, key);
}

const struct rangemap_entry *oracle_next(const struct oracle *oracle, uint64_t key)
{
    size_t index = oracle_lower_bound(oracle, key);
    if (index < oracle->list.count && oracle->list.entry[index].start <= key) {
        index++;
    }
    return index < oracle->list.count ? &oracle->list.entry[index] : NULL;
}

const struct rangemap_entry *oracle_previous(const struct oracle *oracle, uint64_t key)
{
    size_t index = oracle_lower_bound(oracle, key);
    return index > 0 ? &oracle->list.entry[index - 1] : NULL;
}

const struct rangemap_entry *oracle_first(const struct oracle *oracle)
{
    return oracle->list.count ? &oracle->list.entry[0] : NULL;
}

const struct rangemap_entry *oracle_last(const struct oracle *oracle)
{
    return oracle->list.count ? &oracle->list.entry[oracle->list.count - 1] : NULL;
}

bool oracle_is_free(const struct oracle *oracle, uint64_t start, uint64_t last)
{
    return !oracle_overlap(oracle, start, last);
}

bool oracle_is_covered(const struct oracle *oracle, uint64_t start, uint64_t last)
{
    for (;;) {
        const struct rangemap_entry *entry = oracle_find(oracle, start);
        if (!entry) {
            return false;
        }
        if (entry->last >= last) {
            return true;
        }
        start = entry->last + 1;
    }
}

/* Whether [first, last] (free) has room; the candidate at its lower or upper end in *start. */
static bool fits(const struct rangemap_gap_request *request, uint64_t first, uint64_t last, uint64_t *start)
{
    uint64_t mask = request->alignment ? request->alignment - 1 : 0;
    if (last - first < request->length - 1) {
        return false;
    }
    if (request->from_top) {
        *start = (last - (request->length - 1)) & ~mask;
        return *start >= first;
    }
    if (first > UINT64_MAX - mask) {
        return false;
    }
    *start = (first + mask) & ~mask;
    return *start <= last && last - *start >= request->length - 1;
}

/* The free stretch below entry `index` (the count: above all entries), clipped to the window. */
static bool gap_below(const struct oracle *oracle, const struct rangemap_gap_request *request, size_t index,
                      uint64_t *first, uint64_t *last)
{
    const struct entry_list *list = &oracle->list;
    *first = request->low;
    *last = request->high;
    if (index > 0) {
        const struct rangemap_entry *below = &list->entry[index - 1];
        if (below->last == UINT64_MAX) {
            return false;
        }
        *first = below->last + 1 > request->low ? below->last + 1 : request->low;
    }
    if (index < list->count) {
        const struct rangemap_entry *above = &list->entry[index];
        if (above->start == 0) {
            return false;
        }
        *last = above->start - 1 < request->high ? above->start - 1 : request->high;
    }
    return *first <= *last;
}

static int gap_in_window(const struct oracle *oracle, const struct rangemap_gap_request *request,
                         uint64_t *start)
{
    size_t count = oracle->list.count + 1;
    uint64_t shortest = 0;
    bool found = false;
    for (size_t i = 0; i < count && !(found && request->fit != RANGEMAP_GAP_BEST); i++) {
        uint64_t first, last, at;
        size_t index = request->from_top ? count - 1 - i : i;
        if (gap_below(oracle, request, index, &first, &last) && fits(request, first, last, &at) &&
            (!found || last - first < shortest)) {
            *start = at;
            shortest = last - first;
            found = true;
        }
    }
    return found ? 0 : -ENOSPC;
}

int oracle_gap(const struct oracle *oracle, const struct rangemap_gap_request *request, uint64_t *start)
{
    struct rangemap_gap_request behind = *request;
    if (request->fit == RANGEMAP_GAP_NEXT && request->hint >= request->low &&
        request->hint <= request->high) {
        *(request->from_top ? &behind.high : &behind.low) = request->hint;
        if (gap_in_window(oracle, &behind, start) == 0) {
            return 0;
        }
    }
    return gap_in_window(oracle, request, start);
}

const struct rangemap_entry *oracle_overlap_last(const struct oracle *oracle, uint64_t start, uint64_t last)
{
    const struct rangemap_entry *found = NULL;
    for (size_t i = 0; i < oracle->list.count && oracle->list.entry[i].start <= last; i++) {
        if (oracle->list.entry[i].last >= start) {
            found = &oracle->list.entry[i];
        }
    }
    return found;
}

bool oracle_gap_at(const struct oracle *oracle, uint64_t key, struct rangemap_gap *gap)
{
    *gap = (struct rangemap_gap){0, UINT64_MAX};
    for (size_t i = 0; i < oracle->list.count; i++) {
        const struct rangemap_entry *entry = &oracle->list.entry[i];
        if (entry->start > key) {
            gap->last = entry->start - 1;
            return true;
        }
        if (entry->last >= key) {
            return false;
        }
        gap->start = entry->last + 1;
    }
    return true;
}

bool oracle_gap_next(const struct oracle *oracle, uint64_t key, struct rangemap_gap *gap)
{
    const struct rangemap_entry *held;
    while ((held = oracle_find(oracle, key)) != NULL) {
        if (held->last == UINT64_MAX) {
            return false;
        }
        key = held->last + 1;
    }
    return oracle_gap_at(oracle, key, gap);
}
