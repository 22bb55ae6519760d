// SPDX-License-Identifier: BSD-2-Clause
/*
 * Memory that waits for readers: that it stays bounded when none stalls, and what the domain reports and does
 * when one does. Of the same rigs, hence its length.
 */
#define RANGEMAP_MUST_CHECK /* nothing: some calls are made whatever comes of them */
#include <errno.h>
#include <inttypes.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rangemap/rangemap.h"
#include "test/check/compare.h"
#include "test/check/crew.h"
#include "test/shim/ctest.h"
#include "test/shim/prng.h"

enum { MIB = 1024 * 1024 };

static struct rangemap *new_map(struct rangemap_domain *domain)
{
    const struct rangemap_options options = {.domain = domain};
    struct rangemap *map = NULL;

    REQUIRE_EQ(rangemap_create(&options, &map), 0);
    return map;
}

static struct rangemap_domain_statistics stats_of(struct rangemap_domain *domain)
{
    struct rangemap_domain_statistics statistics;

    REQUIRE_EQ(rangemap_domain_stats(domain, &statistics), 0);
    return statistics;
}

static void finish(struct rangemap_domain *domain, struct rangemap *map)
{
    CHECK_EQ(rangemap_destroy(map), 0);
    CHECK_EQ(rangemap_domain_destroy(domain), 0);
}

/* A thread that sits in a section until it is told to leave. */
struct stalled {
    struct rangemap_domain *domain;
    struct crew crew;
    atomic_int tid;
    sem_t inside, leave;
};

static void stall(unsigned index, void *context)
{
    struct stalled *stalled = context;

    (void)index;
    REQUIRE_EQ(rangemap_domain_read_begin(stalled->domain), 0);
    stalled->tid = (int)syscall(SYS_gettid);
    sem_post(&stalled->inside);
    sem_wait(&stalled->leave);
    rangemap_domain_read_end(stalled->domain);
}

static void stalled_begin(struct stalled *stalled, struct rangemap_domain *domain)
{
    *stalled = (struct stalled){.domain = domain};
    sem_init(&stalled->inside, 0, 0);
    sem_init(&stalled->leave, 0, 0);
    crew_start(&stalled->crew, 1, stall, stalled);
    sem_wait(&stalled->inside);
}

static void stalled_end(struct stalled *stalled)
{
    sem_post(&stalled->leave);
    crew_join(&stalled->crew);
    sem_destroy(&stalled->inside);
    sem_destroy(&stalled->leave);
}

/* UCX: 40,000 munmap notifications. Nobody reads, so nothing may pile up. */
TEST_CASE(memory_pressure, notifications_stay_bounded)
{
    struct rangemap_domain *domain = NULL;
    struct rangemap *map;
    uint64_t most = 0;
    uint64_t settled = 0;
    unsigned rounds = 40000 * test_scale();

    REQUIRE_EQ(rangemap_domain_create(NULL, &domain), 0);
    map = new_map(domain);
    for (unsigned i = 0; i < rounds; i++) {
        uint64_t start = prng_mix(i) % 1000 * 4096;

        REQUIRE_EQ(rangemap_store(map, start, start + 9999, NULL, NULL, NULL), 0);
        REQUIRE_EQ(rangemap_carve(map, start, start + 9999, NULL, NULL), 0);
        if (i % 100 == 0) {
            struct rangemap_domain_statistics now = stats_of(domain);

            most = now.pending_bytes > most ? now.pending_bytes : most;
            settled = i <= rounds / 4 ? now.chunk_bytes : settled;
            REQUIRE_EQ(now.chunk_bytes, settled, "memory grows for ever, round %u", i);
        }
    }
    CHECK_LE(most, (uint64_t)MIB);
    finish(domain, map);
}

/* Counted in updates, for time says nothing where a thread may be off its processor for as long as it pleases. */
struct pair {
    struct rangemap *map;
    struct rangemap_domain *domain;
    atomic_bool stop;
    atomic_ullong updates;
    uint64_t longest; /* the most updates that were made while one section was open */
    uint64_t most;    /* bytes pending */
};

static void read_shortly(struct pair *pair)
{
    uint64_t before = pair->updates, during;

    REQUIRE_EQ(rangemap_read_begin(pair->map), 0);
    (void)rangemap_lookup_held(pair->map, 3, NULL);
    rangemap_read_end(pair->map);
    during = pair->updates - before;
    pair->longest = during > pair->longest ? during : pair->longest;
}

static void read_or_write(unsigned index, void *context)
{
    struct pair *pair = context;

    while (index == 0 && !pair->stop && !crew_is_broken()) {
        read_shortly(pair);
    }
    for (uint64_t i = 0; index != 0 && i < UINT64_C(1000000) * test_scale(); i++) {
        REQUIRE_EQ(rangemap_store(pair->map, i % 500, i % 500, NULL, NULL, NULL), 0);
        pair->updates++;
        if (i % 1000 == 0) {
            uint64_t pending = stats_of(pair->domain).pending_bytes;

            pair->most = pending > pair->most ? pending : pair->most;
        }
    }
    pair->stop |= index != 0;
}

/*
 * Readers that come and go hold up what is retired while they are inside, which costs what they are slow: a section in
 * which U updates were made, as it was off its processor, keeps those of U, and those since the epoch before, which it
 * kept from passing. A store retires a leaf and what leads to it, 640 bytes at most.
 */
TEST_CASE(memory_pressure, short_sections_stay_bounded)
{
    enum { STORE_BYTES = 640 };
    struct pair pair = {.domain = NULL};
    uint64_t bound;

    REQUIRE_EQ(rangemap_domain_create(NULL, &pair.domain), 0);
    pair.map = new_map(pair.domain);
    crew_run(2, read_or_write, &pair);
    bound = 2 * pair.longest * STORE_BYTES + MIB;
    CHECK_LE(pair.most, bound, "%" PRIu64 " updates in a section", pair.longest);
    CHECK_LE(stats_of(pair.domain).chunk_bytes, 2 * bound + 4 * MIB);
    finish(pair.domain, pair.map);
}

TEST_CASE(memory_pressure, blocker_is_named)
{
    struct rangemap_domain *domain = NULL;
    struct rangemap_blocker blocker;
    struct stalled stalled;
    struct rangemap *map;
    uint64_t before;

    REQUIRE_EQ(rangemap_domain_create(NULL, &domain), 0);
    map = new_map(domain);
    stalled_begin(&stalled, domain);
    for (unsigned i = 0; i < 20000; i++) {
        REQUIRE_EQ(rangemap_store(map, i % 100, i % 100, NULL, NULL, NULL), 0);
    }
    before = stats_of(domain).pending_bytes;
    CHECK_GE(before, (uint64_t)MIB, "what a reader may still see is kept");
    REQUIRE_EQ(rangemap_domain_blocker(domain, &blocker), 0);
    CHECK_EQ(blocker.tid, stalled.tid);
    CHECK_GE(blocker.behind, 1u);
    CHECK_GE(blocker.pending_bytes, before);
    CHECK_GE(rangemap_domain_poll(domain), 0, "does not wait");
    CHECK_GE(stats_of(domain).pending_bytes, before, "and can't free");
    stalled_end(&stalled);
    CHECK_EQ(rangemap_domain_barrier(domain), 0);
    CHECK_EQ(stats_of(domain).pending_bytes, 0u);
    REQUIRE_EQ(rangemap_domain_blocker(domain, &blocker), 0);
    CHECK_EQ(blocker.tid, 0);
    finish(domain, map);
}

/* A section of the updating thread itself blocks as well, and is named. */
TEST_CASE(memory_pressure, own_section_is_named)
{
    struct rangemap_domain *domain = NULL;
    struct rangemap_blocker blocker;
    struct rangemap *map;

    REQUIRE_EQ(rangemap_domain_create(NULL, &domain), 0);
    map = new_map(domain);
    REQUIRE_EQ(rangemap_read_begin(map), 0);
    for (unsigned i = 0; i < 20000; i++) {
        REQUIRE_EQ(rangemap_store(map, i % 100, i % 100, NULL, NULL, NULL), 0);
    }
    REQUIRE_EQ(rangemap_domain_blocker(domain, &blocker), 0);
    CHECK_EQ(blocker.tid, (int)syscall(SYS_gettid));
    rangemap_read_end(map);
    CHECK_EQ(rangemap_domain_barrier(domain), 0);
    CHECK_EQ(stats_of(domain).pending_bytes, 0u);
    finish(domain, map);
}

struct pressure {
    struct rangemap_domain *domain;
    unsigned calls;
    struct rangemap_blocker blocker;
};

static void note_pressure(struct rangemap_domain *domain, const struct rangemap_blocker *blocker,
                          void *context)
{
    struct pressure *pressure = context;

    CHECK_EQ(domain, pressure->domain);
    pressure->calls++;
    pressure->blocker = *blocker;
}

TEST_CASE(memory_pressure, soft_limit)
{
    struct pressure pressure = {.calls = 0};
    const struct rangemap_domain_options options = {
        .soft_limit_bytes = MIB, .pressure = note_pressure, .context = &pressure};
    struct stalled stalled;
    struct rangemap *map;

    REQUIRE_EQ(rangemap_domain_create(&options, &pressure.domain), 0);
    map = new_map(pressure.domain);
    for (unsigned i = 0; i < 20000; i++) {
        REQUIRE_EQ(rangemap_store(map, i % 100, i % 100, NULL, NULL, NULL), 0);
    }
    CHECK_EQ(pressure.calls, 0u, "nobody stalls");
    for (unsigned round = 1; round <= 2; round++) {
        stalled_begin(&stalled, pressure.domain);
        for (unsigned i = 0; i < 20000; i++) {
            REQUIRE_EQ(rangemap_store(map, i % 100, i % 100, NULL, NULL, NULL), 0);
        }
        CHECK_EQ(pressure.calls, round, "once each time that the limit is passed");
        CHECK_EQ(pressure.blocker.tid, stalled.tid);
        CHECK_GE(pressure.blocker.pending_bytes, (uint64_t)MIB);
        stalled_end(&stalled);
        CHECK_EQ(rangemap_domain_barrier(pressure.domain), 0);
    }
    finish(pressure.domain, map);
}

static void carve_stalled(struct rangemap_domain *domain, struct rangemap *map, uint64_t start, uint64_t last)
{
    struct stalled stalled;

    stalled_begin(&stalled, domain);
    REQUIRE_EQ(rangemap_carve(map, start, last, NULL, NULL), 0);
    stalled_end(&stalled);
}

/* Also of crossings that one update makes, and what brings the domain below is a barrier, or an update itself. */
TEST_CASE(memory_pressure, each_crossing_is_told)
{
    enum { RANGES = 20000, PARTS = 4 };
    struct pressure pressure = {.calls = 0};
    const struct rangemap_domain_options options = {
        .soft_limit_bytes = MIB / 32, .pressure = note_pressure, .context = &pressure};
    struct rangemap *map;

    REQUIRE_EQ(rangemap_domain_create(&options, &pressure.domain), 0);
    map = new_map(pressure.domain);
    for (uint64_t i = 0; i < RANGES; i++) {
        REQUIRE_EQ(rangemap_insert(map, i, i, NULL, NULL), 0);
    }
    REQUIRE_EQ(rangemap_domain_barrier(pressure.domain), 0);
    pressure.calls = 0;
    for (uint64_t part = 0; part < PARTS; part++) {
        uint64_t start = part * RANGES / PARTS, last = start + RANGES / PARTS - 1;

        if (part % 2 == 0) {
            carve_stalled(pressure.domain, map, start, last);
        } else {
            REQUIRE_EQ(rangemap_carve(map, start, last, NULL, NULL), 0);
        }
        CHECK_EQ(pressure.calls, (unsigned)part + 1, "part %u", (unsigned)part);
        REQUIRE_EQ(rangemap_domain_barrier(pressure.domain), 0);
        CHECK_EQ(stats_of(pressure.domain).pending_bytes < MIB / 32, true);
    }
    finish(pressure.domain, map);
}

/* Every kind of update, with ranges that make each of them change something. */
static void require_busy(struct rangemap *map)
{
    struct rangemap_gap_request request = {.length = 1, .high = UINT64_MAX};
    struct rangemap_entry entry = {77, 77, NULL};
    uint64_t start = 77;

    CHECK_EQ(rangemap_insert(map, 500, 500, NULL, &entry), -EBUSY);
    CHECK_EQ(rangemap_store(map, 1, 1, NULL, NULL, NULL), -EBUSY);
    CHECK_EQ(rangemap_carve(map, 1, 1, NULL, NULL), -EBUSY);
    CHECK_EQ(rangemap_erase(map, 1, &entry), -EBUSY);
    CHECK_EQ(rangemap_erase_exact(map, 1, 1, &entry), -EBUSY);
    CHECK_EQ(rangemap_replace(map, 1, 1, (void *)1, NULL, NULL), -EBUSY);
    CHECK_EQ(rangemap_coalesce(map, 0, 99, NULL, NULL, NULL), -EBUSY);
    CHECK_EQ(rangemap_gap_allocate(map, &request, NULL, &start), -EBUSY);
    CHECK(entry.start == 77 && start == 77, "no output is written");
}

TEST_CASE(memory_pressure, hard_limit)
{
    const struct rangemap_domain_options options = {.hard_limit_bytes = 2 * MIB};
    struct rangemap_domain *domain = NULL;
    struct stalled stalled;
    struct rangemap *map;
    unsigned done = 0;
    int result;

    REQUIRE_EQ(rangemap_domain_create(&options, &domain), 0);
    map = new_map(domain);
    for (uint64_t i = 0; i < 100; i++) {
        REQUIRE_EQ(rangemap_insert(map, i, i, (void *)1, NULL), 0);
    }
    stalled_begin(&stalled, domain);
    while ((result = rangemap_store(map, done % 100, done % 100, (void *)1, NULL, NULL)) == 0) {
        REQUIRE_LT(done++, 100000u, "no limit");
    }
    CHECK_EQ(result, -EBUSY);
    CHECK_LE(stats_of(domain).pending_bytes, 3u * MIB, "the limit holds");
    CHECK_GE(stats_of(domain).pending_bytes, 1u * MIB, "and not much earlier");
    require_busy(map);
    CHECK_EQ(rangemap_lookup(map, 5, NULL), 0, "lookups go on");
    require_valid(map, "at the limit");
    stalled_end(&stalled);
    CHECK_EQ(rangemap_domain_barrier(domain), 0);
    CHECK_EQ(stats_of(domain).pending_bytes, 0u);
    CHECK_EQ(rangemap_insert(map, 500, 500, NULL, NULL), 0);
    finish(domain, map);
}

/* After the reader has left, updates alone bring the pending bytes down: nobody need call barrier. */
TEST_CASE(memory_pressure, updates_catch_up)
{
    struct rangemap_domain *domain = NULL;
    struct stalled stalled;
    struct rangemap *map;

    REQUIRE_EQ(rangemap_domain_create(NULL, &domain), 0);
    map = new_map(domain);
    stalled_begin(&stalled, domain);
    for (unsigned i = 0; i < 50000; i++) {
        REQUIRE_EQ(rangemap_store(map, i % 100, i % 100, NULL, NULL, NULL), 0);
    }
    CHECK_GE(stats_of(domain).pending_bytes, (uint64_t)MIB);
    stalled_end(&stalled);
    for (unsigned i = 0; i < 200000; i++) {
        REQUIRE_EQ(rangemap_store(map, i % 100, i % 100, NULL, NULL, NULL), 0);
    }
    CHECK_LE(stats_of(domain).pending_bytes, (uint64_t)MIB);
    finish(domain, map);
}

/* A whole tree dropped at once is given back, by polls that each do a bounded share. */
TEST_CASE(memory_pressure, dropped_tree_is_given_back)
{
    struct rangemap_domain *domain = NULL;
    struct rangemap *map;
    uint64_t in_use;
    unsigned polls = 0;

    REQUIRE_EQ(rangemap_domain_create(NULL, &domain), 0);
    map = new_map(domain);
    for (uint64_t i = 0; i < 300000; i++) {
        REQUIRE_EQ(rangemap_insert(map, i * 2, i * 2, NULL, NULL), 0);
    }
    CHECK_EQ(rangemap_domain_barrier(domain), 0);
    in_use = stats_of(domain).node_bytes;
    REQUIRE_EQ(rangemap_read_begin(map), 0); /* or the update may have paid for all that it dropped */
    REQUIRE_EQ(rangemap_carve(map, 0, UINT64_MAX, NULL, NULL), 0);
    rangemap_read_end(map);
    while (rangemap_domain_poll(domain) == 1) {
        REQUIRE_LT(polls++, 1000000u);
    }
    CHECK_EQ(stats_of(domain).pending_bytes, 0u);
    CHECK_LE(stats_of(domain).node_bytes, in_use / 100);
    CHECK_GE(polls, 10u, "a bounded share each");
    finish(domain, map);
}
