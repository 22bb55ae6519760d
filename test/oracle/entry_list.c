// SPDX-License-Identifier: BSD-2-Clause
#include "test/oracle/entry_list.h"

#include <stdlib.h>
#include <string.h>

void entry_list_init(struct entry_list *list)
{
    *list = (struct entry_list){0};
}

void entry_list_free(struct entry_list *list)
{
    free(list->entry);
    *list = (struct entry_list){0};
}

static void reserve(struct entry_list *list, size_t count)
{
    if (count <= list->capacity) {
        return;
    }
    size_t capacity = count + count / 2 + 16;
    struct rangemap_entry *entry = realloc(list->entry, capacity * sizeof *entry);
    if (!entry) {
        abort();
    }
    list->entry = entry;
    list->capacity = capacity;
}

void entry_list_splice(struct entry_list *list, size_t index, size_t removed,
                       const struct rangemap_entry *entries, size_t added)
{
    reserve(list, list->count - removed + added);
    struct rangemap_entry *at = list->entry ? list->entry + index : NULL;
    if (list->count > index + removed) {
        memmove(at + added, at + removed, (list->count - index - removed) * sizeof *at);
    }
    if (added) {
        memcpy(at, entries, added * sizeof *at);
    }
    list->count = list->count - removed + added;
}

void entry_list_copy(struct entry_list *copy, const struct entry_list *list)
{
    copy->count = 0;
    entry_list_splice(copy, 0, 0, list->entry, list->count);
}

void entry_list_append(struct entry_list *list, const struct rangemap_entry *entry)
{
    reserve(list, list->count + 1);
    list->entry[list->count++] = *entry;
}

bool entry_equal(const struct rangemap_entry *left, const struct rangemap_entry *right)
{
    return left->start == right->start && left->last == right->last && left->value == right->value;
}

size_t entry_list_difference(const struct entry_list *left, const struct entry_list *right)
{
    size_t count = left->count < right->count ? left->count : right->count;
    for (size_t i = 0; i < count; i++) {
        if (!entry_equal(&left->entry[i], &right->entry[i])) {
            return i;
        }
    }
    return left->count == right->count ? SIZE_MAX : count;
}

void entry_list_record(const struct rangemap_entry *entry, void *list)
{
    entry_list_append(list, entry);
}
