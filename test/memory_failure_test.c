// SPDX-License-Identifier: BSD-2-Clause
/*
 * Chunks that can't be had. An update that fails with -ENOMEM leaves the map as it was, later ones succeed,
 * what was reserved is there, and nothing leaks.
 */
#include <errno.h>
#include <stdlib.h>

#include "rangemap/rangemap.h"
#include "test/check/chunk_source.h"
#include "test/check/compare.h"
#include "test/check/crew.h"
#include "test/check/guests.h"
#include "test/check/updates.h"
#include "test/shim/ctest.h"

static struct chunk_source *new_source(void)
{
    struct chunk_source *source = malloc(sizeof *source);

    REQUIRE(source != NULL);
    chunk_source_init(source);
    return source;
}

/* No node is left when there is no map, and nothing at all of a domain that was destroyed. */
static void finish(struct rangemap_domain *domain, struct chunk_source *source)
{
    struct rangemap_domain_statistics statistics;

    CHECK_EQ(rangemap_domain_barrier(domain), 0);
    CHECK_EQ(rangemap_domain_stats(domain, &statistics), 0);
    CHECK_EQ(statistics.node_bytes, 0u, "nodes leaked");
    CHECK_EQ(rangemap_domain_destroy(domain), 0);
    CHECK_EQ(source->live, 0u, "chunks leaked");
    CHECK_EQ(source->bytes, 0u);
    CHECK_EQ(source->breaches, 0u);
    free(source);
}

/* One update, tried again if it fails; returns how often it did. */
static unsigned failures_of(struct updates *updates, enum update_kind kind)
{
    if (updates_do(updates, kind) == 0) {
        return 0;
    }
    updates_compare(updates, update_name(kind));
    REQUIRE_EQ(updates_do(updates, kind), 0, "the allocator works again");
    return 1;
}

/* Enough updates to make the domain ask for several chunks: the old nodes are kept by a section. */
static unsigned use_memory(struct updates *updates)
{
    unsigned failures = 0;

    while (rangemap_read_begin(updates->map) == -ENOMEM) {
        REQUIRE_EQ(failures++, 0u);
    }
    for (unsigned i = 0; i < 6000; i++) {
        failures += failures_of(updates, (enum update_kind)(i % UPDATE_KINDS));
    }
    rangemap_read_end(updates->map);
    updates_compare(updates, "after all updates");
    return failures;
}

/* A whole life of a domain and a map in which the n-th chunk is refused. */
static unsigned life(unsigned n, unsigned *calls)
{
    struct chunk_source *source = new_source();
    const struct rangemap_domain_options options = {.chunks = &source->allocator};
    struct rangemap_domain *domain = NULL;
    struct updates updates;
    unsigned failures = 0;

    source->fail_at = n;
    while (rangemap_domain_create(&options, &domain) == -ENOMEM) {
        REQUIRE_EQ(source->live, 0u);
        REQUIRE_EQ(failures++, 0u);
    }
    while (updates_init(&updates, domain, 2000) == -ENOMEM) {
        REQUIRE_EQ(failures++, 0u);
    }
    while (updates_fill(&updates) == -ENOMEM) {
        updates_compare(&updates, "after a failed load");
        REQUIRE_EQ(failures++, 0u);
    }
    failures += use_memory(&updates);
    CHECK_LE(failures, source->refused);
    *calls = source->calls;
    updates_free(&updates);
    finish(domain, source);
    return failures;
}

TEST_CASE(memory_failure, each_chunk_in_turn)
{
    unsigned calls = 1;
    unsigned failures = 0;
    unsigned n;

    for (n = 1; n <= calls; n++) {
        failures += life(n, &calls);
    }
    CHECK_GE(n, 5u, "the test must make the domain ask for more chunks");
    CHECK_GE(failures, 3u, "the test must see -ENOMEM");
}

/* Repeats updates of one kind until memory has run out. */
static void exhaust(struct updates *updates, enum update_kind kind)
{
    unsigned done = 0;

    while (updates_do(updates, kind) == 0) {
        REQUIRE_LT(done++, 100000u, "%s never runs out of memory", update_name(kind));
    }
    updates_compare(updates, update_name(kind));
}

TEST_CASE(memory_failure, every_kind_of_update)
{
    struct chunk_source *source = new_source();
    struct rangemap_domain *domain = chunk_source_domain(source);
    struct updates updates;

    REQUIRE_EQ(updates_init(&updates, domain, 1501), 0);
    REQUIRE_EQ(updates_fill(&updates), 0);
    for (unsigned round = 0; round < 3; round++) {
        REQUIRE_EQ(rangemap_read_begin(updates.map), 0);
        source->fail_all = true;
        for (unsigned kind = 0; kind < UPDATE_KINDS; kind++) {
            exhaust(&updates, (enum update_kind)((kind + round * 3) % UPDATE_KINDS));
        }
        CHECK_EQ(rangemap_reserve(updates.map, 100000), -ENOMEM);
        updates_compare(&updates, "nothing reserved");
        source->fail_all = false;
        for (unsigned kind = 0; kind < UPDATE_KINDS; kind++) {
            CHECK_EQ(updates_do(&updates, (enum update_kind)kind), 0, "failure is not for ever");
        }
        rangemap_read_end(updates.map);
        CHECK_EQ(rangemap_domain_barrier(domain), 0);
    }
    updates_free(&updates);
    finish(domain, source);
}

/*
 * No failure is for ever: what updates left behind is enough to go on with, without any new chunk, once the
 * section ends. Updates do not wait for reclamation, so now and then a barrier has to: how often depends on what
 * was left of the last slabs.
 */
TEST_CASE(memory_failure, reclaimed_memory_serves_updates)
{
    struct chunk_source *source = new_source();
    struct rangemap_domain *domain = chunk_source_domain(source);
    struct updates updates;
    unsigned barriers = 0;

    REQUIRE_EQ(updates_init(&updates, domain, 1500), 0);
    REQUIRE_EQ(updates_fill(&updates), 0);
    REQUIRE_EQ(rangemap_read_begin(updates.map), 0);
    source->fail_all = true;
    exhaust(&updates, UPDATE_REPLACE);
    rangemap_read_end(updates.map);
    for (unsigned i = 0; i < 5000; i++) {
        if (updates_do(&updates, UPDATE_REPLACE) == -ENOMEM) {
            REQUIRE_EQ(rangemap_domain_barrier(domain), 0);
            REQUIRE_EQ(updates_do(&updates, UPDATE_REPLACE), 0, "update %u", i);
            barriers++;
        }
    }
    CHECK_LE(barriers, 1000u);
    updates_compare(&updates, "after updates without chunks");
    updates_free(&updates);
    finish(domain, source);
}

/* `count` updates of a kind after as many were reserved, with nothing more to be had. */
static void spend(struct updates *updates, struct chunk_source *source, unsigned count, unsigned kind)
{
    REQUIRE_EQ(rangemap_read_begin(updates->map), 0);
    source->fail_all = true;
    for (unsigned left = 0; left < UPDATE_KINDS; left++) {
        exhaust(updates, (enum update_kind)left);
    }
    source->fail_all = false;
    REQUIRE_EQ(rangemap_reserve(updates->map, count), 0);
    source->fail_all = true;
    for (unsigned i = 0; i < count; i++) {
        enum update_kind chosen = (enum update_kind)(kind == UPDATE_RESERVED ? i % UPDATE_RESERVED : kind);

        REQUIRE_EQ(updates_do(updates, chosen), 0, "%s %u of %u", update_name(chosen), i, count);
    }
    source->fail_all = false;
    rangemap_read_end(updates->map);
    CHECK_EQ(rangemap_domain_barrier(rangemap_domain_of(updates->map)), 0);
}

TEST_CASE(memory_failure, reserved_updates_do_not_fail)
{
    static const unsigned count[] = {1, 2, 10, 100, 1000};

    for (unsigned kind = 0; kind <= UPDATE_RESERVED; kind++) {
        struct chunk_source *source = new_source();
        struct rangemap_domain *domain = chunk_source_domain(source);
        struct updates updates;

        REQUIRE_EQ(updates_init(&updates, domain, 3000), 0);
        REQUIRE_EQ(updates_fill(&updates), 0);
        for (unsigned i = 0; i < sizeof count / sizeof count[0]; i++) {
            spend(&updates, source, count[i], kind);
        }
        updates_compare(&updates, "after reserved updates");
        updates_free(&updates);
        finish(domain, source);
    }
}

struct newcomer {
    struct rangemap *map;
    struct chunk_source *source;
    unsigned refused;
};

/* A first use without memory either works or says so, and works later. */
static void come_without_memory(unsigned index, void *context)
{
    struct newcomer *newcomer = context;
    int result;

    (void)index;
    newcomer->source->fail_all = true;
    result = rangemap_lookup(newcomer->map, 0, NULL);
    CHECK(result == 0 || result == -ENOMEM, "%d", result);
    result = rangemap_store(newcomer->map, 0, 0, NULL, NULL, NULL);
    CHECK(result == 0 || result == -ENOMEM, "%d", result);
    newcomer->source->fail_all = false;
    CHECK_EQ(rangemap_lookup(newcomer->map, 0, NULL), 0);
    CHECK_EQ(rangemap_store(newcomer->map, 0, 0, NULL, NULL, NULL), 0);
}

TEST_CASE(memory_failure, a_new_thread)
{
    struct newcomer newcomer = {.source = new_source()};
    struct rangemap_domain *domain = chunk_source_domain(newcomer.source);
    const struct rangemap_options options = {.domain = domain};

    REQUIRE_EQ(rangemap_create(&options, &newcomer.map), 0);
    REQUIRE_EQ(rangemap_insert(newcomer.map, 0, 9, NULL, NULL), 0);
    for (unsigned i = 0; i < 50; i++) {
        crew_run(1, come_without_memory, &newcomer);
    }
    CHECK_EQ(rangemap_destroy(newcomer.map), 0);
    finish(domain, newcomer.source);
}

/* ---- more threads than one page of the domain's roster has places ---- */

enum { LARGE = 12 }; /* ranges that make a leaf of the largest size */

/* Uses up nodes of the size of the map's leaf; the caller's section keeps what is replaced. */
static void use_up(struct rangemap *map)
{
    for (uintptr_t i = 0; rangemap_store(map, 0, 0, (void *)i, NULL, NULL) == 0; i++) {
    }
}

static struct rangemap *new_leaf(struct rangemap_domain *domain, unsigned ranges)
{
    const struct rangemap_options options = {.domain = domain};
    struct rangemap *map = NULL;

    REQUIRE_EQ(rangemap_create(&options, &map), 0);
    for (unsigned i = 0; i < ranges; i++) {
        REQUIRE_EQ(rangemap_insert(map, i, i, NULL, NULL), 0);
    }
    return map;
}

static void come_when_there_is_nothing(unsigned index, void *context)
{
    struct newcomer *newcomer = context;
    struct rangemap_domain *domain = rangemap_domain_of(newcomer->map);

    (void)index;
    for (unsigned i = 0; i < 3; i++) {
        int result = rangemap_domain_attach(domain);

        CHECK(result == 0 || result == -ENOMEM, "%d", result);
        CHECK_EQ(rangemap_domain_is_attached(domain), result == 0);
        CHECK_EQ(rangemap_lookup(newcomer->map, 0, NULL), result);
        newcomer->refused += result != 0;
    }
    newcomer->source->fail_all = false;
    CHECK_EQ(rangemap_domain_attach(domain), 0);
    CHECK_EQ(rangemap_lookup(newcomer->map, 0, NULL), 0);
}

/* Beside so many others. Returns how often it was refused. */
static unsigned come_beside(unsigned others)
{
    struct newcomer newcomer = {.source = new_source()};
    struct rangemap_domain *domain = chunk_source_domain(newcomer.source);
    struct rangemap *small = new_leaf(domain, 1);
    struct guests guests;

    newcomer.map = new_leaf(domain, LARGE);
    guests_come(&guests, domain, others);
    REQUIRE_EQ(rangemap_domain_read_begin(domain), 0);
    newcomer.source->fail_all = true;
    use_up(newcomer.map);
    use_up(small);
    crew_run(1, come_when_there_is_nothing, &newcomer);
    rangemap_domain_read_end(domain);
    guests_leave(&guests);
    CHECK_EQ(rangemap_destroy(newcomer.map), 0);
    CHECK_EQ(rangemap_destroy(small), 0);
    CHECK_EQ(rangemap_domain_destroy(domain), 0);
    CHECK_EQ(newcomer.source->live, 0u);
    free(newcomer.source);
    return newcomer.refused;
}

/* In the build of small nodes no leaf is as large as a page, so what is left of that size cannot be used up. */
static bool has_small_leaves(void)
{
    struct rangemap *map = new_leaf(NULL, LARGE);
    struct rangemap_statistics statistics;

    REQUIRE_EQ(rangemap_stats(map, &statistics), 0);
    CHECK_EQ(rangemap_destroy(map), 0);
    return statistics.leaves > 1;
}

TEST_CASE(memory_failure, a_new_thread_for_which_the_roster_must_grow)
{
    unsigned refused = 0;

    for (unsigned others = 40; others < 50; others++) { /* its first page has 46 places */
        refused += come_beside(others) > 0;
    }
    CHECK_LE(refused, 1u, "once there is a second page it has room");
    CHECK(refused > 0 || has_small_leaves());
}
