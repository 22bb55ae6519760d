// SPDX-License-Identifier: BSD-2-Clause
/*
 * Values that count their owners, as a table whose rows never go away, so that a release too many or too
 * early is seen and not a crash. A map's options take owned_release() and owned_retain().
 */
#ifndef TEST_CHECK_OWNED_H
#define TEST_CHECK_OWNED_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "rangemap/rangemap.h"

struct owned_value {
    atomic_int owners;
    atomic_uint released, retained; /* calls */
};

struct owned_table {
    size_t count;       /* rows */
    atomic_size_t used; /* those given out by owned_new() */
    struct owned_value *value;
    atomic_uint faults; /* a release or retain of a value without an owner, or of none of the table */
};

void owned_table_init(struct owned_table *table, size_t count);
void owned_table_free(struct owned_table *table);

/* A fresh value with one owner; the program ends when the table is full. */
struct owned_value *owned_new(struct owned_table *table);

/* Gives back the reference of a value that a failed update did not take. */
void owned_drop(struct owned_value *value);

int owned_count(const struct owned_value *value);

/* rangemap_value_fn; the context is the table. */
void owned_release(void *value, void *table);
void owned_retain(void *value, void *table);

/* The values in use whose owner count is not what `list` says: one for each time it holds the value. */
size_t owned_mismatches(const struct owned_table *table, const struct rangemap_entry *entries, size_t count);

#endif
