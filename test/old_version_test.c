// SPDX-License-Identifier: BSD-2-Clause
/*
 * What old versions cost, in instructions: a snapshot passes versions that snapshots can tell apart, not one for each
 * update since it was taken (docs/design.md, 5). "A hop" is one version passed.
 */
#include <pthread.h>

#include "rangemap/rangemap.h"
#include "test/check/instructions.h"
#include "test/shim/ctest.h"

enum {
    RANGES = 1000,
    FEW_RANGES = 150, /* for a walk over all of them, instruction by instruction */
    STRIDE = 10,
    HOT = 10,         /* ranges that are updated */
    HOP_MAX = 60,     /* instructions, with AddressSanitizer too */
    HEIGHT_MAX = 12,  /* with three entries to a node */
    OF_ONE_STAMP = 1, /* hops for each level, when all updates came after the last snapshot */
};

static struct rangemap *map;
static struct rangemap_snapshot snapshot;
static uint64_t key;

static void *word(uint64_t value)
{
    return (void *)(uintptr_t)value;
}

static void set_up(uint64_t ranges)
{
    if (!instructions_are_counted()) {
        TEST_SKIP("instructions cannot be counted here");
    }
    REQUIRE_EQ(rangemap_create(NULL, &map), 0);
    for (uint64_t i = 0; i < ranges; i++) {
        REQUIRE_EQ(rangemap_insert(map, i * STRIDE, i * STRIDE + 4, word(i), NULL), 0);
    }
}

static void tear_down(void)
{
    REQUIRE_EQ(rangemap_destroy(map), 0);
}

/* Every other update changes the shape of the tree: splits, merges, whole regions. */
static void update(uint64_t number)
{
    uint64_t start = number % HOT * STRIDE;

    REQUIRE_EQ(rangemap_store(map, start, start + 4, word(number), NULL, NULL), 0);
    if (number % 2 == 0) {
        REQUIRE_EQ(rangemap_store(map, start, start + 25, word(number), NULL, NULL), 0);
        REQUIRE_EQ(rangemap_store(map, start + 1, start + 2, word(number), NULL, NULL), 0);
        REQUIRE_EQ(rangemap_store(map, start + 7, start + 8, word(number), NULL, NULL), 0);
    }
}

static void update_many(uint64_t number)
{
    static uint64_t done;

    while (number-- > 0) {
        update(done++);
    }
}

static void find(void *context)
{
    *(int *)context = rangemap_snapshot_find(&snapshot, key, &(struct rangemap_entry){0, 0, NULL});
}

/* The dearest find of the ranges that are updated. */
static uint64_t dearest_find(void)
{
    uint64_t most = 0;

    for (uint64_t i = 0; i < HOT; i++) {
        struct rangemap_entry entry;
        uint64_t count;
        int result = -1;

        key = i * STRIDE + 3;
        count = instructions_of(find, &result);
        most = count > most ? count : most;
        CHECK_EQ(result, 0);
        REQUIRE_EQ(rangemap_snapshot_find(&snapshot, key, &entry), 0);
        CHECK_EQ(entry.start, i * STRIDE);
        CHECK_EQ((uintptr_t)entry.value, i);
    }
    return most;
}

TEST_CASE(old_version, finds_do_not_count_updates)
{
    uint64_t at_first, after_10000, after_100000;

    set_up(RANGES);
    REQUIRE_EQ(rangemap_snapshot_begin(map, &snapshot), 0);
    at_first = dearest_find();
    update_many(10000);
    after_10000 = dearest_find();
    update_many(90000);
    after_100000 = dearest_find();
    printf("a find in a snapshot takes %lu, %lu, %lu instructions after 0, 10,000, 100,000 updates\n",
           (unsigned long)at_first, (unsigned long)after_10000, (unsigned long)after_100000);
    CHECK_GT(at_first, 20u, "they are counted");
    CHECK_LE(after_10000, at_first + OF_ONE_STAMP * HEIGHT_MAX * HOP_MAX);
    CHECK_EQ(after_100000, after_10000, "nothing grows with updates");
    rangemap_snapshot_end(&snapshot);
    tear_down();
}

/* What they do count: other snapshots, and queries over several leaves, which read one. */
TEST_CASE(old_version, finds_count_snapshots_taken_since)
{
    enum { OTHERS = 20 };
    uint64_t at_first, after;

    set_up(RANGES);
    REQUIRE_EQ(rangemap_snapshot_begin(map, &snapshot), 0);
    at_first = dearest_find();
    for (unsigned i = 0; i < OTHERS; i++) {
        update_many(1000);
        REQUIRE_EQ(rangemap_is_covered(map, 0, RANGES * STRIDE), 0);
        CHECK_EQ(rangemap_is_free(map, RANGES * STRIDE, UINT64_MAX), 1, "one leaf: no snapshot");
    }
    update_many(1000);
    after = dearest_find();
    printf("%lu instructions, then %lu after %u others\n", (unsigned long)at_first, (unsigned long)after,
           OTHERS);
    CHECK_LE(after, at_first + (uint64_t)(OTHERS + 1) * HEIGHT_MAX * HOP_MAX);
    rangemap_snapshot_end(&snapshot);
    tear_down();
}

/* ---- a walk beside a writer, which makes thousands of updates meanwhile ---- */

static bool stop;
static uint64_t updates_done;

static void *write_until_stopped(void *context)
{
    (void)context;
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        uint64_t start = updates_done % FEW_RANGES * STRIDE;

        CHECK_EQ(rangemap_store(map, start, start + 4, word(updates_done), NULL, NULL), 0);
        (void)__atomic_fetch_add(&updates_done, 1, __ATOMIC_RELAXED);
    }
    return NULL;
}

static void read_statistics(void *context)
{
    REQUIRE_EQ(rangemap_stats(map, context), 0);
}

TEST_CASE(old_version, statistics_beside_a_writer)
{
    struct rangemap_statistics statistics = {0};
    uint64_t alone, beside, before, nodes;
    pthread_t writer;

    set_up(FEW_RANGES);
    stop = false;
    alone = instructions_of(read_statistics, &statistics);
    nodes = statistics.leaves + statistics.inner_nodes;
    REQUIRE_EQ(pthread_create(&writer, NULL, write_until_stopped, NULL), 0);
    do {
        before = __atomic_load_n(&updates_done, __ATOMIC_RELAXED);
        beside = instructions_of(read_statistics, &statistics);
        before = __atomic_load_n(&updates_done, __ATOMIC_RELAXED) - before;
        CHECK_EQ(statistics.ranges, (uint64_t)FEW_RANGES);
        CHECK_LE(beside, alone + 2 * nodes * HOP_MAX);
    } while (before < 20 * FEW_RANGES);
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    REQUIRE_EQ(pthread_join(writer, NULL), 0);
    printf("statistics take %lu instructions alone, %lu beside %lu updates\n", (unsigned long)alone,
           (unsigned long)beside, (unsigned long)before);
    tear_down();
}
