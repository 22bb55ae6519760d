// SPDX-License-Identifier: BSD-2-Clause
/*
 * What rangemap_reserve() sets aside is there in fact, page by page; is enough, for any kind of update; counts when
 * more is reserved; and costs in proportion.
 */
#define _GNU_SOURCE /* mincore, MAP_ANONYMOUS */
#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "rangemap/rangemap.h"
#include "test/check/crew.h"
#include "test/check/updates.h"
#include "test/shim/ctest.h"

enum { KIB = 1024, MIB = 1024 * 1024, AREA = 64 * MIB };

/* Chunks from one mapping, one after the other; the kernel tells which of its pages are there. */
static struct area {
    char *start;
    size_t used;
    unsigned calls;
    bool refuses;
} area;

static void *take(size_t bytes, size_t alignment, void *context)
{
    size_t at = (area.used + alignment - 1) & ~(alignment - 1);

    (void)context;
    area.calls++;
    if (area.refuses || at + bytes > AREA) {
        return NULL;
    }
    area.used = at + bytes;
    return area.start + at;
}

/* It is all unmapped in the end. */
static void give(void *chunk, size_t bytes, void *context)
{
    (void)chunk;
    (void)bytes;
    (void)context;
}

static uint64_t resident_bytes(void)
{
    static unsigned char page[AREA / 4096];
    uint64_t bytes = 0, size = (uint64_t)sysconf(_SC_PAGESIZE);

    REQUIRE_EQ(mincore(area.start, AREA, page), 0);
    for (uint64_t i = 0; i < AREA / size; i++) {
        bytes += (page[i] & 1) * size;
    }
    return bytes;
}

static struct rangemap_domain *begin(void)
{
    static const struct rangemap_chunk_allocator chunks = {take, give, NULL};
    const struct rangemap_domain_options options = {.chunks = &chunks};
    struct rangemap_domain *domain;
    char *wide = mmap(NULL, AREA + 2 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    REQUIRE(wide != MAP_FAILED);
    memset(&area, 0, sizeof area);
    area.start = wide + (-(uintptr_t)wide & (2 * MIB - 1));
    (void)madvise(area.start, AREA, MADV_NOHUGEPAGE);
    REQUIRE_EQ(rangemap_domain_create(&options, &domain), 0);
    return domain;
}

static struct rangemap_domain_statistics stats_of(struct rangemap_domain *domain)
{
    struct rangemap_domain_statistics statistics;

    REQUIRE_EQ(rangemap_domain_stats(domain, &statistics), 0);
    return statistics;
}

/* Kept from reclamation by a section, so that nothing comes back. Neither the allocator nor the kernel is asked. */
static void spend_all(unsigned count, uint64_t rows, unsigned kind)
{
    struct rangemap_domain *domain = begin();
    struct updates updates;
    uint64_t resident;
    unsigned calls;

    REQUIRE_EQ(updates_init(&updates, domain, rows), 0);
    REQUIRE_EQ(updates_fill(&updates), 0);
    REQUIRE_EQ(rangemap_domain_barrier(domain), 0);
    REQUIRE_EQ(rangemap_read_begin(updates.map), 0);
    REQUIRE_EQ(rangemap_reserve(updates.map, count), 0);
    calls = area.calls;
    resident = resident_bytes();
    area.refuses = true;
    for (unsigned i = 0; i < count; i++) {
        enum update_kind chosen = (enum update_kind)(kind == UPDATE_KINDS ? i % UPDATE_KINDS : kind);

        REQUIRE_EQ(updates_do(&updates, chosen), 0, "%s %u of %u", update_name(chosen), i, count);
    }
    CHECK_EQ(area.calls, calls, "%s: the allocator was asked", update_name((enum update_kind)kind));
    CHECK_EQ(resident_bytes(), resident, "%s: pages were missing", update_name((enum update_kind)kind));
    area.refuses = false;
    rangemap_read_end(updates.map);
    updates_compare(&updates, "after reserved updates");
    updates_free(&updates);
    CHECK_EQ(rangemap_domain_destroy(domain), 0);
    (void)munmap(area.start, AREA);
}

TEST_CASE(memory_reserve, enough_and_there)
{
    for (unsigned kind = 0; kind < UPDATE_KINDS; kind++) {
        spend_all(1, 100, kind);
        spend_all(60, 3000, kind);
        spend_all(500, 300, kind);
    }
}

/*
 * Rounds of as many as were reserved, or of fewer, whatever the map does: no round costs more memory. 16 KiB are
 * enough for an update of a map of this height, and chunks grow by a quarter.
 */
static void repeat(unsigned reserved, unsigned spent, bool grows)
{
    struct rangemap_domain *domain = begin();
    const struct rangemap_options options = {.domain = domain};
    struct rangemap_domain_statistics first, last;
    struct rangemap *map;
    uint64_t key = 0, most = ((uint64_t)reserved * 16 * KIB + 384 * KIB) * 5 / 4;

    REQUIRE_EQ(rangemap_create(&options, &map), 0);
    REQUIRE_EQ(rangemap_reserve(map, reserved), 0);
    first = stats_of(domain);
    CHECK_LE(first.chunk_bytes, most, "in proportion");
    for (unsigned round = 0; round < 1000; round++) {
        for (unsigned i = 0; i < spent; i++) {
            key = grows ? key + 16 : (key + 16) % 1600;
            REQUIRE_EQ(rangemap_store(map, key, key + 15, NULL, NULL, NULL), 0);
        }
        REQUIRE_EQ(rangemap_reserve(map, reserved), 0);
    }
    last = stats_of(domain);
    CHECK_LE(last.chunk_bytes, most + 3 * last.node_bytes, "%u reserved, %u spent, %s", reserved, spent,
             grows ? "growing" : "steady");
    CHECK_GE(last.cached_bytes, (uint64_t)reserved * 8 * KIB, "a reservation is the thread's");
    (void)rangemap_domain_trim(domain);
    CHECK_LE(stats_of(domain).cached_bytes, 64u * KIB, "and given up");
    CHECK_EQ(rangemap_destroy(map), 0);
    CHECK_EQ(rangemap_domain_destroy(domain), 0);
    (void)munmap(area.start, AREA);
}

TEST_CASE(memory_reserve, again_and_again)
{
    repeat(1, 1, false);
    repeat(64, 1, true);
    repeat(64, 1, false);
    repeat(64, 64, true);
    repeat(64, 64, false);
    repeat(1000, 10, true);
}

/* A small reservation after a large one costs nothing, and several do not add up. */
TEST_CASE(memory_reserve, what_is_there_counts)
{
    struct rangemap_domain *domain = begin();
    const struct rangemap_options options = {.domain = domain};
    struct rangemap *map, *other;
    uint64_t cached;

    REQUIRE_EQ(rangemap_create(&options, &map), 0);
    REQUIRE_EQ(rangemap_create(&options, &other), 0);
    REQUIRE_EQ(rangemap_reserve(map, 100), 0);
    cached = stats_of(domain).cached_bytes;
    area.refuses = true;
    for (unsigned i = 0; i <= 100; i++) {
        REQUIRE_EQ(rangemap_reserve(i % 2 ? map : other, i), 0);
    }
    CHECK_EQ(stats_of(domain).cached_bytes, cached);
    CHECK_EQ(rangemap_reserve(map, 10000), -ENOMEM);
    CHECK_EQ(stats_of(domain).cached_bytes, cached, "nothing reserved that was not before");
    CHECK_EQ(rangemap_destroy(map), 0);
    CHECK_EQ(rangemap_destroy(other), 0);
    CHECK_EQ(rangemap_domain_destroy(domain), 0);
    (void)munmap(area.start, AREA);
}

/* More than there can be is refused at once, and touches nothing. */
TEST_CASE(memory_reserve, beyond_all_memory)
{
    struct rangemap_domain *domain;
    struct rangemap_options options = {0};
    struct rangemap *map;
    uint64_t before;

    REQUIRE_EQ(rangemap_domain_create(NULL, &domain), 0);
    options.domain = domain;
    REQUIRE_EQ(rangemap_create(&options, &map), 0);
    before = stats_of(domain).chunk_bytes;
    CHECK_EQ(rangemap_reserve(map, UINT_MAX), -ENOMEM);
    CHECK_EQ(stats_of(domain).chunk_bytes, before);
    CHECK_EQ(rangemap_reserve(map, 100), 0);
    CHECK_EQ(rangemap_destroy(map), 0);
    CHECK_EQ(rangemap_domain_destroy(domain), 0);
}
