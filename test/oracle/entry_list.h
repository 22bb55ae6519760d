// SPDX-License-Identifier: BSD-2-Clause
/* A growing array of map entries. Running out of memory ends the program. */
#ifndef TEST_ORACLE_ENTRY_LIST_H
#define TEST_ORACLE_ENTRY_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rangemap/rangemap.h"

#ifdef __cplusplus
extern "C" {
#endif

struct entry_list {
    struct rangemap_entry *entry;
    size_t count, capacity;
};

void entry_list_init(struct entry_list *list);
void entry_list_free(struct entry_list *list);
void entry_list_copy(struct entry_list *copy, const struct entry_list *list);
void entry_list_append(struct entry_list *list, const struct rangemap_entry *entry);

/* Replaces `removed` entries from `index` on by the `added` entries at `entries`. */
void entry_list_splice(struct entry_list *list, size_t index, size_t removed,
                       const struct rangemap_entry *entries, size_t added);

/* The index of the first difference, or SIZE_MAX if there is none. */
size_t entry_list_difference(const struct entry_list *left, const struct entry_list *right);

bool entry_equal(const struct rangemap_entry *left, const struct rangemap_entry *right);

/* A rangemap_displaced_fn that appends to the entry_list that `list` points to. */
void entry_list_record(const struct rangemap_entry *entry, void *list);

#ifdef __cplusplus
}
#endif

#endif
