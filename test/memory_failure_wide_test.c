// SPDX-License-Identifier: BSD-2-Clause
/*
 * Memory that runs out in the middle of updates that replace a thousand leaves: also far beyond what an update of one
 * range builds, and with as much as you like in hand. All of it comes back, at once; and the map is as it was.
 */
#include <errno.h>

#include "rangemap/rangemap.h"
#include "test/check/chunk_source.h"
#include "test/check/compare.h"
#include "test/shim/ctest.h"

enum { RANGES = 1800, STRIDE = 10, LAST = RANGES * STRIDE - 1, LIVES = 20, STEP = 240 };

static struct {
    struct chunk_source source;
    struct rangemap_domain *domain;
    struct rangemap *filler, *map;
    struct rangemap_entry entries[RANGES];
    struct rangemap_snapshot snapshot;
    struct entry_list before;
    unsigned told; /* ranges, by the update at hand */
} life;

/* ---- wide updates ---- */

static int set_each(const struct rangemap_entry *part, const struct rangemap_entry *whole, void **value,
                    void *context)
{
    (void)part;
    (void)context;
    life.told++;
    *value = (char *)whole->value + 1;
    return RANGEMAP_SET;
}

static int drop_each_third(const struct rangemap_entry *part, const struct rangemap_entry *whole,
                           void **value, void *context)
{
    (void)value;
    (void)whole;
    (void)context;
    life.told++;
    return part->start % (STRIDE * 3) == 0 ? RANGEMAP_DROP : RANGEMAP_KEEP;
}

static int set_all(void)
{
    return rangemap_update(life.map, 0, LAST, set_each, NULL, NULL);
}

static int thin_out(void)
{
    return rangemap_update(life.map, 0, LAST, drop_each_third, NULL, NULL);
}

static int splice_all(void)
{
    return rangemap_splice(life.map, 0, LAST, life.entries, RANGES, NULL);
}

static int clone_all(void)
{
    return rangemap_clone(life.map, &life.snapshot, 0, LAST, NULL, NULL);
}

static const struct kind {
    const char *name;
    int (*perform)(void);
} kinds[] = {
    {"set all", set_all}, {"thin out", thin_out}, {"splice all", splice_all}, {"clone all", clone_all}};

/* ---- a life ---- */

static uint64_t node_bytes(void)
{
    struct rangemap_domain_statistics statistics;

    REQUIRE_EQ(rangemap_domain_stats(life.domain, &statistics), 0);
    return statistics.node_bytes;
}

static void begin(bool gaps)
{
    struct rangemap_options options = {.track_gaps = gaps};

    chunk_source_init(&life.source);
    life.domain = options.domain = chunk_source_domain(&life.source);
    REQUIRE_EQ(rangemap_create(&options, &life.filler), 0);
    REQUIRE_EQ(rangemap_create(&options, &life.map), 0);
    for (uint64_t i = 0; i < RANGES; i++) {
        life.entries[i] =
            (struct rangemap_entry){i * STRIDE, i * STRIDE + STRIDE / 2, (void *)(uintptr_t)(i + 1)};
    }
    REQUIRE_EQ(rangemap_load(life.map, life.entries, RANGES, NULL), 0);
    collect(life.map, 0, UINT64_MAX, &life.before);
    REQUIRE_EQ(rangemap_domain_barrier(life.domain), 0);
}

static void end(void)
{
    CHECK_EQ(rangemap_destroy(life.filler), 0);
    CHECK_EQ(rangemap_destroy(life.map), 0);
    CHECK_EQ(rangemap_domain_barrier(life.domain), 0);
    CHECK_EQ(node_bytes(), 0u, "nodes leaked");
    CHECK_EQ(rangemap_domain_destroy(life.domain), 0);
    CHECK_EQ(life.source.live, 0u, "chunks leaked");
    entry_list_free(&life.before);
}

/* The update, once so many small pieces of memory were used up, and no new chunk is to be had. */
static int attempt(const struct kind *kind, uint64_t fills)
{
    uint64_t bytes;
    int error;

    REQUIRE_EQ(rangemap_domain_read_begin(life.domain), 0); /* keeps what is replaced */
    REQUIRE_EQ(rangemap_snapshot_begin(life.map, &life.snapshot), 0);
    for (uint64_t i = 0; i < fills; i++) {
        REQUIRE_EQ(rangemap_store(life.filler, 0, 0, (void *)(uintptr_t)i, NULL, NULL), 0);
    }
    life.source.fail_all = true;
    bytes = node_bytes();
    life.told = 0;
    error = kind->perform();
    if (error != 0) {
        CHECK_EQ(node_bytes(), bytes, "%s: nodes are kept after %u ranges", kind->name, life.told);
    }
    life.source.fail_all = false;
    rangemap_snapshot_end(&life.snapshot);
    rangemap_domain_read_end(life.domain);
    return error;
}

/* With more or less left of the last chunk. Returns how many ranges the update had seen that failed last. */
static unsigned run_out_in(const struct kind *kind, bool gaps)
{
    unsigned deepest = 0, failures = 0;

    for (uint64_t i = 0; i < LIVES; i++) {
        int error;

        begin(gaps);
        error = attempt(kind, i * STEP);
        REQUIRE(error == 0 || error == -ENOMEM, "%s: %d", kind->name, error);
        if (error != 0) {
            failures++;
            deepest = life.told > deepest ? life.told : deepest;
            require_same_map(life.map, &life.before, kind->name);
        }
        end();
    }
    CHECK_GT(failures, (unsigned)LIVES / 4, "%s", kind->name);
    return deepest;
}

TEST_CASE(memory_failure_wide, all_of_it_comes_back)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        for (unsigned gaps = 0; gaps < 2; gaps++) {
            unsigned deepest = run_out_in(&kinds[i], gaps != 0);

            CHECK(deepest == 0 || deepest > RANGES / 2, "%s", kinds[i].name);
        }
    }
}
