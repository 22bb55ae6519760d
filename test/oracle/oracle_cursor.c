// SPDX-License-Identifier: BSD-2-Clause
#include "test/oracle/oracle_cursor.h"

/* The index of the first entry that starts at or above `key`. */
static size_t first_start(const struct oracle *oracle, uint64_t key)
{
    size_t index = oracle_lower_bound(oracle, key);
    if (index < oracle->list.count && oracle->list.entry[index].start < key) {
        index++;
    }
    return index;
}

static size_t clamp(const struct oracle_cursor *cursor, size_t index)
{
    if (index < cursor->begin) {
        return cursor->begin;
    }
    return index > cursor->end ? cursor->end : index;
}

void oracle_cursor_init(struct oracle_cursor *cursor, const struct oracle *oracle, uint64_t start,
                        uint64_t last)
{
    cursor->oracle = oracle;
    cursor->begin = oracle_lower_bound(oracle, start);
    cursor->end = last == UINT64_MAX ? oracle->list.count : first_start(oracle, last + 1);
    cursor->next = cursor->begin;
    cursor->previous = cursor->end;
}

const struct rangemap_entry *oracle_cursor_next(struct oracle_cursor *cursor)
{
    if (cursor->next == cursor->end) {
        cursor->previous = cursor->end;
        return NULL;
    }
    cursor->previous = ++cursor->next;
    return &cursor->oracle->list.entry[cursor->next - 1];
}

const struct rangemap_entry *oracle_cursor_previous(struct oracle_cursor *cursor)
{
    if (cursor->previous == cursor->begin) {
        cursor->next = cursor->begin;
        return NULL;
    }
    cursor->next = --cursor->previous;
    return &cursor->oracle->list.entry[cursor->previous];
}

void oracle_cursor_seek(struct oracle_cursor *cursor, uint64_t key)
{
    cursor->next = clamp(cursor, oracle_lower_bound(cursor->oracle, key));
    cursor->previous = clamp(cursor, first_start(cursor->oracle, key));
}
