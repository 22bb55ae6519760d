// SPDX-License-Identifier: BSD-2-Clause
/*
 * A second, naive implementation of the map: one sorted array of disjoint entries, every operation
 * written out plainly from rangemap.h. It shares no code and no idea with the library, so that the two
 * can only agree by both being right. Single-threaded; running out of memory ends the program.
 */
#ifndef TEST_ORACLE_ORACLE_H
#define TEST_ORACLE_ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rangemap/rangemap.h"
#include "test/oracle/entry_list.h"

#ifdef __cplusplus
extern "C" {
#endif

struct oracle {
    struct entry_list list;   /* sorted, disjoint */
    rangemap_split_fn *split; /* as in rangemap_options */
    void *context;
};

void oracle_init(struct oracle *oracle, rangemap_split_fn *split, void *context);
void oracle_free(struct oracle *oracle);

/* Makes `copy` (initialised) equal to `oracle`. */
void oracle_copy(struct oracle *copy, const struct oracle *oracle);

/* The index of the first entry that ends at or above `key`; the count if there is none. */
size_t oracle_lower_bound(const struct oracle *oracle, uint64_t key);

/* The queries: a pointer into the array, valid until the next update, or NULL where the map says -ENOENT. */
const struct rangemap_entry *oracle_find(const struct oracle *oracle, uint64_t key);
const struct rangemap_entry *oracle_next(const struct oracle *oracle, uint64_t key);
const struct rangemap_entry *oracle_previous(const struct oracle *oracle, uint64_t key);
const struct rangemap_entry *oracle_first(const struct oracle *oracle);
const struct rangemap_entry *oracle_last(const struct oracle *oracle);
const struct rangemap_entry *oracle_overlap(const struct oracle *oracle, uint64_t start, uint64_t last);
const struct rangemap_entry *oracle_overlap_last(const struct oracle *oracle, uint64_t start, uint64_t last);
bool oracle_is_covered(const struct oracle *oracle, uint64_t start, uint64_t last);
bool oracle_is_free(const struct oracle *oracle, uint64_t start, uint64_t last);

/* The updates: results as the map's. Displaced entries are appended to `displaced` (may be NULL). */
int oracle_insert(struct oracle *oracle, uint64_t start, uint64_t last, void *value);
void oracle_store(struct oracle *oracle, uint64_t start, uint64_t last, void *value,
                  struct entry_list *displaced);
void oracle_carve(struct oracle *oracle, uint64_t start, uint64_t last, struct entry_list *displaced);
int oracle_erase(struct oracle *oracle, uint64_t key, struct rangemap_entry *erased);
int oracle_erase_exact(struct oracle *oracle, uint64_t start, uint64_t last, struct rangemap_entry *erased);
int oracle_replace(struct oracle *oracle, uint64_t start, uint64_t last, void *expected, void *desired,
                   void **actual);
uint64_t oracle_coalesce(struct oracle *oracle, uint64_t start, uint64_t last, rangemap_equal_fn *equal,
                         void *context);
int oracle_erase_value(struct oracle *oracle, uint64_t start, uint64_t last, void *expected, void **actual);

/* Those of whole windows. Arguments must be legal ones; how->displaced is not called, but `displaced` filled. */
int oracle_splice(struct oracle *oracle, uint64_t start, uint64_t last, const struct rangemap_entry *entries,
                  size_t count, const struct rangemap_rewrite *how, struct entry_list *displaced);
int oracle_update(struct oracle *oracle, uint64_t start, uint64_t last, rangemap_update_fn *function,
                  void *context, const struct rangemap_rewrite *how, struct entry_list *displaced);
void oracle_carve_value(struct oracle *oracle, uint64_t start, uint64_t last, void *expected,
                        struct entry_list *displaced);
void oracle_evict(struct oracle *oracle, uint64_t start, uint64_t last, struct entry_list *displaced);
int oracle_resize(struct oracle *oracle, uint64_t start, uint64_t last, uint64_t new_start,
                  uint64_t new_last);
/* `from` may be the same oracle, or a copy of it. */
void oracle_clone(struct oracle *oracle, const struct oracle *from, uint64_t start, uint64_t last,
                  struct entry_list *displaced);

int oracle_load(struct oracle *oracle, const struct rangemap_entry *entries, size_t count);

/* The gap that holds `key`; or, if it may lie above, the next one. False: there is none. */
bool oracle_gap_at(const struct oracle *oracle, uint64_t key, struct rangemap_gap *gap);
bool oracle_gap_next(const struct oracle *oracle, uint64_t key, struct rangemap_gap *gap);

/* 0 and the start of the gap, or -ENOSPC. The request must be a legal one. */
int oracle_gap(const struct oracle *oracle, const struct rangemap_gap_request *request, uint64_t *start);

#ifdef __cplusplus
}
#endif

#endif
