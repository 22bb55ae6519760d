// SPDX-License-Identifier: BSD-2-Clause
#define RANGEMAP_MUST_CHECK /* nothing: some calls are made whatever comes of them */
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

unsigned operation_row(const struct operation *operation, struct rangemap_entry *entry)
{
    uint64_t stride = (operation->expected & HOW_TOUCHING) != 0 ? 2 : 4;

    REQUIRE_LE(operation->number, (uint64_t)OPERATION_ENTRIES);
    for (uint64_t i = 0; i < operation->number; i++) {
        uint64_t start = operation->start + stride * i;

        entry[i] = (struct rangemap_entry){start, start + 1, operation_value(operation->value + i)};
    }
    return (unsigned)operation->number;
}

unsigned operation_expected(const struct operation *operation, struct rangemap_entry *entry)
{
    unsigned count = 0;

    for (uint64_t start = operation->start; start <= operation->last; start += 4) {
        entry[count] = (struct rangemap_entry){start, start + 1,
                                               operation_value(operation->expected / HOW_VALUES + count)};
        count++;
    }
    return count;
}

int operation_change(const struct operation *operation, const struct rangemap_entry *part, void **value)
{
    bool odd = ((uintptr_t)*value & 1) != 0;

    if (operation->number == CHANGE_REFUSE_ODD && odd) {
        return -ECANCELED;
    }
    if (operation->number == CHANGE_DROP_ODD) {
        return odd ? RANGEMAP_DROP : RANGEMAP_KEEP;
    }
    if (operation->number == CHANGE_SET_ODD && !odd) {
        return RANGEMAP_KEEP;
    }
    *value = operation_value(operation->value + part->start % 8);
    return RANGEMAP_SET;
}

/*
 * Which of the window's first 64 keys are starts of parts that were set is noted in `answer`. With gaps, an attempt
 * begins at the window's start; without, what was not displaced belongs to another attempt.
 */
static int change_part(const struct rangemap_entry *part, const struct rangemap_entry *whole, void **value,
                       void *context)
{
    struct operation *operation = context;
    uint64_t at = part->start - operation->start;
    int verdict = operation_change(operation, part, value);

    (void)whole;
    REQUIRE_LT(at, (uint64_t)64);
    operation->answer = at == 0 ? 0 : operation->answer;
    operation->answer |= (uint64_t)(verdict == RANGEMAP_SET) << at;
    return verdict;
}

/* Whether a range was displaced whose part begins at `key`. */
static bool was_displaced(const struct operation *operation, uint64_t key)
{
    for (unsigned i = 0; i < operation->entries; i++) {
        uint64_t start = operation->entry[i].start;

        if ((start < operation->start ? operation->start : start) == key && operation->entry[i].last >= key) {
            return true;
        }
    }
    return false;
}

/* Takes out of `answer` what an attempt that lost has left there. */
static void settle_answer(struct operation *operation)
{
    for (uint64_t i = 0; i < 64 && operation->result == 0 && (operation->expected & HOW_GAPS) == 0; i++) {
        if (!was_displaced(operation, operation->start + i)) {
            operation->answer &= ~(UINT64_C(1) << i);
        }
    }
    operation->answer = operation->result == 0 ? operation->answer : 0;
}

static void run_window(struct rangemap *map, struct operation *operation)
{
    static struct rangemap_entry nothing;
    struct rangemap_entry row[OPERATION_ENTRIES], expected[OPERATION_ENTRIES], conflict = nothing;
    uint64_t how = operation->expected, start = operation->start, last = operation->last;
    struct rangemap_rewrite rewrite = {.if_free = (how & HOW_IF_FREE) != 0,
                                       .if_same = (how & HOW_IF_SAME) != 0,
                                       .join = (how & HOW_JOIN) != 0,
                                       .whole = (how & HOW_WHOLE) != 0,
                                       .gaps = (how & HOW_GAPS) != 0,
                                       .expected = expected,
                                       .displaced = record,
                                       .context = operation,
                                       .conflict = &conflict};

    if (rewrite.if_same) {
        rewrite.expected_count = operation_expected(operation, expected);
    }
    if (operation->kind == DO_SPLICE) {
        operation->result = rangemap_splice(map, start, last, row, operation_row(operation, row), &rewrite);
    } else {
        operation->result = rangemap_update(map, start, last, change_part, operation, &rewrite);
        settle_answer(operation);
    }
    if (operation->result == -EEXIST) {
        record(&conflict, operation);
    }
}

/* What answers with one entry, or nothing. */
static int read_entry(const struct rangemap *map, const struct operation *operation,
                      struct rangemap_entry *entry)
{
    struct rangemap_gap gap = {0};
    int result;

    switch (operation->kind) {
    case DO_OVERLAP_LAST:
        return rangemap_overlap_last(map, operation->start, operation->last, entry);
    case DO_GAP_AT:
    case DO_GAP_NEXT:
        result = operation->kind == DO_GAP_AT ? rangemap_gap_at(map, operation->start, &gap)
                                              : rangemap_gap_next(map, operation->start, &gap);
        *entry = (struct rangemap_entry){gap.start, gap.last, NULL};
        return result;
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
    case DO_ERASE_VALUE:
        operation->result =
            rangemap_erase_value(map, start, last, operation_value(operation->expected), &actual);
        operation->answer = (uintptr_t)actual;
        break;
    case DO_SPLICE:
    case DO_UPDATE:
        run_window(map, operation);
        break;
    case DO_CARVE_VALUE:
        operation->result =
            rangemap_carve_value(map, start, last, operation_value(operation->expected), record, operation);
        break;
    case DO_EVICT:
        operation->result = rangemap_evict(map, start, last, record, operation);
        break;
    case DO_RESIZE:
        operation->result =
            rangemap_resize(map, start, last, operation->value, operation->number, operation->entry);
        operation->entries = operation->result == -EEXIST;
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
    } else if (operation->kind == DO_TRIM) {
        (void)rangemap_domain_trim(rangemap_domain_of(map));
    } else if (operation->kind == DO_RESERVE) {
        (void)rangemap_reserve(map, (unsigned)operation->number);
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
    static const char *const name[] = {
        "nothing",     "lookup",  "find",         "batch",         "next",        "previous",
        "first",       "last",    "overlap",      "overlap_last",  "gap_at",      "gap_next",
        "is_covered",  "is_free", "snapshot",     "snapshot_find", "cursor",      "gap_find",
        "insert",      "store",   "carve",        "erase",         "erase_exact", "replace",
        "erase_value", "splice",  "update",       "carve_value",   "evict",       "resize",
        "coalesce",    "load",    "gap_allocate", "poll",          "trim",        "reserve",
        "is_reclaimed"};

    (void)fprintf(out, "%s [%" PRIu64 ", %" PRIu64 "]", name[operation->kind], operation->start,
                  operation->last);
    (void)fprintf(out, " value %" PRIu64 " expected %" PRIu64 " number %" PRIu64 " -> %d, %" PRIu64 " {",
                  operation->value, operation->expected, operation->number, operation->result,
                  operation->answer);
    for (unsigned i = 0; i < operation->entries; i++) {
        (void)fprintf(out, " [%" PRIu64 ", %" PRIu64 "]=%" PRIuPTR, operation->entry[i].start,
                      operation->entry[i].last, (uintptr_t)operation->entry[i].value);
    }
    (void)fprintf(out, " } during %" PRIu64 "..%" PRIu64 "\n", operation->begin, operation->end);
}
