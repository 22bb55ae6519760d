// SPDX-License-Identifier: BSD-2-Clause
/*
 * Memory that goes back when it is not needed any more: by itself and when asked to, to the system and to the
 * caller's allocator, while others update; and what survivors hold back. All by one clock, which is the test's: hence
 * its length.
 */
#define _GNU_SOURCE /* syscall() */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "rangemap/rangemap.h"
#include "test/check/chunk_source.h"
#include "test/check/crew.h"
#include "test/shim/ctest.h"
#include "test/shim/prng.h"

enum { KIB = 1024, MIB = 1024 * 1024 };

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = 1 }; /* their shadow is resident memory, too */
#else
enum { SANITIZED = 0 };
#endif

/* The library's clock stands, but for this. */
static atomic_int skipped_s;

int clock_gettime(clockid_t clock, struct timespec *now)
{
    if (clock == CLOCK_MONOTONIC_COARSE) {
        *now = (struct timespec){1000 + skipped_s, 0};
        return 0;
    }
    return (int)syscall(SYS_clock_gettime, clock, now);
}

static struct rangemap_domain_statistics stats_of(struct rangemap_domain *domain)
{
    struct rangemap_domain_statistics statistics;

    REQUIRE_EQ(rangemap_domain_stats(domain, &statistics), 0);
    return statistics;
}

static struct rangemap *new_map(struct rangemap_domain *domain)
{
    const struct rangemap_options options = {.domain = domain};
    struct rangemap *map = NULL;

    REQUIRE_EQ(rangemap_create(&options, &map), 0);
    return map;
}

/* Ranges in random order. */
static void insert_many(struct rangemap *map, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        uint64_t key = i * UINT64_C(0x9e3779b97f4a7c15) << 4;

        REQUIRE_EQ(rangemap_insert(map, key, key + 7, NULL, NULL), 0);
    }
}

/* Everything that waits is disposed of. */
static void drop_all(struct rangemap *map)
{
    REQUIRE_EQ(rangemap_carve(map, 0, UINT64_MAX, NULL, NULL), 0);
    REQUIRE_EQ(rangemap_domain_barrier(rangemap_domain_of(map)), 0);
}

/* What the manual says of each number: nobody updates. */
static void check_identities(struct rangemap_domain *domain)
{
    struct rangemap_domain_statistics now = stats_of(domain);

    CHECK_EQ(now.pooled_bytes, now.cached_bytes + now.pinned_bytes);
    CHECK_LE(now.node_bytes + now.pooled_bytes + now.idle_bytes, now.chunk_bytes);
    CHECK_LE(now.chunk_bytes - now.node_bytes - now.pooled_bytes - now.idle_bytes,
             (uint64_t)160 * KIB + now.chunk_bytes / 40);
    CHECK_LE(now.discarded_bytes, now.idle_bytes);
}

/* ---- to the caller's allocator ---- */

TEST_CASE(memory_return, whole_chunks_to_a_caller)
{
    struct chunk_source *source = malloc(sizeof *source);
    struct rangemap_domain *domain;
    struct rangemap *map;
    uint64_t peak, polls = 0;

    REQUIRE(source != NULL);
    chunk_source_init(source);
    domain = chunk_source_domain(source);
    map = new_map(domain);
    insert_many(map, 200000);
    check_identities(domain);
    peak = source->bytes;
    CHECK_EQ(peak, stats_of(domain).chunk_bytes);
    CHECK_GE(peak, (uint64_t)6 * MIB);
    drop_all(map);
    check_identities(domain);
    CHECK_EQ(source->bytes, peak, "kept for a while");
    skipped_s = 11;
    while (source->bytes > (uint64_t)3 * MIB) { /* all but a chunk in which something is in use */
        CHECK_GE(rangemap_domain_poll(domain), 0);
        CHECK_LE(++polls, peak / (2 * MIB) + 2, "a chunk or more each");
    }
    (void)rangemap_domain_trim(domain);
    check_identities(domain);
    CHECK_EQ(source->bytes, stats_of(domain).chunk_bytes);
    CHECK_EQ(rangemap_destroy(map), 0);
    CHECK_EQ(rangemap_domain_barrier(domain), 0);
    (void)rangemap_domain_trim(domain);
    CHECK_EQ(stats_of(domain).node_bytes, 0u);
    CHECK_LE(source->bytes, 128u * KIB, "the domain itself, and its books");
    CHECK_EQ(rangemap_domain_trim(domain), 0, "no more to give");
    CHECK_EQ(rangemap_domain_destroy(domain), 0);
    CHECK_EQ(source->live, 0u);
    CHECK_EQ(source->breaches, 0u);
    free(source);
}

/* A thread whose use rises and falls asks a caller's allocator for nothing, whichever sizes it needs next. */
TEST_CASE(memory_return, what_was_needed_lately_is_kept_for_a_caller)
{
    struct chunk_source *source = malloc(sizeof *source);
    struct rangemap_domain *domain;
    struct rangemap *map;
    unsigned calls;

    REQUIRE(source != NULL);
    chunk_source_init(source);
    domain = chunk_source_domain(source);
    map = new_map(domain);
    for (uint64_t i = 0; i < 100000; i++) { /* in order: other nodes than in random order */
        REQUIRE_EQ(rangemap_insert(map, i * 16, i * 16 + 7, NULL, NULL), 0);
    }
    drop_all(map);
    calls = source->calls;
    insert_many(map, 40000);
    CHECK_EQ(source->calls, calls);
    CHECK_EQ(rangemap_destroy(map), 0);
    CHECK_EQ(rangemap_domain_destroy(domain), 0);
    free(source);
}

/* What is left after all is gone is as much as before, however often. */
TEST_CASE(memory_return, breathing_does_not_grow)
{
    struct chunk_source *source = malloc(sizeof *source);
    struct rangemap_domain *domain;
    struct rangemap *map;
    uint64_t first = 0;

    REQUIRE(source != NULL);
    chunk_source_init(source);
    domain = chunk_source_domain(source);
    map = new_map(domain);
    for (unsigned round = 0; round < 10; round++) {
        insert_many(map, 50000);
        first = round == 1 ? (uint64_t)source->bytes : first;
        CHECK(round < 2 || source->bytes <= first + first / 4, "round %u: %llu bytes after %llu", round,
              source->bytes, (unsigned long long)first);
        drop_all(map);
    }
    CHECK_EQ(rangemap_destroy(map), 0);
    CHECK_EQ(rangemap_domain_destroy(domain), 0);
    free(source);
}

/* A few ranges that stay, all over the place, keep their pieces of 8 KiB. That is reported, and no more is kept. */
TEST_CASE(memory_return, survivors_pin_what_is_reported)
{
    enum { RANGES = 200000, SURVIVORS = 50 };
    struct rangemap_domain_statistics now;
    struct rangemap_domain *domain;
    struct rangemap *map, *survivors[SURVIVORS];

    REQUIRE_EQ(rangemap_domain_create(NULL, &domain), 0);
    map = new_map(domain);
    for (unsigned i = 0; i < SURVIVORS; i++) {
        insert_many(map, 0);
        survivors[i] = new_map(domain);
        for (uint64_t j = 0; j < RANGES / SURVIVORS; j++) {
            uint64_t key = (i * (uint64_t)(RANGES / SURVIVORS) + j) * UINT64_C(0x9e3779b97f4a7c15) << 4;

            REQUIRE_EQ(rangemap_insert(map, key, key + 7, NULL, NULL), 0);
        }
    }
    drop_all(map);
    CHECK_EQ(rangemap_domain_trim(domain), 1);
    check_identities(domain);
    now = stats_of(domain);
    CHECK_EQ(now.idle_bytes, now.discarded_bytes, "all that is idle is given back");
    CHECK_GE(now.pinned_bytes, 1u);
    CHECK_LE(now.pinned_bytes + now.node_bytes, (uint64_t)(2 * SURVIVORS + 20) * 8 * KIB);
    for (unsigned i = 0; i < SURVIVORS; i++) {
        CHECK_EQ(rangemap_destroy(survivors[i]), 0);
    }
    CHECK_EQ(rangemap_destroy(map), 0);
    CHECK_EQ(rangemap_domain_destroy(domain), 0);
}

/* ---- to the system ---- */

static uint64_t there_bytes(struct rangemap_domain *domain)
{
    struct rangemap_domain_statistics now = stats_of(domain);

    return now.chunk_bytes - now.discarded_bytes;
}

/* What rises and falls within a second costs no page faults: nothing goes that was in use a moment ago. */
TEST_CASE(memory_return, what_breathes_is_not_fetched_anew)
{
    struct rangemap_domain *domain;
    struct rangemap *map;
    uint64_t peak = 0;

    REQUIRE_EQ(rangemap_domain_create(NULL, &domain), 0);
    map = new_map(domain);
    for (unsigned round = 0; round < 4; round++) {
        insert_many(map, 60000);
        peak = round == 0 ? there_bytes(domain) : peak;
        CHECK_LE(there_bytes(domain), peak + peak / 4, "round %u", round);
        REQUIRE_EQ(rangemap_carve(map, 0, UINT64_MAX, NULL, NULL), 0);
        while (rangemap_domain_poll(domain) == 1) {
        }
        CHECK_LT(stats_of(domain).node_bytes + stats_of(domain).pending_bytes, peak / 10, "it is free");
        CHECK_GE(there_bytes(domain), peak, "round %u", round);
    }
    skipped_s += 2;
    for (unsigned poll = 0; poll < peak / (2 * MIB) + 2; poll++) {
        REQUIRE_EQ(rangemap_domain_poll(domain), 0);
    }
    CHECK_LE(there_bytes(domain), (uint64_t)MIB, "but not for ever");
    CHECK_EQ(rangemap_destroy(map), 0);
    CHECK_EQ(rangemap_domain_destroy(domain), 0);
}

/* But for pages of files, such as the program's own: they come as it runs. */
static uint64_t resident_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    unsigned long long size = 0, resident = 0, of_files = 0;

    REQUIRE(file != NULL);
    REQUIRE_EQ(fscanf(file, "%llu %llu %llu", &size, &resident, &of_files), 3);
    (void)fclose(file);
    return (resident - of_files) * (uint64_t)sysconf(_SC_PAGESIZE);
}

enum { OTHERS = 2 };

static struct others {
    struct rangemap *map;
    atomic_bool stop, rest;
    atomic_uint resting;
    atomic_ullong updates;
} others;

/*
 * While a thread is off its processor in a section nothing can be disposed of, and on a busy machine the others' nodes
 * would pile up for as long: they go on when the epoch has moved.
 */
static void keep_pace(unsigned updates, uint64_t *epoch)
{
    if (updates % 512 != 0) {
        return;
    }
    while (stats_of(NULL).epoch == *epoch && !others.stop && !others.rest && !crew_is_broken()) {
        (void)rangemap_domain_poll(NULL);
        sleep_milliseconds(0);
    }
    *epoch = stats_of(NULL).epoch;
}

/* Between two updates, until they go on. */
static void take_a_rest(void)
{
    atomic_fetch_add(&others.resting, 1);
    while (others.rest && !crew_is_broken()) {
        sleep_milliseconds(1);
    }
    atomic_fetch_sub(&others.resting, 1);
}

/* A working set of their own. */
static void go_on_updating(unsigned self, void *context)
{
    struct prng random = prng_stream(test_seed(), self);
    uint64_t epoch = 0;

    (void)context;
    for (unsigned updates = 1; !others.stop; updates++) {
        uint64_t key = (prng_below(&random, 2000) * 2 + self) * 16;
        int result = prng_below(&random, 2) ? rangemap_insert(others.map, key, key + 7, NULL, NULL)
                                            : rangemap_erase(others.map, key, NULL);

        REQUIRE(result == 0 || result == -EEXIST || result == -ENOENT, "%d", result);
        atomic_fetch_add(&others.updates, 1);
        keep_pace(updates, &epoch);
        if (others.rest) {
            take_a_rest();
        }
    }
}

static void await_updates(uint64_t count)
{
    uint64_t goal = others.updates + count;

    while (others.updates < goal && !crew_is_broken()) {
        sleep_milliseconds(1);
    }
}

/* Time passes, and each tick gives something back. */
static void await_seconds(unsigned seconds)
{
    while (seconds-- > 0) {
        skipped_s++;
        await_updates(200);
    }
}

static void load_many(struct rangemap *map, uint64_t count)
{
    struct rangemap_entry *entry = malloc(count * sizeof *entry);

    REQUIRE(entry != NULL);
    for (uint64_t i = 0; i < count; i++) {
        entry[i] = (struct rangemap_entry){i * 16, i * 16 + 7, NULL};
    }
    REQUIRE_EQ(rangemap_load(map, entry, count, NULL), 0);
    free(entry);
}

/* How many nodes of the others wait differs from one look to the next: they rest meanwhile, and nothing waits. */
static uint64_t resident_bytes_at_rest(struct rangemap_domain_statistics *domain)
{
    uint64_t bytes;

    others.rest = true;
    while (others.resting < OTHERS && !crew_is_broken()) {
        sleep_milliseconds(1);
    }
    while (rangemap_domain_poll(NULL) == 1) {
    }
    bytes = resident_bytes();
    *domain = stats_of(NULL);
    others.rest = false;
    while (others.resting > 0 && !crew_is_broken()) {
        sleep_milliseconds(1);
    }
    return bytes;
}

/* Beyond what is in use, and by itself half of that; and what that holds back. */
static void check_resident(const char *when, uint64_t before, bool trimmed)
{
    struct rangemap_domain_statistics domain;
    uint64_t now = resident_bytes_at_rest(&domain), in_use = domain.node_bytes + domain.pinned_bytes;

    printf("%s: %lld KiB more than the %llu before; chunks %llu, nodes %llu, pending %llu, cached %llu, "
           "pinned %llu, "
           "idle %llu, discarded %llu\n",
           when, ((long long)now - (long long)before) / KIB, (unsigned long long)before / KIB,
           (unsigned long long)domain.chunk_bytes / KIB, (unsigned long long)domain.node_bytes / KIB,
           (unsigned long long)domain.pending_bytes / KIB, (unsigned long long)domain.cached_bytes / KIB,
           (unsigned long long)domain.pinned_bytes / KIB, (unsigned long long)domain.idle_bytes / KIB,
           (unsigned long long)domain.discarded_bytes / KIB);
    if (!SANITIZED) {
        CHECK_LE(now, before + MIB + before / 20 + in_use + (trimmed ? 0 : in_use / 2), "%s", when);
    }
}

/*
 * In the default domain, twice: by loading and destroying, and by inserting and carving. Without huge pages, of which
 * the kernel brings two megabytes when a byte is touched: whether one is there at the end is chance.
 */
TEST_CASE(memory_return, a_million_ranges_come_and_go)
{
    enum { RANGES = SANITIZED ? 50000 : 1000000, INSERTS = RANGES / 4 };
    struct rangemap_domain_statistics domain;
    struct crew crew;
    uint64_t before;

    (void)prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
    others.map = new_map(NULL);
    others.stop = false;
    crew_start(&crew, OTHERS, go_on_updating, NULL);
    await_updates(20000);
    (void)rangemap_domain_trim(NULL);
    before = resident_bytes_at_rest(&domain);
    for (unsigned round = 0; round < 2; round++) {
        struct rangemap *map = new_map(NULL);

        if (round == 0) {
            load_many(map, RANGES);
        } else {
            insert_many(map, INSERTS);
            drop_all(map);
        }
        CHECK_EQ(rangemap_destroy(map), 0);
        await_seconds(40); /* a look each, of 2 MiB; and one to find that the peak is past */
        check_resident("by itself", before, false);
        CHECK_GE(rangemap_domain_trim(NULL), 0);
        await_updates(1000);
        check_resident("trimmed", before, true);
    }
    others.stop = true;
    crew_join(&crew);
    CHECK_EQ(rangemap_destroy(others.map), 0);
    (void)prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0);
}
