// SPDX-License-Identifier: BSD-2-Clause
#include "test/check/owned.h"

#include <stdlib.h>

void owned_table_init(struct owned_table *table, size_t count)
{
    *table = (struct owned_table){.count = count};
    table->value = calloc(count, sizeof *table->value);
    if (!table->value) {
        abort();
    }
}

void owned_table_free(struct owned_table *table)
{
    free(table->value);
    table->value = NULL;
}

struct owned_value *owned_new(struct owned_table *table)
{
    size_t row = atomic_fetch_add(&table->used, 1);

    if (row >= table->count) {
        abort();
    }
    atomic_store(&table->value[row].owners, 1);
    return &table->value[row];
}

void owned_drop(struct owned_value *value)
{
    atomic_fetch_sub(&value->owners, 1);
}

int owned_count(const struct owned_value *value)
{
    return atomic_load(&value->owners);
}

/* The row that `word` is, or NULL. */
static struct owned_value *row_of(struct owned_table *table, void *word)
{
    uintptr_t offset = (uintptr_t)word - (uintptr_t)table->value;
    size_t row = offset / sizeof *table->value;
    if (row >= table->count || offset % sizeof *table->value != 0) {
        atomic_fetch_add(&table->faults, 1);
        return NULL;
    }
    return &table->value[row];
}

void owned_release(void *value, void *table_context)
{
    struct owned_table *table = table_context;
    struct owned_value *row = row_of(table, value);
    if (!row) {
        return;
    }
    atomic_fetch_add(&row->released, 1);
    if (atomic_fetch_sub(&row->owners, 1) < 1) {
        atomic_fetch_add(&table->faults, 1);
    }
}

void owned_retain(void *value, void *table_context)
{
    struct owned_table *table = table_context;
    struct owned_value *row = row_of(table, value);
    if (!row) {
        return;
    }
    atomic_fetch_add(&row->retained, 1);
    if (atomic_fetch_add(&row->owners, 1) < 1) {
        atomic_fetch_add(&table->faults, 1);
    }
}

size_t owned_mismatches(const struct owned_table *table, const struct rangemap_entry *entries, size_t count)
{
    size_t mismatches = 0;
    int *expected = calloc(table->used + 1, sizeof *expected);
    if (!expected) {
        abort();
    }
    for (size_t i = 0; i < count; i++) {
        expected[(struct owned_value *)entries[i].value - table->value]++;
    }
    for (size_t i = 0; i < table->used; i++) {
        mismatches += expected[i] != owned_count(&table->value[i]);
    }
    free(expected);
    return mismatches;
}
