// SPDX-License-Identifier: BSD-2-Clause
/*
 * Windows rewritten beside other threads: what could not be said before there were any (flags that get lost, tables
 * that are half changed, somebody else's range erased), and windows so wide that memory and progress are the matter.
 */
#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "rangemap/rangemap.h"
#include "test/check/compare.h"
#include "test/check/crew.h"
#include "test/shim/ctest.h"
#include "test/shim/prng.h"

enum { KEYS = 64, STEP = 16 };

static void *word(uint64_t number)
{
    return (void *)(uintptr_t)number;
}

static uint64_t number(const void *value)
{
    return (uintptr_t)value;
}

/* ---- two threads, each with a flag of its own ---- */

struct flags {
    struct rangemap *map;
    bool wanted[2][KEYS];
};

struct change {
    uint64_t mask;
    bool set;
};

static int change_flag(const struct rangemap_entry *part, const struct rangemap_entry *whole, void **value,
                       void *context)
{
    const struct change *change = context;
    uint64_t old = number(part->value), new = change->set ? old | change->mask : old & ~change->mask;

    (void)whole;
    *value = word(new);
    return new == old ? RANGEMAP_KEEP : RANGEMAP_SET;
}

static void set_flags(unsigned index, void *context)
{
    struct flags *flags = context;
    struct prng random = prng_stream(test_seed(), index);

    for (unsigned i = 0; i < 2000; i++) {
        uint64_t start = prng_below(&random, KEYS), last = start + prng_below(&random, KEYS - start);
        struct change change = {UINT64_C(1) << index, prng_below(&random, 2)};
        const struct rangemap_rewrite how = {.join = prng_below(&random, 2)};

        REQUIRE_EQ(rangemap_update(flags->map, start, last, change_flag, &change, &how), 0);
        for (uint64_t key = start; key <= last; key++) {
            flags->wanted[index][key] = change.set;
        }
    }
}

TEST_CASE(window, no_flag_is_lost)
{
    struct flags flags = {.map = NULL};

    REQUIRE_EQ(rangemap_create(NULL, &flags.map), 0);
    REQUIRE_EQ(rangemap_insert(flags.map, 0, KEYS - 1, NULL, NULL), 0);
    for (unsigned round = 0; round < 5 * test_scale(); round++) {
        crew_run(2, set_flags, &flags);
        for (uint64_t key = 0; key < KEYS; key++) {
            void *value = NULL;

            REQUIRE_EQ(rangemap_lookup(flags.map, key, &value), 0);
            REQUIRE_EQ(number(value), flags.wanted[0][key] + 2U * flags.wanted[1][key], "key %d", (int)key);
        }
    }
    require_valid(flags.map, "after flags");
    CHECK_EQ(rangemap_destroy(flags.map), 0);
}

/* ---- a table of several ranges that becomes another ---- */

struct table {
    struct rangemap *map;
    atomic_bool over;
    atomic_uint views;
};

enum { TABLES = 20000 };

/* A generation's table: it covers the same keys with one range more or less. */
static size_t make_table(uint64_t generation, struct rangemap_entry *row)
{
    size_t count = 2 + generation % 3;

    for (size_t i = 0; i < count; i++) {
        row[i] = (struct rangemap_entry){300 * i / count, 300 * (i + 1) / count - 1, word(generation)};
    }
    return count;
}

static void change_tables(struct table *table)
{
    struct rangemap_entry row[4], before[4];
    size_t count = make_table(0, before);

    for (uint64_t generation = 1; generation < TABLES; generation++) {
        const struct rangemap_rewrite how = {.if_same = true, .expected = before, .expected_count = count};
        size_t now = make_table(generation, row);

        REQUIRE_EQ(rangemap_splice(table->map, 0, 299, row, now, &how), 0);
        count = make_table(generation, before);
    }
    atomic_store(&table->over, true);
}

/* All of one generation, without a hole. */
static void view_table(const struct table *table)
{
    struct rangemap_snapshot snapshot;
    struct rangemap_cursor cursor;
    struct rangemap_entry entry;
    uint64_t next = 0, generation = UINT64_MAX;

    REQUIRE_EQ(rangemap_snapshot_begin(table->map, &snapshot), 0);
    REQUIRE_EQ(rangemap_cursor_init_at(&cursor, &snapshot, 0, 299), 0);
    while (rangemap_cursor_next(&cursor, &entry) == 0) {
        REQUIRE_EQ(entry.start, next);
        REQUIRE(generation == UINT64_MAX || generation == number(entry.value));
        generation = number(entry.value);
        next = entry.last + 1;
    }
    REQUIRE_EQ(next, 300u);
    rangemap_snapshot_end(&snapshot);
}

static void change_or_view(unsigned index, void *context)
{
    struct table *table = context;

    if (index == 0) {
        change_tables(table);
    }
    while (!atomic_load(&table->over) && !crew_is_broken()) {
        view_table(table);
        REQUIRE_EQ(rangemap_lookup(table->map, 150, NULL), 0);
        atomic_fetch_add(&table->views, 1);
    }
}

TEST_CASE(window, no_table_is_half_changed)
{
    struct table table = {.map = NULL};
    struct rangemap_entry row[4];
    size_t count = make_table(0, row);

    REQUIRE_EQ(rangemap_create(NULL, &table.map), 0);
    REQUIRE_EQ(rangemap_load(table.map, row, count, NULL), 0);
    crew_run(3, change_or_view, &table);
    printf("%u views of %d tables\n", atomic_load(&table.views), TABLES);
    CHECK_EQ(rangemap_destroy(table.map), 0);
}

/* ---- only if it is still mine ---- */

static void own_or_take(unsigned index, void *context)
{
    struct rangemap *map = context;

    for (uint64_t i = 1; i < 20000; i++) {
        void *mine = word(i << 8 | index);
        int result = rangemap_insert(map, 100, 199, mine, NULL);

        if (index == 0) { /* the taker */
            REQUIRE_EQ(rangemap_store(map, 100, 199, mine, NULL, NULL), 0);
            REQUIRE_EQ(rangemap_carve_value(map, 0, 1000, mine, NULL, NULL), 0);
        } else if (result == 0) {
            void *actual = mine;

            result = rangemap_erase_value(map, 100, 199, mine, &actual);
            REQUIRE(result == 0 || result == -ENOENT || (result == -ESTALE && actual != mine));
        }
        REQUIRE_NE(rangemap_erase_value(map, 100, 199, mine, NULL), index == 0 ? -EINVAL : 0);
    }
}

TEST_CASE(window, erases_only_what_is_ones_own)
{
    struct rangemap *map = NULL;

    REQUIRE_EQ(rangemap_create(NULL, &map), 0);
    crew_run(3, own_or_take, map);
    require_valid(map, "after erasures");
    CHECK_EQ(rangemap_destroy(map), 0);
}

/* ---- wide windows ---- */

static struct rangemap *loaded(struct rangemap_domain *domain, size_t ranges)
{
    const struct rangemap_options options = {.domain = domain};
    struct rangemap_entry *entries = calloc(ranges, sizeof *entries);
    struct rangemap *map = NULL;

    REQUIRE(entries != NULL);
    for (size_t i = 0; i < ranges; i++) {
        entries[i] = (struct rangemap_entry){STEP * i, STEP * i + STEP / 2, word(1)};
    }
    REQUIRE_EQ(rangemap_create(&options, &map), 0);
    REQUIRE_EQ(rangemap_load(map, entries, ranges, NULL), 0);
    free(entries);
    return map;
}

static int increment(const struct rangemap_entry *part, const struct rangemap_entry *whole, void **value,
                     void *context)
{
    (void)whole;
    (void)context;
    *value = word(number(part->value) + 1);
    return RANGEMAP_SET;
}

static struct rangemap_domain_statistics statistics_of(struct rangemap_domain *domain)
{
    struct rangemap_domain_statistics statistics;

    REQUIRE_EQ(rangemap_domain_stats(domain, &statistics), 0);
    return statistics;
}

/* Memory in proportion, and back again in shares: no small update afterwards pays for all of it at once. */
TEST_CASE(window, of_a_million_ranges)
{
    enum { MILLION = 1000000 };
    struct rangemap_domain *domain = NULL;
    struct rangemap *map;
    uint64_t before, after;
    unsigned updates = 0;

    REQUIRE_EQ(rangemap_domain_create(NULL, &domain), 0);
    map = loaded(domain, MILLION);
    before = statistics_of(domain).node_bytes;
    REQUIRE_EQ(rangemap_read_begin(map), 0); /* nothing is reclaimed meanwhile */
    REQUIRE_EQ(rangemap_update(map, 0, UINT64_MAX, increment, NULL, NULL), 0);
    after = statistics_of(domain).node_bytes;
    CHECK_LE(after, before * 2 + before / 4);
    rangemap_read_end(map);
    while (statistics_of(domain).node_bytes > before + before / 4) {
        REQUIRE_EQ(
            rangemap_store(map, STEP * (updates % MILLION), STEP * (updates % MILLION), word(2), NULL, NULL),
            0);
        REQUIRE_LT(updates++, 10000000u, "never reclaimed");
    }
    printf("%llu bytes of nodes, %llu beside the rewrite; reclaimed by %u small updates\n",
           (unsigned long long)before, (unsigned long long)after, updates);
    CHECK_GE(updates, 100u, "reclaimed all at once");
    require_valid(map, "after a rewrite");
    CHECK_EQ(rangemap_destroy(map), 0);
    CHECK_EQ(rangemap_domain_destroy(domain), 0);
}

struct wide {
    struct rangemap *map;
    unsigned ranges, writes; /* of each writer */
    atomic_uint writing, rewriting;
    atomic_uint beside; /* small updates that ended while a rewrite was on its way */
    unsigned rewrites;
};

/* The rewrite does not go on before a small update has ended: whoever is late, at least one ends beside it. */
static int increment_beside(const struct rangemap_entry *part, const struct rangemap_entry *whole,
                            void **value, void *context)
{
    struct wide *wide = context;

    while (atomic_load(&wide->beside) == 0 && !crew_is_broken()) {
        (void)sched_yield();
    }
    return increment(part, whole, value, NULL);
}

/* One thread rewrites the whole of the map; the others update its inside as soon as it has begun. */
static void rewrite_or_write(unsigned index, void *context)
{
    struct wide *wide = context;
    struct prng random = prng_stream(test_seed(), index);

    while (index > 0 && atomic_load(&wide->rewriting) == 0 && !crew_is_broken()) {
        (void)sched_yield();
    }
    for (unsigned i = 0; index > 0 && i < wide->writes; i++) {
        uint64_t start = STEP * prng_below(&random, wide->ranges);

        REQUIRE_EQ(rangemap_store(wide->map, start + STEP - 1, start + STEP - 1, word(i), NULL, NULL), 0);
        atomic_fetch_add(&wide->beside, atomic_load(&wide->rewriting));
    }
    atomic_fetch_sub(&wide->writing, index > 0);
    while (index == 0 && !crew_is_broken()) {
        bool last = atomic_load(&wide->writing) == 0;

        atomic_store(&wide->rewriting, 1);
        REQUIRE_EQ(rangemap_update(wide->map, 0, UINT64_MAX, increment_beside, wide, NULL), 0);
        atomic_store(&wide->rewriting, 0);
        wide->rewrites++;
        if (last) {
            return;
        }
    }
}

/* It starves as long as they write, and they never do. */
static void beside_writers(unsigned writers, unsigned ranges, unsigned writes)
{
    struct rangemap_domain *domain = NULL;
    struct wide wide = {.ranges = ranges, .writes = writes, .writing = writers};

    REQUIRE_EQ(rangemap_domain_create(NULL, &domain), 0);
    wide.map = loaded(domain, ranges);
    crew_run(1 + writers, rewrite_or_write, &wide);
    printf("%u ranges rewritten %u times beside %u writers of %u updates each, %u meanwhile: %llu attempts "
           "in vain, of all\n",
           ranges, wide.rewrites, writers, writes, atomic_load(&wide.beside),
           (unsigned long long)statistics_of(domain).retries);
    CHECK_GE(wide.rewrites, 1u);
    CHECK_GE(atomic_load(&wide.beside), 1u, "no small update ended during a rewrite");
    require_valid(wide.map, "after rewrites");
    CHECK_EQ(rangemap_destroy(wide.map), 0);
    CHECK_EQ(rangemap_domain_destroy(domain), 0);
}

TEST_CASE(window, wide_beside_one_writer)
{
    beside_writers(1, 65536, 20000);
}

TEST_CASE(window, wide_beside_two_writers)
{
    beside_writers(2, 65536, 20000);
}

TEST_CASE(window, of_a_million_beside_two_writers)
{
    beside_writers(2, 1000000, 2000);
}
