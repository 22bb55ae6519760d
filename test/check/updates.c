// SPDX-License-Identifier: BSD-2-Clause
#include "test/check/updates.h"

#include <errno.h>

#include "test/check/compare.h"
#include "test/shim/ctest.h"

struct span {
    uint64_t start, last;
};

static void *fresh_value(struct updates *updates)
{
    return (void *)(uintptr_t)(prng_next(&updates->random) >> 1);
}

int updates_init(struct updates *updates, struct rangemap_domain *domain, uint64_t rows)
{
    const struct rangemap_options options = {.domain = domain, .track_gaps = rows % 2};

    *updates = (struct updates){.rows = rows, .random = prng_stream(test_seed(), rows)};
    oracle_init(&updates->oracle, NULL, NULL);
    return rangemap_create(&options, &updates->map);
}

int updates_fill(struct updates *updates)
{
    struct entry_list list = {0};
    int result;

    for (uint64_t i = 0; i < updates->rows; i++) {
        uint64_t length = i % 2 ? ROW_KEYS / 2 : ROW_KEYS;
        struct rangemap_entry entry = {i * ROW_KEYS, i * ROW_KEYS + length - 1, fresh_value(updates)};

        entry_list_append(&list, &entry);
    }
    result = rangemap_load(updates->map, list.entry, list.count, NULL);
    if (result == 0) {
        oracle_load(&updates->oracle, list.entry, list.count);
    }
    entry_list_free(&list);
    return result;
}

void updates_free(struct updates *updates)
{
    CHECK_EQ(rangemap_destroy(updates->map), 0);
    oracle_free(&updates->oracle);
}

void updates_compare(const struct updates *updates, const char *when)
{
    require_same_map(updates->map, &updates->oracle.list, when);
}

/* A span of up to `keys` keys anywhere in the rows. */
static struct span random_span(struct updates *updates, uint64_t keys)
{
    uint64_t end = updates->rows * ROW_KEYS;
    uint64_t start = prng_below(&updates->random, end);
    uint64_t extra = prng_below(&updates->random, keys);

    return (struct span){start, extra < end - start ? start + extra : end - 1};
}

/* Random row's span of free keys if one is met soon, else one above all rows. */
static struct span free_span(struct updates *updates)
{
    const struct rangemap_entry *last;

    for (unsigned i = 0; i < 20; i++) {
        struct span span = random_span(updates, ROW_KEYS);

        if (oracle_is_free(&updates->oracle, span.start, span.last)) {
            return span;
        }
    }
    last = oracle_last(&updates->oracle);
    return (struct span){last->last + 1, last->last + 3};
}

/* A range that is there; if there is none, it makes no sense to go on. */
static struct rangemap_entry random_entry(struct updates *updates)
{
    const struct rangemap_entry *entry =
        oracle_overlap(&updates->oracle, random_span(updates, 1).start, UINT64_MAX);

    entry = entry ? entry : oracle_last(&updates->oracle);
    REQUIRE_NE(entry, NULL);
    return *entry;
}

static int do_insert(struct updates *updates)
{
    struct span span = free_span(updates);
    void *value = fresh_value(updates);
    int result = rangemap_insert(updates->map, span.start, span.last, value, NULL);

    if (result == 0) {
        REQUIRE_EQ(oracle_insert(&updates->oracle, span.start, span.last, value), 0);
    }
    return result;
}

static int do_store(struct updates *updates, uint64_t keys)
{
    struct span span = random_span(updates, keys);
    void *value = fresh_value(updates);
    int result = rangemap_store(updates->map, span.start, span.last, value, NULL, NULL);

    if (result == 0) {
        oracle_store(&updates->oracle, span.start, span.last, value, NULL);
    }
    return result;
}

/* From a range that is there on, so that there is something to do. */
static int do_carve(struct updates *updates, uint64_t keys)
{
    uint64_t start = random_entry(updates).last;
    uint64_t last = start + prng_below(&updates->random, keys);
    int result = rangemap_carve(updates->map, start, last, NULL, NULL);

    if (result == 0) {
        oracle_carve(&updates->oracle, start, last, NULL);
    }
    return result;
}

static int do_erase(struct updates *updates, bool exact)
{
    struct rangemap_entry entry = random_entry(updates);
    int result = exact ? rangemap_erase_exact(updates->map, entry.start, entry.last, NULL)
                       : rangemap_erase(updates->map, entry.last, NULL);

    if (result == 0) {
        oracle_erase(&updates->oracle, entry.start, NULL);
    }
    return result;
}

static int do_replace(struct updates *updates)
{
    struct rangemap_entry entry = random_entry(updates);
    void *value = fresh_value(updates);
    int result = rangemap_replace(updates->map, entry.start, entry.last, entry.value, value, NULL);

    if (result == 0) {
        oracle_replace(&updates->oracle, entry.start, entry.last, entry.value, value, NULL);
    }
    return result;
}

static int do_erase_value(struct updates *updates)
{
    struct rangemap_entry entry = random_entry(updates);
    int result = rangemap_erase_value(updates->map, entry.start, entry.last, entry.value, NULL);

    if (result == 0) {
        oracle_erase(&updates->oracle, entry.start, NULL);
    }
    return result;
}

/* A window that begins in a range and has up to 100 more. */
static struct span random_window(struct updates *updates)
{
    uint64_t start = random_entry(updates).last;

    return (struct span){start, start + prng_below(&updates->random, UINT64_C(100) * ROW_KEYS)};
}

/* Some ranges in the place of many. */
static int do_splice(struct updates *updates)
{
    struct span span = random_window(updates);
    struct rangemap_entry row[20];
    size_t count = 0;
    int result;

    for (uint64_t at = span.start; count < 20 && at + 3 <= span.last; at += 1 + ROW_KEYS) {
        row[count++] = (struct rangemap_entry){at, at + 3, fresh_value(updates)};
    }
    result = rangemap_splice(updates->map, span.start, span.last, row, count, NULL);
    if (result == 0) {
        oracle_splice(&updates->oracle, span.start, span.last, row, count, NULL, NULL);
    }
    return result;
}

static int set_all(const struct rangemap_entry *part, const struct rangemap_entry *whole, void **value,
                   void *context)
{
    (void)whole;
    *value = (void *)((uintptr_t)context + part->start);
    return RANGEMAP_SET;
}

static int do_change(struct updates *updates)
{
    struct span span = random_window(updates);
    void *seed = fresh_value(updates);
    const struct rangemap_rewrite how = {.gaps = true};
    int result = rangemap_update(updates->map, span.start, span.last, set_all, seed, &how);

    if (result == 0) {
        oracle_update(&updates->oracle, span.start, span.last, set_all, seed, &how, NULL);
    }
    return result;
}

static int do_carve_value(struct updates *updates)
{
    struct rangemap_entry entry = random_entry(updates);
    uint64_t last = entry.last + UINT64_C(50) * ROW_KEYS;
    int result = rangemap_carve_value(updates->map, entry.last, last, entry.value, NULL, NULL);

    if (result == 0) {
        oracle_carve_value(&updates->oracle, entry.last, last, entry.value, NULL);
    }
    return result;
}

static int do_evict(struct updates *updates)
{
    struct span span = random_window(updates);
    int result = rangemap_evict(updates->map, span.start, span.last, NULL, NULL);

    if (result == 0) {
        oracle_evict(&updates->oracle, span.start, span.last, NULL);
    }
    return result;
}

/* Shrinks a range, or erases it if it has one key. */
static int do_resize(struct updates *updates)
{
    struct rangemap_entry entry = random_entry(updates);
    int result;

    if (entry.start == entry.last) {
        return do_erase_value(updates);
    }
    result = rangemap_resize(updates->map, entry.start, entry.last, entry.start + 1, entry.last, NULL);
    if (result == 0) {
        oracle_resize(&updates->oracle, entry.start, entry.last, entry.start + 1, entry.last);
    }
    return result;
}

static bool always(const struct rangemap_entry *left, const struct rangemap_entry *right, void *context)
{
    (void)left;
    (void)right;
    (void)context;
    return true;
}

/* Joins a range with all that touch it: one run, so that it fails or succeeds as a whole. */
static int do_coalesce(struct updates *updates)
{
    struct rangemap_entry entry = random_entry(updates);
    const struct rangemap_entry *next = oracle_next(&updates->oracle, entry.last);
    uint64_t last = entry.last;
    uint64_t joined = 0;
    int result;

    while (next && next->start == last + 1) {
        last = next->last;
        next = oracle_next(&updates->oracle, last);
    }
    result = rangemap_coalesce(updates->map, entry.start, last, always, NULL, &joined);
    if (result == 0) {
        REQUIRE_EQ(joined, oracle_coalesce(&updates->oracle, entry.start, last, always, NULL));
    } else {
        REQUIRE_EQ(joined, 0u);
    }
    return result;
}

static int do_allocate(struct updates *updates)
{
    struct rangemap_gap_request request = {.length = 1 + prng_below(&updates->random, ROW_KEYS),
                                           .low = random_span(updates, 1).start,
                                           .high = UINT64_MAX};
    void *value = fresh_value(updates);
    uint64_t start, wanted;
    int result = rangemap_gap_allocate(updates->map, &request, value, &start);

    if (result == 0) {
        REQUIRE_EQ(oracle_gap(&updates->oracle, &request, &wanted), 0);
        REQUIRE_EQ(start, wanted);
        REQUIRE_EQ(oracle_insert(&updates->oracle, start, start + request.length - 1, value), 0);
    }
    return result;
}

static int do_kind(struct updates *updates, enum update_kind kind)
{
    switch (kind) {
    case UPDATE_INSERT:
        return do_insert(updates);
    case UPDATE_STORE:
        return do_store(updates, ROW_KEYS);
    case UPDATE_STORE_WIDE:
        return do_store(updates, UINT64_C(100) * ROW_KEYS);
    case UPDATE_CARVE:
        return do_carve(updates, ROW_KEYS);
    case UPDATE_CARVE_WIDE:
        return do_carve(updates, UINT64_C(100) * ROW_KEYS);
    case UPDATE_ERASE:
    case UPDATE_ERASE_EXACT:
        return do_erase(updates, kind == UPDATE_ERASE_EXACT);
    case UPDATE_REPLACE:
        return do_replace(updates);
    case UPDATE_COALESCE:
        return do_coalesce(updates);
    case UPDATE_ERASE_VALUE:
        return do_erase_value(updates);
    case UPDATE_SPLICE:
        return do_splice(updates);
    case UPDATE_CHANGE:
        return do_change(updates);
    case UPDATE_CARVE_VALUE:
        return do_carve_value(updates);
    case UPDATE_EVICT:
        return do_evict(updates);
    case UPDATE_RESIZE:
        return do_resize(updates);
    case UPDATE_ALLOCATE:
    case UPDATE_KINDS:
        break;
    }
    return do_allocate(updates);
}

int updates_do(struct updates *updates, enum update_kind kind)
{
    int result;

    /* What wide updates took away is filled in again, lest the map runs empty. */
    if (updates->oracle.list.count < updates->rows / 2 && kind != UPDATE_INSERT) {
        kind = UPDATE_ALLOCATE;
    }
    result = do_kind(updates, kind);
    REQUIRE(result == 0 || result == -ENOMEM, "%s: %d", update_name(kind), result);
    updates->unfailed += result == 0;
    return result;
}

const char *update_name(enum update_kind kind)
{
    static const char *const name[UPDATE_KINDS] = {
        "insert",      "store",       "wide store",  "carve",    "wide carve",   "erase",
        "erase_exact", "replace",     "erase_value", "coalesce", "gap_allocate", "splice",
        "update",      "carve_value", "evict",       "resize",
    };

    return name[kind];
}
