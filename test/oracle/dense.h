// SPDX-License-Identifier: BSD-2-Clause
/*
 * The most naive model of a map: one cell for each key of a small domain [base, base + count - 1]. Ranges
 * are runs of cells with the same id. For exhaustive tests; everything outside the domain is free.
 */
#ifndef TEST_ORACLE_DENSE_H
#define TEST_ORACLE_DENSE_H

#include <stdbool.h>
#include <stdint.h>

#include "rangemap/rangemap.h"
#include "test/oracle/entry_list.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { DENSE_MAX = 1024 };

struct dense_cell {
    unsigned id;    /* which range holds the key; 0: none */
    uint64_t value; /* the value, were the key the start of its range */
};

struct dense {
    uint64_t base;
    unsigned count;
    bool offsets; /* values depend on the start: dense_split() is the map's split callback */
    unsigned next_id;
    struct dense_cell cell[DENSE_MAX];
};

/* An empty model. base + count - 1 must not exceed UINT64_MAX. */
void dense_init(struct dense *dense, uint64_t base, unsigned count, bool offsets);

/* rangemap_split_fn: the value of the part moves on as its start does. */
void *dense_split(const struct rangemap_entry *whole, uint64_t start, uint64_t last, void *context);

/* Every function below takes keys, not offsets, of the domain. */
bool dense_find(const struct dense *dense, uint64_t key, struct rangemap_entry *entry);
bool dense_overlap(const struct dense *dense, uint64_t start, uint64_t last, struct rangemap_entry *entry);
bool dense_is_covered(const struct dense *dense, uint64_t start, uint64_t last);
bool dense_next(const struct dense *dense, uint64_t key, struct rangemap_entry *entry);
bool dense_previous(const struct dense *dense, uint64_t key, struct rangemap_entry *entry);

/* Appends the ranges that share a key with [start, last]. */
void dense_collect(const struct dense *dense, uint64_t start, uint64_t last, struct entry_list *list);

bool dense_insert(struct dense *dense, uint64_t start, uint64_t last, void *value);
void dense_store(struct dense *dense, uint64_t start, uint64_t last, void *value);
void dense_carve(struct dense *dense, uint64_t start, uint64_t last);

/* Joins by equal value (with offsets: by values that run on); the number of ranges that disappeared. */
uint64_t dense_coalesce(struct dense *dense, uint64_t start, uint64_t last);

/* Tries every start of the window in turn. */
bool dense_gap(const struct dense *dense, const struct rangemap_gap_request *request, uint64_t *start);

#ifdef __cplusplus
}
#endif

#endif
