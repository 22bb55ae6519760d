// SPDX-License-Identifier: BSD-2-Clause
/* The small world's updates of windows, put together from the dense model's simpler ones. */
#include <errno.h>

#include "test/check/compare.h"
#include "test/model/world.h"
#include "test/shim/ctest.h"

/* What `equal` and `displaced` of a rewrite are given. */
static void record(const struct rangemap_entry *entry, void *context)
{
    struct world *world = context;

    entry_list_append(&world->got, entry);
}

/* What lies in the span is to be displaced. */
static void expect_displaced(struct world *world, struct span span)
{
    world->wanted.count = world->got.count = 0;
    dense_collect(&world->dense, span.start, span.last, &world->wanted);
}

static void agree(struct world *world, const char *operation, struct span span)
{
    require_same_list(&world->got, &world->wanted, world_where(world, operation, span));
}

/* Two ranges at the ends of the window, and a gap between them if there is room. */
void world_splice(struct world *world, struct span span)
{
    uint64_t third = (span.last - span.start) / 3;
    const struct rangemap_entry row[] = {
        {span.start, span.start + third, world_value(world, 3, span.start)},
        {span.last - third, span.last, world_value(world, 4, span.last - third)}};
    size_t count = span.start + third < span.last - third ? 2 : 1;
    const struct rangemap_rewrite how = {.displaced = record, .context = world};

    expect_displaced(world, span);
    REQUIRE_EQ(rangemap_splice(world->map, span.start, span.last, row, count, &how), 0);
    agree(world, "splice", span);
    dense_carve(&world->dense, span.start, span.last);
    for (size_t i = 0; i < count; i++) {
        dense_store(&world->dense, row[i].start, row[i].last, row[i].value);
    }
}

static bool is_neighbour(struct world *world, uint64_t key, bool is_inside, struct rangemap_entry *entry)
{
    return is_inside && dense_find(&world->dense, key, entry);
}

/* An insert that joins: with the same value as what touches on the left, or else with that of the model's inserts. */
void world_splice_joining(struct world *world, struct span span)
{
    const struct rangemap_rewrite how = {
        .if_free = true, .join = true, .equal = world->offsets ? world_continues : NULL, .context = world};
    uint64_t end = world->base + world->dense.count - 1;
    struct rangemap_entry left = {0}, right = {0}, entry = {span.start, span.last, NULL};
    bool has_left = is_neighbour(world, span.start - 1, span.start > world->base, &left);
    bool has_right = is_neighbour(world, span.last + 1, span.last < end, &right);
    int result;

    entry.value = has_left ? world->offsets ? dense_split(&left, span.start, span.last, NULL) : left.value
                           : world_value(world, 4, span.start);
    result = rangemap_splice(world->map, span.start, span.last, &entry, 1, &how);
    if (!dense_insert(&world->dense, span.start, span.last, entry.value)) {
        REQUIRE_EQ(result, -EEXIST, "%s", world_where(world, "joining splice", span));
        return;
    }
    REQUIRE_EQ(result, 0, "%s", world_where(world, "joining splice", span));
    dense_coalesce(&world->dense, has_left ? left.start : span.start, has_right ? right.last : span.last);
}

static int set_part(const struct rangemap_entry *part, const struct rangemap_entry *whole, void **value,
                    void *context)
{
    (void)whole;
    *value = world_value(context, 5, part->start);
    return RANGEMAP_SET;
}

/* Every range and every gap of the window gets a value; bounds stay. */
void world_update(struct world *world, struct span span)
{
    const struct rangemap_rewrite how = {.gaps = true, .displaced = record, .context = world};

    expect_displaced(world, span);
    REQUIRE_EQ(rangemap_update(world->map, span.start, span.last, set_part, world, &how), 0);
    agree(world, "update", span);
    for (uint64_t key = span.start, last; key <= span.last; key = last + 1) {
        struct rangemap_entry entry;
        bool held = dense_find(&world->dense, key, &entry);

        last = held ? entry.last : dense_next(&world->dense, key, &entry) ? entry.start - 1 : span.last;
        last = last < span.last ? last : span.last;
        dense_store(&world->dense, key, last, world_value(world, 5, key));
        if (last == UINT64_MAX) {
            break;
        }
    }
}

void world_erase_value(struct world *world, struct span span)
{
    struct rangemap_entry found;
    bool exact =
        dense_find(&world->dense, span.start, &found) && found.start == span.start && found.last == span.last;
    void *actual = NULL;

    if (exact) {
        REQUIRE_EQ(rangemap_erase_value(world->map, span.start, span.last, world, &actual), -ESTALE);
        REQUIRE_EQ(actual, found.value);
    }
    REQUIRE_EQ(rangemap_erase_value(world->map, span.start, span.last, exact ? found.value : NULL, NULL),
               exact ? 0 : -ENOENT, "%s", world_where(world, "erase_value", span));
    if (exact) {
        dense_carve(&world->dense, span.start, span.last);
    }
}

/* By the value of the lowest range there. */
void world_carve_value(struct world *world, struct span span)
{
    struct rangemap_entry first = {.value = world};
    size_t kept = 0;

    expect_displaced(world, span);
    dense_overlap(&world->dense, span.start, span.last, &first);
    for (size_t i = 0; i < world->wanted.count; i++) {
        const struct rangemap_entry entry = world->wanted.entry[i];

        if (entry.value == first.value) {
            world->wanted.entry[kept++] = entry;
            dense_carve(&world->dense, entry.start > span.start ? entry.start : span.start,
                        entry.last < span.last ? entry.last : span.last);
        }
    }
    world->wanted.count = kept;
    REQUIRE_EQ(rangemap_carve_value(world->map, span.start, span.last, first.value, record, world), 0);
    agree(world, "carve_value", span);
}

void world_evict(struct world *world, struct span span)
{
    expect_displaced(world, span);
    REQUIRE_EQ(rangemap_evict(world->map, span.start, span.last, record, world), 0);
    agree(world, "evict", span);
    for (size_t i = 0; i < world->wanted.count; i++) {
        dense_carve(&world->dense, world->wanted.entry[i].start, world->wanted.entry[i].last);
    }
}

/* The lowest range that shares a key with the span gets the span's bounds. */
void world_resize(struct world *world, struct span span)
{
    struct rangemap_entry old = {span.start, span.last, NULL}, other, conflict;
    bool found = dense_overlap(&world->dense, span.start, span.last, &old);
    int result = rangemap_resize(world->map, old.start, old.last, span.start, span.last, &conflict);
    bool blocked =
        found && old.last < span.last && dense_overlap(&world->dense, old.last + 1, span.last, &other);
    bool shrinks = span.start > old.start || span.last < old.last;
    void *value = old.value;

    REQUIRE_EQ(result, !found ? -ENOENT : blocked ? -EEXIST : 0, "%s", world_where(world, "resize", span));
    if (!found || blocked) {
        REQUIRE(!found || entry_equal(&conflict, &other), "%s", world_where(world, "resize", span));
        return;
    }
    if (world->offsets && shrinks) {
        value = dense_split(&old, span.start > old.start ? span.start : old.start, old.last, NULL);
    }
    dense_carve(&world->dense, old.start, old.last);
    dense_store(&world->dense, span.start, span.last, value);
}
