// SPDX-License-Identifier: BSD-2-Clause
/*
 * Memory that runs out at each request in turn, in every kind of update on maps of every shape. The domain may
 * have one chunk less than it takes, and other updates use up what there is, down to two cache lines, the size of
 * the smallest node: so the end comes at every request that an update makes. Then the map is as it was, the
 * same update succeeds once memory can be had, and nothing leaks.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "rangemap/rangemap.h"
#include "test/check/chunk_source.h"
#include "test/check/compare.h"
#include "test/check/updates.h"
#include "test/shim/ctest.h"

/* Beyond the updates of updates.h. */
enum { LOAD = UPDATE_KINDS, CREATE, KINDS };

enum { FILLS_MAX = 100000 };

static struct {
    struct chunk_source source;
    struct rangemap_domain *domain;
    struct rangemap *filler;
    struct updates updates;
} life;

static uint64_t failures, lives;

/* Uses up the smallest piece of memory; what it replaces is kept by the section. */
static int fill(uint64_t i)
{
    return rangemap_store(life.filler, 0, 0, (void *)(uintptr_t)i, NULL, NULL);
}

static void begin(uint64_t rows, bool loaded)
{
    struct rangemap_options options = {.domain = NULL};

    chunk_source_init(&life.source);
    life.domain = options.domain = chunk_source_domain(&life.source);
    REQUIRE_EQ(rangemap_create(&options, &life.filler), 0);
    REQUIRE_EQ(updates_init(&life.updates, life.domain, rows), 0);
    if (loaded) {
        REQUIRE_EQ(updates_fill(&life.updates), 0);
    }
    REQUIRE_EQ(rangemap_domain_read_begin(life.domain), 0);
    life.source.fail_all = true;
}

static void end(void)
{
    struct rangemap_domain_statistics statistics;

    rangemap_domain_read_end(life.domain);
    CHECK_EQ(rangemap_destroy(life.filler), 0);
    updates_free(&life.updates);
    CHECK_EQ(rangemap_domain_barrier(life.domain), 0);
    CHECK_EQ(rangemap_domain_stats(life.domain, &statistics), 0);
    CHECK_EQ(statistics.node_bytes, 0u, "nodes leaked");
    CHECK_EQ(rangemap_domain_destroy(life.domain), 0);
    CHECK_EQ(life.source.live, 0u, "chunks leaked");
    lives++;
}

/* The same one in each life: the updates draw from a stream that begins anew. */
static int perform(unsigned kind)
{
    const struct rangemap_options options = {.domain = life.domain};
    struct rangemap *map = NULL;
    int result;

    if (kind == LOAD) {
        return updates_fill(&life.updates);
    }
    if (kind == CREATE) {
        result = rangemap_create(&options, &map);
        CHECK_EQ(map != NULL, result == 0);
        CHECK_EQ(rangemap_destroy(map), 0);
        return result;
    }
    return updates_do(&life.updates, (enum update_kind)kind);
}

static const char *name_of(unsigned kind)
{
    return kind == LOAD ? "load" : kind == CREATE ? "create" : update_name((enum update_kind)kind);
}

/* How many fills there is room for. */
static uint64_t measure(uint64_t rows, bool loaded)
{
    uint64_t fills = 0;

    begin(rows, loaded);
    while (fill(fills) == 0) {
        REQUIRE_LT(fills++, (uint64_t)FILLS_MAX);
    }
    life.source.fail_all = false;
    end();
    return fills;
}

/* Whether the update failed that comes after so many fills. */
static bool fails_after(uint64_t fills, uint64_t rows, unsigned kind)
{
    struct prng random;
    int result;

    begin(rows, kind != LOAD);
    for (uint64_t i = 0; i < fills; i++) {
        REQUIRE_EQ(fill(i), 0);
    }
    random = life.updates.random;
    result = perform(kind);
    REQUIRE(result == 0 || result == -ENOMEM, "%s: %d", name_of(kind), result);
    updates_compare(&life.updates, name_of(kind));
    life.source.fail_all = false;
    if (result != 0) {
        life.updates.random = random;
        REQUIRE_EQ(perform(kind), 0, "%s with memory", name_of(kind));
        updates_compare(&life.updates, name_of(kind));
    }
    failures += result != 0;
    end();
    return result != 0;
}

/* From a full domain downwards, until the update needs no more than there is; and some lives beyond. */
static void run_out_in(unsigned kind, uint64_t rows)
{
    uint64_t fills = measure(rows, kind != LOAD);
    unsigned succeeded = 0;

    while (succeeded < 3 && fills > 0) {
        succeeded += !fails_after(fills--, rows, kind);
    }
    CHECK_EQ(succeeded, 3u, "%s of %" PRIu64 " rows needs a whole chunk", name_of(kind), rows);
}

/* Around the sizes of full leaves and of full inner nodes, small and real. */
TEST_CASE(memory_failure_table, each_request_of_each_update_on_each_shape)
{
    static const uint64_t shape[] = {1, 2, 3, 4, 9, 10, 15, 16, 27, 30, 100, 225, 240};

    failures = lives = 0;
    for (unsigned kind = 0; kind < KINDS; kind++) {
        for (unsigned i = 0; i < sizeof shape / sizeof shape[0]; i++) {
            run_out_in(kind, shape[i]);
        }
    }
    printf("%" PRIu64 " failures in %" PRIu64 " lives\n", failures, lives);
    CHECK_GE(failures, (uint64_t)KINDS, "nothing failed");
}
