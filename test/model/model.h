// SPDX-License-Identifier: BSD-2-Clause
/*
 * A map and the oracle that goes through the same random operations with it. Any difference leaves the test
 * with a message that names the step.
 */
#ifndef TEST_MODEL_MODEL_H
#define TEST_MODEL_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "rangemap/rangemap.h"
#include "test/model/keyspace.h"
#include "test/oracle/oracle.h"
#include "test/shim/prng.h"

enum { MODEL_SNAPSHOTS = 3 };

/* A snapshot that is held while the map goes on, and what it must show. */
struct model_snapshot {
    bool held;
    uint64_t until; /* the step that compares and ends it */
    struct rangemap_snapshot snapshot;
    struct oracle saved;
};

struct model {
    struct rangemap *map;
    struct oracle oracle;
    const struct keyspace *space;
    bool offsets; /* values depend on the start of their range, and the map has a split callback */
    bool tracks_gaps;
    struct prng random;
    uint64_t step;
    const char *operation; /* the one that runs, for messages */
    struct model_snapshot snapshot[MODEL_SNAPSHOTS];
    struct entry_list displaced, expected; /* scratch */
    char text[256];
};

void model_init(struct model *model, const struct keyspace *space, bool offsets, bool track_gaps,
                uint64_t stream);
void model_free(struct model *model);

/* `steps` random operations, with a full comparison after every `interval` of them. */
void model_run(struct model *model, uint64_t steps, uint64_t interval);

/* For messages: the key space, step and operation. */
const char *model_where(struct model *model);

/* The value for a range that starts at `start`: often equal to others, sometimes NULL. */
void *model_value(struct model *model, uint64_t start);

/* One random operation. */
void model_update(struct model *model);
void model_query(struct model *model);
void model_use_snapshot(struct model *model);

/* Random steps of a cursor over `snapshot` (NULL: the map) beside the oracle's. */
void model_walk(struct model *model, const struct rangemap_snapshot *snapshot, const struct oracle *oracle);

/* The next gap from `key` on in the snapshot (NULL: the map). */
void model_ask_gap(struct model *model, const struct rangemap_snapshot *snapshot, const struct oracle *oracle,
                   uint64_t key);

/* `got` is the oracle's answer: an entry, or none and the result -ENOENT. */
void model_require_entry(struct model *model, int result, const struct rangemap_entry *got,
                         const struct rangemap_entry *wanted);

#endif
