// SPDX-License-Identifier: BSD-2-Clause
#include "test/model/world.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "test/check/compare.h"
#include "test/shim/ctest.h"

struct span world_span(const struct world *world, unsigned first, unsigned last)
{
    return (struct span){world->base + (uint64_t)first * world->width,
                         world->base + (last + UINT64_C(1)) * world->width - 1};
}

void *world_value(const struct world *world, uint64_t tag, uint64_t start)
{
    return (void *)(uintptr_t)(tag * 1000000 + (world->offsets ? start : 0));
}

void world_init(struct world *world, uint64_t base, unsigned width, bool offsets, bool track_gaps)
{
    struct rangemap_options options = {.split = offsets ? dense_split : NULL, .track_gaps = track_gaps};

    *world = (struct world){.base = base, .width = width, .crowded = width > 1, .offsets = offsets};
    REQUIRE_EQ(rangemap_create(&options, &world->map), 0);
    for (uint64_t i = 0; i < POINTS * width; i++) {
        struct rangemap_entry entry = {base + i, base + i, world_value(world, 7, base + i)};

        entry_list_append(&world->crowd, &entry);
    }
}

void world_free(struct world *world)
{
    REQUIRE_EQ(rangemap_destroy(world->map), 0);
    entry_list_free(&world->crowd);
    entry_list_free(&world->got);
    entry_list_free(&world->wanted);
}

static uint64_t world_last(const struct world *world)
{
    return world->base + POINTS * world->width - 1;
}

void world_reset(struct world *world)
{
    dense_init(&world->dense, world->base, POINTS * world->width, world->offsets);
    REQUIRE_EQ(rangemap_carve(world->map, 0, UINT64_MAX, NULL, NULL), 0);
    if (!world->crowded) {
        return;
    }
    REQUIRE_EQ(rangemap_load(world->map, world->crowd.entry, world->crowd.count, NULL), 0);
    for (size_t i = 0; i < world->crowd.count; i++) {
        const struct rangemap_entry *entry = &world->crowd.entry[i];

        dense_store(&world->dense, entry->start, entry->last, entry->value);
    }
}

const char *world_where(struct world *world, const char *operation, struct span span)
{
    snprintf(world->text, sizeof world->text, "case %llu, %s %#llx..%#llx", (unsigned long long)world->cases,
             operation, (unsigned long long)span.start, (unsigned long long)span.last);
    return world->text;
}

void world_compare(struct world *world, struct span span)
{
    world->wanted.count = 0;
    dense_collect(&world->dense, world->base, world_last(world), &world->wanted);
    collect(world->map, 0, UINT64_MAX, &world->got);
    if (entry_list_difference(&world->got, &world->wanted) != SIZE_MAX) {
        require_same_list(&world->got, &world->wanted, world_where(world, "comparison", span));
    }
    if (world->cases % (world->crowded ? 64 : 8) == 0) {
        require_valid(world->map, world_where(world, "comparison", span));
    }
}

static void same_entry(struct world *world, bool found, const struct rangemap_entry *wanted, int result,
                       const struct rangemap_entry *got, const char *operation, struct span span)
{
    REQUIRE_EQ(result, found ? 0 : -ENOENT, "%s", world_where(world, operation, span));
    REQUIRE(!found || entry_equal(got, wanted), "%s", world_where(world, operation, span));
}

void world_store(struct world *world, struct span span)
{
    void *value = world_value(world, 3, span.start);

    world->wanted.count = world->got.count = 0;
    dense_collect(&world->dense, span.start, span.last, &world->wanted);
    REQUIRE_EQ(rangemap_store(world->map, span.start, span.last, value, entry_list_record, &world->got), 0);
    require_same_list(&world->got, &world->wanted, world_where(world, "store displaced", span));
    dense_store(&world->dense, span.start, span.last, value);
}

void world_carve(struct world *world, struct span span)
{
    world->wanted.count = world->got.count = 0;
    dense_collect(&world->dense, span.start, span.last, &world->wanted);
    REQUIRE_EQ(rangemap_carve(world->map, span.start, span.last, entry_list_record, &world->got), 0);
    require_same_list(&world->got, &world->wanted, world_where(world, "carve displaced", span));
    dense_carve(&world->dense, span.start, span.last);
}

void world_insert(struct world *world, struct span span)
{
    void *value = world_value(world, 4, span.start);
    struct rangemap_entry got, wanted;
    int result = rangemap_insert(world->map, span.start, span.last, value, &got);

    if (dense_insert(&world->dense, span.start, span.last, value)) {
        REQUIRE_EQ(result, 0, "%s", world_where(world, "insert", span));
        return;
    }
    REQUIRE_EQ(result, -EEXIST, "%s", world_where(world, "insert", span));
    REQUIRE(got.start >= world->base && got.start <= world_last(world), "%s",
            world_where(world, "insert", span));
    REQUIRE(dense_find(&world->dense, got.start, &wanted) && entry_equal(&got, &wanted), "%s",
            world_where(world, "insert", span));
    REQUIRE(got.start <= span.last && got.last >= span.start, "%s", world_where(world, "insert", span));
}

void world_erase(struct world *world, struct span span)
{
    struct rangemap_entry got, wanted;
    bool found = dense_find(&world->dense, span.start, &wanted);
    int result = rangemap_erase(world->map, span.start, &got);

    same_entry(world, found, &wanted, result, &got, "erase", span);
    if (found) {
        dense_carve(&world->dense, wanted.start, wanted.last);
    }
}

void world_erase_exact(struct world *world, struct span span)
{
    struct rangemap_entry got, wanted;
    bool found = dense_find(&world->dense, span.start, &wanted) && wanted.start == span.start &&
                 wanted.last == span.last;
    int result = rangemap_erase_exact(world->map, span.start, span.last, &got);

    same_entry(world, found, &wanted, result, &got, "erase_exact", span);
    if (found) {
        dense_carve(&world->dense, wanted.start, wanted.last);
    }
}

void world_replace(struct world *world, struct span span)
{
    struct rangemap_entry wanted;
    void *desired = world_value(world, 5, span.start);
    bool found = dense_find(&world->dense, span.start, &wanted) && wanted.start == span.start &&
                 wanted.last == span.last;
    int result =
        rangemap_replace(world->map, span.start, span.last, found ? wanted.value : NULL, desired, NULL);

    REQUIRE_EQ(result, found ? 0 : -ENOENT, "%s", world_where(world, "replace", span));
    if (found) {
        dense_store(&world->dense, span.start, span.last, desired);
    }
}

bool world_continues(const struct rangemap_entry *left, const struct rangemap_entry *right, void *context)
{
    return dense_split(left, right->start, right->last, context) == right->value;
}

void world_coalesce(struct world *world, struct span span)
{
    rangemap_equal_fn *equal = world->offsets ? world_continues : NULL;
    uint64_t joined = 99;
    uint64_t wanted = dense_coalesce(&world->dense, span.start, span.last);

    REQUIRE_EQ(rangemap_coalesce(world->map, span.start, span.last, equal, NULL, &joined), 0);
    REQUIRE_EQ(joined, wanted, "%s", world_where(world, "coalesce", span));
}

static bool last_overlap(struct world *world, struct span span, struct rangemap_entry *entry)
{
    world->wanted.count = 0;
    dense_collect(&world->dense, span.start, span.last, &world->wanted);
    if (world->wanted.count == 0) {
        return false;
    }
    *entry = world->wanted.entry[world->wanted.count - 1];
    return true;
}

/* The gap that holds a key: whatever lies outside of the domain is free. */
static bool gap_around(const struct world *world, uint64_t key, struct rangemap_gap *gap)
{
    struct rangemap_entry entry;
    bool found = dense_find(&world->dense, key, &entry);

    gap->start = dense_previous(&world->dense, key, &entry) ? entry.last + 1 : 0;
    gap->last = dense_next(&world->dense, key, &entry) ? entry.start - 1 : UINT64_MAX;
    return !found;
}

static void ask_for_gap(struct world *world, struct span span)
{
    struct rangemap_gap got, wanted;
    struct rangemap_entry entry;
    bool found = gap_around(world, span.start, &wanted);
    int result = rangemap_gap_at(world->map, span.start, &got);
    uint64_t key = span.start;

    REQUIRE_EQ(result, found ? 0 : -ENOENT, "%s", world_where(world, "gap_at", span));
    REQUIRE(!found || (got.start == wanted.start && got.last == wanted.last), "%s",
            world_where(world, "gap_at", span));
    while (key <= world_last(world) && dense_find(&world->dense, key, &entry) &&
           entry.last < world_last(world)) {
        key = entry.last + 1;
    }
    result = rangemap_gap_next(world->map, span.start, &got);
    if (dense_find(&world->dense, key, &entry)) { /* all is held up to the end of the domain */
        found = entry.last < UINT64_MAX;
        wanted = (struct rangemap_gap){entry.last + 1, UINT64_MAX};
    } else {
        found = gap_around(world, key, &wanted);
    }
    REQUIRE_EQ(result, found ? 0 : -ENOSPC, "%s", world_where(world, "gap_next", span));
    REQUIRE(!found || (got.start == wanted.start && got.last == wanted.last), "%s",
            world_where(world, "gap_next", span));
}

void world_ask(struct world *world, struct span span)
{
    struct rangemap_entry got, wanted;
    bool found = dense_overlap(&world->dense, span.start, span.last, &wanted);
    int result = rangemap_overlap(world->map, span.start, span.last, &got);

    same_entry(world, found, &wanted, result, &got, "overlap", span);
    REQUIRE_EQ(rangemap_is_free(world->map, span.start, span.last), !found, "%s",
               world_where(world, "is_free", span));
    REQUIRE_EQ(rangemap_is_covered(world->map, span.start, span.last),
               dense_is_covered(&world->dense, span.start, span.last), "%s",
               world_where(world, "covered", span));
    found = last_overlap(world, span, &wanted);
    result = rangemap_overlap_last(world->map, span.start, span.last, &got);
    same_entry(world, found, &wanted, result, &got, "overlap_last", span);
    found = dense_next(&world->dense, span.start, &wanted);
    result = rangemap_next(world->map, span.start, &got);
    same_entry(world, found, &wanted, result, &got, "next", span);
    found = dense_previous(&world->dense, span.last, &wanted);
    result = rangemap_previous(world->map, span.last, &got);
    same_entry(world, found, &wanted, result, &got, "previous", span);
    ask_for_gap(world, span);
    for (uint64_t key = span.start;; key += world->width) {
        found = dense_find(&world->dense, key, &wanted);
        result = rangemap_find(world->map, key, &got);
        same_entry(world, found, &wanted, result, &got, "find", span);
        if (span.last - key < world->width) {
            break;
        }
    }
}

void world_ask_cursor(struct world *world, struct span span)
{
    world->wanted.count = 0;
    dense_collect(&world->dense, span.start, span.last, &world->wanted);
    collect(world->map, span.start, span.last, &world->got);
    require_same_list(&world->got, &world->wanted, world_where(world, "cursor", span));
    collect_downwards(world->map, span.start, span.last, &world->got);
    require_same_list(&world->got, &world->wanted, world_where(world, "cursor downwards", span));
}

void world_ask_gap(struct world *world, struct span span)
{
    static const enum rangemap_gap_fit fit[] = {RANGEMAP_GAP_FIRST, RANGEMAP_GAP_BEST, RANGEMAP_GAP_NEXT};

    for (unsigned i = 0; i < 2 * 3 * POINTS * 3; i++) {
        unsigned kind = i / (2 * 3 * POINTS);
        struct rangemap_gap_request request = {
            .length = (i / 6 % POINTS + 1) * (uint64_t)world->width,
            .alignment = UINT64_C(1) << i / 2 % 3,
            .low = span.start,
            .high = span.last,
            .from_top = i % 2,
            .fit = fit[kind],
            .hint = world->base + (world->cases + i) % (POINTS * world->width),
        };
        uint64_t wanted = 99;
        uint64_t got = 99;
        bool found = dense_gap(&world->dense, &request, &wanted);

        REQUIRE_EQ(rangemap_gap_find(world->map, &request, &got), found ? 0 : -ENOSPC,
                   "fit %u, length %u, %s", kind, i / 6 % POINTS, world_where(world, "gap", span));
        REQUIRE_EQ(got, wanted, "fit %u, length %u, %s", kind, i / 6 % POINTS,
                   world_where(world, "gap", span));
    }
}
