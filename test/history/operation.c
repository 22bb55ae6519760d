// SPDX-License-Identifier: BSD-2-Clause
#include "test/history/operation.h"

#include <errno.h>
#include <inttypes.h>

#include "test/shim/ctest.h"

void *operation_split(const struct rangemap_entry *whole, uint64_t start, uint64_t last, void *context)
{
    (void)last;
    (void)context;
    return operation_value((uintptr_t)whole->value + ((start - whole->start) << 16));
}

static void record(const struct rangemap_entry *entry, void *context)
{
    struct operation *operation = context;

    REQUIRE_LT(operation->entries, (unsigned)OPERATION_ENTRIES);
    operation->entry[operation->entries++] = *entry;
}

static void run_cursor(struct rangemap_cursor *cursor, struct operation *operation)
{
    struct rangemap_entry entry;
    int (*step)(struct rangemap_cursor *, struct rangemap_entry *) =
        operation->downwards ? rangemap_cursor_previous : rangemap_cursor_next;

    while ((operation->result = step(cursor, &entry)) == 0) {
        record(&entry, operation);
    }
}

static void run_snapshot(const struct rangemap *map, struct operation *operation)
{
    struct rangemap_snapshot snapshot;
    struct rangemap_cursor cursor;

    operation->result = rangemap_snapshot_begin(map, &snapshot);
    REQUIRE_EQ(operation->result, 0);
    if (operation->kind == DO_SNAPSHOT) {
        REQUIRE_EQ(rangemap_cursor_init_at(&cursor, &snapshot, operation->start, operation->last), 0);
        run_cursor(&cursor, operation);
    } else {
        uint64_t key[2] = {operation->start, operation->last};

        for (unsigned i = 0; i < 2; i++) {
            struct rangemap_entry entry = {0};

            operation->answer |= (uint64_t)(rangemap_snapshot_find(&snapshot, key[i], &entry) == 0) << i;
            record(&entry, operation);
        }
    }
    rangemap_snapshot_end(&snapshot);
}

static void run_batch(const struct rangemap *map, struct operation *operation)
{
    uint64_t key[2] = {operation->start, operation->last};
    bool hit[2];

    operation->result = rangemap_find_batch(map, key, 2, operation->entry, hit);
    operation->entries = 2;
    operation->answer = (uint64_t)hit[0] | (uint64_t)hit[1] << 1;
}

static void run_gap(struct rangemap *map, struct operation *operation)
{
    struct rangemap_gap_request request = {.length = operation->number,
                                           .low = operation->start,
                                           .high = operation->last,
                                           .from_top = operation->downwards};

    operation->result =
        operation->kind == DO_GAP_FIND
            ? rangemap_gap_find(map, &request, &operation->answer)
            : rangemap_gap_allocate(map, &request, operation_value(operation->value), &operation->answer);
}

static void run_load(struct rangemap *map, struct operation *operation)
{
    struct rangemap_entry entry[OPERATION_ENTRIES];

    REQUIRE_LE(operation->number, (uint64_t)OPERATION_ENTRIES);
    for (uint64_t i = 0; i < operation->number; i++) {
        uint64_t start = operation->start + 4 * i;

        entry[i] = (struct rangemap_entry){start, start + 1, operation_value(operation->value + i)};
    }
    operation->result = rangemap_load(map, entry, operation->number, NULL);
}

/* What answers with one entry, or nothing. */
static int read_entry(const struct rangemap *map, const struct operation *operation,
                      struct rangemap_entry *entry)
{
    switch (operation->kind) {
    case DO_FIND:
        return rangemap_find(map, operation->start, entry);
    case DO_NEXT:
        return rangemap_next(map, operation->start, entry);
    case DO_PREVIOUS:
        return rangemap_previous(map, operation->start, entry);
    case DO_FIRST:
        return rangemap_first(map, entry);
    case DO_LAST:
        return rangemap_last(map, entry);
    default:
        return rangemap_overlap(map, operation->start, operation->last, entry);
    }
}

static void run_read(const struct rangemap *map, struct operation *operation)
{
    struct rangemap_cursor cursor;
    void *value = NULL;

    switch (operation->kind) {
    case DO_LOOKUP:
        operation->result = rangemap_lookup(map, operation->start, &value);
        operation->answer = (uintptr_t)value;
        break;
    case DO_BATCH:
        run_batch(map, operation);
        break;
    case DO_IS_COVERED:
        operation->result = rangemap_is_covered(map, operation->start, operation->last);
        break;
    case DO_IS_FREE:
        operation->result = rangemap_is_free(map, operation->start, operation->last);
        break;
    case DO_SNAPSHOT:
    case DO_SNAPSHOT_AT:
        run_snapshot(map, operation);
        break;
    case DO_CURSOR:
        REQUIRE_EQ(rangemap_cursor_init(&cursor, map, operation->start, operation->last), 0);
        run_cursor(&cursor, operation);
        break;
    default:
        operation->result = read_entry(map, operation, operation->entry);
        operation->entries = operation->result == 0;
    }
}

static void run_update(struct rangemap *map, struct operation *operation)
{
    uint64_t start = operation->start, last = operation->last;
    void *value = operation_value(operation->value), *actual = NULL;

    switch (operation->kind) {
    case DO_INSERT:
        operation->result = rangemap_insert(map, start, last, value, operation->entry);
        operation->entries = operation->result == -EEXIST;
        break;
    case DO_STORE:
        operation->result = rangemap_store(map, start, last, value, record, operation);
        break;
    case DO_CARVE:
        operation->result = rangemap_carve(map, start, last, record, operation);
        break;
    case DO_ERASE:
        operation->result = rangemap_erase(map, start, operation->entry);
        operation->entries = operation->result == 0;
        break;
    case DO_ERASE_EXACT:
        operation->result = rangemap_erase_exact(map, start, last, operation->entry);
        operation->entries = operation->result == 0;
        break;
    case DO_REPLACE:
        operation->result =
            rangemap_replace(map, start, last, operation_value(operation->expected), value, &actual);
        operation->answer = (uintptr_t)actual;
        break;
    default:
        operation->result = rangemap_coalesce(map, start, last, NULL, NULL, &operation->answer);
    }
}

void operation_run(struct rangemap *map, struct operation *operation)
{
    operation->result = 0;
    operation->answer = 0;
    operation->entries = 0;
    if (operation->kind == DO_POLL) {
        (void)rangemap_domain_poll(rangemap_domain_of(map));
    } else if (operation->kind == DO_LOAD) {
        run_load(map, operation);
    } else if (operation->kind == DO_GAP_FIND || operation->kind == DO_GAP_ALLOCATE) {
        run_gap(map, operation);
    } else if (operation_is_update(operation)) {
        run_update(map, operation);
    } else {
        run_read(map, operation);
    }
}

void operation_print(FILE *out, const struct operation *operation)
{
    static const char *const name[] = {"nothing",  "lookup",   "find",          "batch",        "next",
                                       "previous", "first",    "last",          "overlap",      "is_covered",
                                       "is_free",  "snapshot", "snapshot_find", "cursor",       "gap_find",
                                       "insert",   "store",    "carve",         "erase",        "erase_exact",
                                       "replace",  "coalesce", "load",          "gap_allocate", "poll"};

    (void)fprintf(out, "%s [%" PRIu64 ", %" PRIu64 "]", name[operation->kind], operation->start,
                  operation->last);
    (void)fprintf(out, " value %" PRIu64 " number %" PRIu64 " -> %d, %" PRIu64 " {", operation->value,
                  operation->number, operation->result, operation->answer);
    for (unsigned i = 0; i < operation->entries; i++) {
        (void)fprintf(out, " [%" PRIu64 ", %" PRIu64 "]=%" PRIuPTR, operation->entry[i].start,
                      operation->entry[i].last, (uintptr_t)operation->entry[i].value);
    }
    (void)fprintf(out, " } during %" PRIu64 "..%" PRIu64 "\n", operation->begin, operation->end);
}
