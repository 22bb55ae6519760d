// SPDX-License-Identifier: BSD-2-Clause
/*
 * One update of each kind, done to a map and to the oracle. For tests in which updates may fail for want of
 * memory: then nothing is done to the oracle.
 */
#ifndef TEST_CHECK_UPDATES_H
#define TEST_CHECK_UPDATES_H

#include <stdint.h>

#include "rangemap/rangemap.h"
#include "test/oracle/oracle.h"
#include "test/shim/prng.h"

enum update_kind {
    UPDATE_INSERT,
    UPDATE_STORE,
    UPDATE_STORE_WIDE,
    UPDATE_CARVE,
    UPDATE_CARVE_WIDE,
    UPDATE_ERASE,
    UPDATE_ERASE_EXACT,
    UPDATE_REPLACE,
    UPDATE_ERASE_VALUE,
    UPDATE_COALESCE,
    UPDATE_ALLOCATE,
    UPDATE_RESERVED, /* those from here on cannot be reserved */
    UPDATE_SPLICE = UPDATE_RESERVED,
    UPDATE_CHANGE,
    UPDATE_CARVE_VALUE,
    UPDATE_EVICT,
    UPDATE_RESIZE,
    UPDATE_KINDS
};

struct updates {
    struct rangemap *map;
    struct oracle oracle;
    struct prng random;
    uint64_t rows;     /* where ranges are: row i is the keys i * ROW_KEYS up */
    uint64_t unfailed; /* updates that changed the map */
};

enum { ROW_KEYS = 16 };

/* An empty map in `domain`, which tracks gaps if `rows` is odd; or the error of rangemap_create(). */
int updates_init(struct updates *updates, struct rangemap_domain *domain, uint64_t rows);

/* Loads a range into every row, each other of them touching the next; 0 or -ENOMEM. */
int updates_fill(struct updates *updates);

void updates_free(struct updates *updates);

/* A random update that changes something. 0 or -ENOMEM; anything else leaves the test. */
int updates_do(struct updates *updates, enum update_kind kind);

/* The map is what the oracle says. */
void updates_compare(const struct updates *updates, const char *when);

const char *update_name(enum update_kind kind);

#endif
