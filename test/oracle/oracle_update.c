// SPDX-License-Identifier: BSD-2-Clause
/* The oracle's updates. */
#include <errno.h>

#include "test/oracle/oracle.h"

void oracle_init(struct oracle *oracle, rangemap_split_fn *split, void *context)
{
    entry_list_init(&oracle->list);
    oracle->split = split;
    oracle->context = context;
}

void oracle_free(struct oracle *oracle)
{
    entry_list_free(&oracle->list);
}

void oracle_copy(struct oracle *copy, const struct oracle *oracle)
{
    entry_list_copy(&copy->list, &oracle->list);
    copy->split = oracle->split;
    copy->context = oracle->context;
}

static struct rangemap_entry part_of(const struct oracle *oracle, const struct rangemap_entry *whole,
                                     uint64_t start, uint64_t last)
{
    struct rangemap_entry part = {start, last, whole->value};
    if (oracle->split) {
        part.value = oracle->split(whole, start, last, oracle->context);
    }
    return part;
}

/* Puts `added` (NULL: nothing) in the place of everything in [start, last]. */
static void overwrite(struct oracle *oracle, uint64_t start, uint64_t last,
                      const struct rangemap_entry *added, struct entry_list *displaced)
{
    struct rangemap_entry fresh[3];
    size_t count = 0;
    size_t begin = oracle_lower_bound(oracle, start);
    size_t end = begin;
    while (end < oracle->list.count && oracle->list.entry[end].start <= last) {
        end++;
    }
    if (begin < end && oracle->list.entry[begin].start < start) {
        const struct rangemap_entry *whole = &oracle->list.entry[begin];
        fresh[count++] = part_of(oracle, whole, whole->start, start - 1);
    }
    if (added) {
        fresh[count++] = *added;
    }
    if (begin < end && oracle->list.entry[end - 1].last > last) {
        const struct rangemap_entry *whole = &oracle->list.entry[end - 1];
        fresh[count++] = part_of(oracle, whole, last + 1, whole->last);
    }
    for (size_t i = begin; displaced && i < end; i++) {
        entry_list_append(displaced, &oracle->list.entry[i]);
    }
    entry_list_splice(&oracle->list, begin, end - begin, fresh, count);
}

int oracle_insert(struct oracle *oracle, uint64_t start, uint64_t last, void *value)
{
    struct rangemap_entry entry = {start, last, value};
    if (!oracle_is_free(oracle, start, last)) {
        return -EEXIST;
    }
    entry_list_splice(&oracle->list, oracle_lower_bound(oracle, start), 0, &entry, 1);
    return 0;
}

void oracle_store(struct oracle *oracle, uint64_t start, uint64_t last, void *value,
                  struct entry_list *displaced)
{
    struct rangemap_entry entry = {start, last, value};
    overwrite(oracle, start, last, &entry, displaced);
}

void oracle_carve(struct oracle *oracle, uint64_t start, uint64_t last, struct entry_list *displaced)
{
    overwrite(oracle, start, last, NULL, displaced);
}

int oracle_erase(struct oracle *oracle, uint64_t key, struct rangemap_entry *erased)
{
    const struct rangemap_entry *found = oracle_find(oracle, key);
    if (!found) {
        return -ENOENT;
    }
    if (erased) {
        *erased = *found;
    }
    entry_list_splice(&oracle->list, (size_t)(found - oracle->list.entry), 1, NULL, 0);
    return 0;
}

int oracle_erase_exact(struct oracle *oracle, uint64_t start, uint64_t last, struct rangemap_entry *erased)
{
    const struct rangemap_entry *found = oracle_find(oracle, start);
    if (!found || found->start != start || found->last != last) {
        return -ENOENT;
    }
    return oracle_erase(oracle, start, erased);
}

int oracle_replace(struct oracle *oracle, uint64_t start, uint64_t last, void *expected, void *desired,
                   void **actual)
{
    size_t index = oracle_lower_bound(oracle, start);
    if (index == oracle->list.count) {
        return -ENOENT;
    }
    struct rangemap_entry *entry = &oracle->list.entry[index];
    if (entry->start != start || entry->last != last) {
        return -ENOENT;
    }
    if (entry->value != expected) {
        if (actual) {
            *actual = entry->value;
        }
        return -ESTALE;
    }
    entry->value = desired;
    return 0;
}

static bool may_join(const struct rangemap_entry *left, const struct rangemap_entry *right,
                     rangemap_equal_fn *equal, void *context)
{
    if (left->last == UINT64_MAX || left->last + 1 != right->start) {
        return false;
    }
    return equal ? equal(left, right, context) : left->value == right->value;
}

uint64_t oracle_coalesce(struct oracle *oracle, uint64_t start, uint64_t last, rangemap_equal_fn *equal,
                         void *context)
{
    uint64_t joined = 0;
    size_t kept = oracle_lower_bound(oracle, start);
    struct rangemap_entry *entry = oracle->list.entry;
    if (kept < oracle->list.count && entry[kept].start < start) {
        kept++;
    }
    while (kept < oracle->list.count && entry[kept].last <= last) {
        /* Neighbours are compared as they were before the call, not with what was joined so far. */
        size_t end = kept + 1;
        while (end < oracle->list.count && entry[end].last <= last &&
               may_join(&entry[end - 1], &entry[end], equal, context)) {
            end++;
        }
        entry[kept].last = entry[end - 1].last;
        joined += end - kept - 1;
        entry_list_splice(&oracle->list, kept + 1, end - kept - 1, NULL, 0);
        kept++;
    }
    return joined;
}

int oracle_load(struct oracle *oracle, const struct rangemap_entry *entries, size_t count)
{
    if (oracle->list.count) {
        return -ENOTEMPTY;
    }
    entry_list_splice(&oracle->list, 0, 0, entries, count);
    return 0;
}

int oracle_erase_value(struct oracle *oracle, uint64_t start, uint64_t last, void *expected, void **actual)
{
    int result = oracle_replace(oracle, start, last, expected, expected, actual);

    return result == 0 ? oracle_erase(oracle, start, NULL) : result;
}
