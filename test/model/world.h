// SPDX-License-Identifier: BSD-2-Clause
/*
 * A small world for exhaustive tests: a map and the dense model of it, over a domain of 6 points, in which
 * point i is the keys base + i * width and up. Each operation is done in both and compared.
 */
#ifndef TEST_MODEL_WORLD_H
#define TEST_MODEL_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "rangemap/rangemap.h"
#include "test/oracle/dense.h"
#include "test/oracle/entry_list.h"

enum { POINTS = 6, RANGES = POINTS * (POINTS + 1) / 2 };

struct world {
    uint64_t base;
    unsigned width;
    bool crowded; /* every key starts with a range of its own: width > 1 */
    bool offsets; /* values depend on the start of their range, and the map has a split callback */
    struct rangemap *map;
    struct dense dense;
    struct entry_list crowd, got, wanted;
    uint64_t cases; /* counted by the test, for messages */
    char text[128];
};

struct span {
    uint64_t start, last;
};

void world_init(struct world *world, uint64_t base, unsigned width, bool offsets, bool track_gaps);
void world_free(struct world *world);

/* Back to the start: nothing there, or the crowd. */
void world_reset(struct world *world);

/* The keys of the points first..last. */
struct span world_span(const struct world *world, unsigned first, unsigned last);

/* The map holds what the model does. */
void world_compare(struct world *world, struct span span);

/* One operation on the span, in both; what it reports is compared. */
typedef void world_operation(struct world *world, struct span span);

world_operation world_store, world_insert, world_carve, world_erase, world_erase_exact, world_replace,
    world_coalesce;

/* Those of windows: test/model/world_window.c. */
world_operation world_splice, world_splice_joining, world_update, world_erase_value, world_carve_value,
    world_evict, world_resize;

/* For these files: a value, by tag and, with offsets, by where it starts; and words for messages. */
void *world_value(const struct world *world, uint64_t tag, uint64_t start);
const char *world_where(struct world *world, const char *operation, struct span span);
bool world_continues(const struct rangemap_entry *left, const struct rangemap_entry *right, void *context);

/* Every question about the span. */
world_operation world_ask, world_ask_cursor, world_ask_gap;

#endif
